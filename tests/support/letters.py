"""A letter with defaults, for tests of what goes over the wire."""

from datetime import UTC, datetime
from typing import Any

from wagtail_lifecycle.conf import Sender
from wagtail_lifecycle.rendering import Mail
from wagtail_lifecycle.transport import Letter, ListHeaders

TOKEN = "b2JqZWN0aXZlbHktb3BhcXVl.7:Zm9yLXRlc3RzLW9ubHktbm90LXNpZ25lZA"
SENDER = Sender(
    key="news",
    address="news@example.org",
    name="The Quick Publisher",
    reply_to="newsroom@example.org",
    postal_address="1 Main St, Springfield",
)
LIST = ListHeaders(
    slug="reports",
    name="Reports",
    unsubscribe_url=f"https://publisher.example.org/lifecycle/unsubscribe/{TOKEN}/",
    campaign_id=3,
    run_id=12,
)
TEXT = f"Hello, this is the news.\n\nUnsubscribe: {LIST.unsubscribe_url}\n1 Main St, Springfield\n"
HTML = (
    '<!doctype html><html lang="en"><head><title>News</title></head><body><p>Hello, this is the news.</p>'
    f'<p><a href="{LIST.unsubscribe_url}">Unsubscribe</a></p><p>1 Main St, Springfield</p></body></html>'
)


def letter(*, mail: Mail | None = None, **changes: Any) -> Letter:
    """Return a letter with these fields, or with a mail of this subject, text and HTML."""
    defaults = {"subject": "Your news", "text": TEXT, "html": HTML}
    words = {name: changes.pop(name, default) for name, default in defaults.items()}
    values = {
        "sender": SENDER,
        "address": "ana@reader.example.com",
        "name": "Ana Costa",
        "mail": mail or Mail.of(**words),
        "message_id": "<0123456789abcdef@example.org>",
        "date": datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
        "list_headers": LIST,
    }
    return Letter(**{**values, **changes})
