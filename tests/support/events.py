"""Campaigns that follow an event, brokers that fail, and what a worker does."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.utils import timezone

from tests.support.factories import make_campaign
from wagtail_lifecycle import dispatch, ticking
from wagtail_lifecycle.audiences import Recipient, recipients_of_users
from wagtail_lifecycle.events import Event
from wagtail_lifecycle.models import Campaign

VERIFY_BUTTON = ("verify_button", {"text": "Confirm"})


class OrderShipped(Event):
    name = "order_shipped"
    label = "An order is shipped"


def on_event(*blocks: Any, event: str = "user_registered", **fields: Any) -> Campaign:
    """Return a live campaign on an event; transactional, unless a topic is given."""
    values = {"trigger": "event", "event": event, "topic": None, "audience": "active_users", **fields}
    campaign = make_campaign(*blocks, **values)
    assert campaign.state.problem == ""
    return campaign


def verification_campaign(**fields: Any) -> Campaign:
    return on_event(VERIFY_BUTTON, **{"audience": "unverified_users", "subject": "Confirm your address", **fields})


def edit(campaign: Campaign, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(campaign, name, value)
    campaign.save_revision().publish()


def recipient_of(user: Any) -> Recipient:
    return recipients_of_users([user])[0]


def work() -> int:
    """Do what beat and the workers would do within a minute; answer how many runs had work."""
    runs = ticking.recover(timezone.now())
    for run_id in runs:
        while dispatch.send_batch(run_id):
            pass
    return len(runs)


@contextlib.contextmanager
def failing_inserts(table: str) -> Iterator[None]:
    """Let the database refuse to write to a table, with a real error."""

    def refuse(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if f'INSERT INTO "{table}"' in sql or f'INSERT OR IGNORE INTO "{table}"' in sql:
            return execute("SELECT nothing FROM nowhere_at_all", None, False, context)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """Return the address of a Redis that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@contextlib.contextmanager
def stopped_server() -> Iterator[str]:
    """Return an address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    yield f"redis://127.0.0.1:{port}/0"
