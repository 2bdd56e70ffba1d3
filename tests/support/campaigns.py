"""Campaigns with defaults, published as an editor would."""

from datetime import time, timedelta
from typing import Any
from uuid import uuid4

from wagtail.models import Locale

from tests.support.content import SENDER, body
from wagtail_lifecycle.models import Campaign, Topic


def topic() -> Topic:
    return Topic.objects.get_or_create(slug="reports", defaults={"name": "Reports"})[0]


def draft(**fields: Any) -> Campaign:
    """Save a campaign that is not live: daily at 09:00 in Paris, to the active users."""
    values = {
        "name": "Daily digest",
        "subject": "Hello",
        "sender": SENDER,
        "body": body(("heading", {"text": "Good morning", "size": "large"})),
        "audience": "active_users",
        "frequency": "daily",
        "time_of_day": time(9),
        "time_zone": "Europe/Paris",
        "late_within": timedelta(hours=1),
        "live": False,
        "translation_key": uuid4(),
        "locale": Locale.get_default(),
    }
    values = {**values, **fields}
    if "topic" not in values:
        values["topic"] = topic()
    values.setdefault("is_transactional", values["topic"] is None)
    return Campaign.objects.create(**values)


def publish(campaign: Campaign, **changes: Any) -> Campaign:
    """Change fields and publish, through a revision."""
    for name, value in changes.items():
        setattr(campaign, name, value)
    campaign.save_revision().publish()
    campaign.refresh_from_db()
    return campaign


def live(**fields: Any) -> Campaign:
    return publish(draft(**fields))
