"""Rows with defaults, for every test that needs campaigns, runs or people."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import get_user_model
from wagtail.coreutils import get_supported_content_language_variant
from wagtail.models import Locale

from tests.support.content import body, paragraph
from wagtail_lifecycle import dispatch
from wagtail_lifecycle.models import Campaign, Delivery, Run, RunContent, Topic
from wagtail_lifecycle.models.people import hash_address

#: A Friday. Its day before is the 19th, its week before begins on Monday the 9th.
SLOT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
NOW = SLOT + timedelta(seconds=5)

_numbers = count(1)


def make_user(email: str = "", **fields: Any) -> Any:
    """Return an active, verified user without a password."""
    number = next(_numbers)
    values = {"email": email or f"reader{number}@example.org", "name": f"Reader {number}", "is_verified": True}
    return get_user_model().objects.create(**{**values, **fields})


def make_users(number: int) -> list[Any]:
    """Return many active, verified users, made in one query."""
    model = get_user_model()
    numbers = [next(_numbers) for _ in range(number)]
    users = [model(email=f"reader{n}@example.org", name=f"Reader {n}", is_verified=True) for n in numbers]
    return model.objects.bulk_create(users)


def default_locale() -> Locale:
    """Return the site's locale, also after a test that emptied the tables that migrations fill."""
    code = get_supported_content_language_variant(settings.LANGUAGE_CODE)
    return Locale.objects.get_or_create(language_code=code)[0]


def make_topic(name: str = "Reports", **fields: Any) -> Topic:
    topic, _created = Topic.objects.get_or_create(
        slug=name.lower().replace(" ", "-"), defaults={"name": name, **fields}
    )
    return topic


def make_campaign(*blocks: tuple[str, Any], publish: bool = True, **fields: Any) -> Campaign:
    """Return a campaign to all active users about the topic Reports; live, by way of a revision.

    `topic=None` makes it transactional. The body is a paragraph unless blocks are given.
    """
    values: dict[str, Any] = {
        "name": f"Campaign {next(_numbers)}",
        "subject": "News for {{ recipient.first_name | you }}",
        "sender": "news",
        "audience": "active_users",
        "frequency": Campaign.Frequency.DAILY,
        "time_of_day": SLOT.time(),
        "body": body(*(blocks or [paragraph("There is something new.")])),
        "locale": default_locale(),
        "live": False,
    }
    if "topic" not in fields:
        values["topic"] = make_topic()
    else:
        values["is_transactional"] = fields["topic"] is None
    campaign = Campaign.objects.create(**{**values, **fields})
    if publish:
        campaign.save_revision().publish()
        campaign.refresh_from_db()
    return campaign


def make_translation(campaign: Campaign, language: str, **fields: Any) -> Campaign:
    """Return the live translation of a campaign, with the given changes."""
    locale, _created = Locale.objects.get_or_create(language_code=language)
    translation = campaign.copy_for_translation(locale)
    for name, value in {"live": False, "live_revision": None, "latest_revision": None, **fields}.items():
        setattr(translation, name, value)
    translation.save()
    translation.save_revision().publish()
    translation.refresh_from_db()
    return translation


def make_run(campaign: Campaign | None = None, *, slot: datetime = SLOT, now: datetime = NOW) -> Run:
    """Return a run that has pinned its content and planned its people, ready to be sent."""
    return dispatch.open_run(campaign or make_campaign(), slot, now)


def make_empty_run(campaign: Campaign | None = None, *, slot: datetime = SLOT, **fields: Any) -> Run:
    """Return a run in `sending` with its content and without people, for deliveries made by hand."""
    campaign = campaign or make_campaign()
    values = {
        "status": Run.Status.SENDING,
        "created_at": NOW,
        "planned_at": NOW,
        "is_transactional": campaign.topic_id is None,
    }
    run = Run.objects.create(campaign=campaign, slot=slot, **{**values, **fields})
    RunContent.objects.create(run=run, locale=campaign.locale, revision=campaign.live_revision)
    return run


def make_delivery(run: Run, email: str = "", **fields: Any) -> Delivery:
    """Return a delivery in any state; it is for a user who does not exist unless a key is given."""
    number = next(_numbers)
    address = email or f"person{number}@example.org"
    values: dict[str, Any] = {
        "recipient_key": f"user:{10_000_000 + number}",
        "address": address,
        "address_hash": hash_address(address),
        "language": "en",
        "message_id": f"<{uuid4().hex}@example.org>",
        "created_at": NOW,
    }
    if fields.get("status") in {Delivery.Status.CLAIMED, Delivery.Status.SENDING}:
        values |= {"token": uuid4(), "lease_until": NOW + timedelta(days=3650)}
    return Delivery.objects.create(run=run, **{**values, **fields})
