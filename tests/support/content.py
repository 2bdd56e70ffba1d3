"""Mail content with defaults, for tests of rendering."""

from dataclasses import dataclass, field
from typing import Any

from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.rendering import Content

SENDER = "news"


def body(*blocks: tuple[str, dict[str, Any]]) -> Any:
    """Return the StreamValue of blocks given as (name, value) in their stored form."""
    stored = [{"type": name, "value": value} for name, value in blocks]
    return Campaign._meta.get_field("body").to_python(stored)


def paragraph(html: str) -> tuple[str, dict[str, Any]]:
    return ("rich_text", {"text": f"<p>{html}</p>"})


def content(*blocks: tuple[str, dict[str, Any]], **changes: Any) -> Content:
    values = {
        "campaign_id": 1,
        "subject": "Hello",
        "preheader": "",
        "body": body(*blocks),
        "language": "en",
        "sender": SENDER,
        "audience": "active_users",
        "topic": "Reports",
    }
    return Content(**{**values, **changes})


@dataclass(frozen=True)
class Reader:
    """Somebody a mail is for."""

    name: str = "Zoë Okafor"
    time_zone: str = ""
    data: dict[str, object] = field(default_factory=dict)

    @property
    def first_name(self) -> str:
        return self.name.partition(" ")[0]
