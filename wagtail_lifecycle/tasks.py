"""What Celery calls, and how we call Celery. Messages carry ids only; the rows are the truth."""

from __future__ import annotations

import logging
import time
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from celery import current_app, shared_task
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from wagtail_lifecycle import dispatch, page_views, rehearsing, ticking
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.dispatch import days
from wagtail_lifecycle.models import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)

#: A worker that dies gives the message back; whatever is done twice finds the rows done.
OPTIONS: Final[dict[str, Any]] = {"acks_late": True, "reject_on_worker_lost": True, "ignore_result": True}

lifecycle_task: Callable[..., Any] = partial(shared_task, **OPTIONS)


@lifecycle_task(name="wagtail_lifecycle.tick", expires=300)
def tick(campaign_id: int) -> None:
    run_id = ticking.tick(campaign_id, timezone.now())
    enqueue_runs([run_id] if run_id else days.due_runs(campaign_id), side_by_side=True)


@lifecycle_task(name="wagtail_lifecycle.send_batch", expires=3600)
def send_batch(run_id: int) -> None:
    if dispatch.send_batch(run_id):
        enqueue_runs([run_id])


@lifecycle_task(name="wagtail_lifecycle.recover", expires=50)
def recover() -> None:
    enqueue_runs(ticking.recover(timezone.now()), side_by_side=True)
    for campaign_id in rehearsing.waiting():
        enqueue(rehearse, campaign_id, queue=settings.queues.bulk)


@lifecycle_task(name="wagtail_lifecycle.rehearse", expires=50)
def rehearse(campaign_id: int) -> None:
    if rehearsing.rehearse(campaign_id, timezone.now()):
        enqueue(rehearse, campaign_id, queue=settings.queues.bulk)


@lifecycle_task(name="wagtail_lifecycle.flush_page_views", expires=10)
def flush_page_views() -> None:
    page_views.flush(timezone.now())


@lifecycle_task(name="wagtail_lifecycle.publish_scheduled", expires=50)
def publish_scheduled() -> None:
    call_command("publish_scheduled", verbosity=0)


# -- Calling Celery -------------------------------------------------------------------------------------------


def enqueue_runs(run_ids: Iterable[int], *, side_by_side: bool = False) -> None:
    """Have the batches of these runs sent, on the queue of each, once the transaction is committed.

    `side_by_side` starts as many tasks as a run has work for. Each goes on by itself, so only who starts a run asks.
    """
    for run in Run.objects.filter(pk__in=list(run_ids)).order_by("pk"):
        queue = settings.queues.transactional if run.is_transactional else settings.queues.bulk
        for _task in range(dispatch.tasks_worth(run) if side_by_side else 1):
            enqueue(send_batch, run.pk, queue=queue)


def enqueue(task: Any, *args: int, queue: str | None = None) -> None:
    """Publish `task` once the transaction is committed. Never raises and never waits long: `recover` delivers."""
    transaction.on_commit(partial(broker.publish, task, args, queue), robust=True)


class Broker:
    """Our own way to the broker: a site's retry policy may wait for minutes, a web request may not."""

    #: seconds; connecting and one answer each, so that both stay under half a second
    PATIENCE: Final = 0.2

    def __init__(self, app: Any = current_app) -> None:
        self._app = app
        self._rests_until = 0.0

    def publish(self, task: Any, args: tuple[int, ...], queue: str | None) -> bool:
        """Publish one message and tell whether the broker took it."""
        if time.monotonic() < self._rests_until:
            return False
        with self._app.connection_for_write(
            connect_timeout=self.PATIENCE, transport_options=self._options
        ) as connection:
            try:
                producer = self._app.amqp.Producer(connection, auto_declare=False)
                task.apply_async(args, producer=producer, queue=queue or None, retry=False)
            except (
                OperationalError,
                OSError,
                *connection.connection_errors,
                *connection.channel_errors,
            ) as error:
                self._rest(task, error)
                return False
        self._rests_until = 0.0
        return True

    @cached_property
    def _options(self) -> dict[str, Any]:
        # Each transport has its own names, and some refuse those of others.
        driver = self._app.connection_for_write().transport.driver_type
        names = {"redis": ["socket_timeout", "socket_connect_timeout"], "amqp": ["read_timeout", "write_timeout"]}
        return {**dict.fromkeys(names.get(driver, []), self.PATIENCE), "max_retries": 0}

    def _rest(self, task: Any, error: Exception) -> None:
        self._rests_until = time.monotonic() + settings.broker_rest_seconds
        extra = {"action": "publish", "task": task.name}
        logger.warning("broker out of reach: %s", type(error).__name__, extra=extra)


broker = Broker()
