"""Something has happened to a person: `fire` plans the mails about it, in the caller's transaction."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from wagtail_lifecycle import planning, registry, tasks
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.dispatch import days
from wagtail_lifecycle.models import Campaign, Delivery

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from wagtail_lifecycle.audiences import Recipient
    from wagtail_lifecycle.events import Event
    from wagtail_lifecycle.models import Run

    #: Which of the campaigns on an event are meant.
    Choice = Callable[[Iterable[Campaign]], Iterable[Campaign]]

logger = logging.getLogger(__name__)

#: The width of `Delivery.event_key`.
MAX_KEY: Final = 150
AT_ONCE: Final = timedelta(0)


def fire(event: type[Event] | str, recipient: Recipient, key: str) -> int:
    """Plan the mail of every live campaign on `event` to this person; answer how many were planned.

    `key` says which occurrence it is: the same event, address and key make one mail, however often it is fired. The
    rows are written in the caller's transaction, and sent once that is committed. Whether the person belongs to the
    campaign's audience is asked when the mail is due.

    Raises UnknownName for an event that nobody registered, and ValueError for an empty key. Whatever else goes wrong
    is logged and leaves the caller's transaction as it was.
    """
    return _fire(_name_of(event), recipient, _checked(key), choose=None)


def fire_again(event: type[Event] | str, recipient: Recipient, key: str, *, choose: Choice) -> int:
    """Do the same at once, whatever the delay, and only for the campaigns that `choose` returns of those on it."""
    return _fire(_name_of(event), recipient, _checked(key), choose=choose)


def _name_of(event: type[Event] | str) -> str:
    name: str = registry.events.get(event if isinstance(event, str) else event.name).name
    return name


def _checked(key: str) -> str:
    if not key:
        raise ValueError(
            "An event needs a key that tells this occurrence from others, such as the primary key of an order; got ''."
        )
    return key if len(key) <= MAX_KEY else f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def _fire(event: str, recipient: Recipient, key: str, *, choose: Choice | None) -> int:
    try:
        # A savepoint where the caller has a transaction: an error of ours must not become theirs.
        with transaction.atomic():
            campaigns = campaigns_on(event)
            now = timezone.now()
            if choose is None:
                return _plan(campaigns.defer("body"), recipient, key, now)
            return _plan(choose(campaigns), recipient, key, now, at_once=True)
    except Exception as error:  # noqa: BLE001 - a registration goes on whatever becomes of its mail
        extra = {"action": "fire", "event": event, "recipient": recipient.key}
        # The text of a database error holds the values of the row.
        logger.error("event lost: %s", type(error).__name__, extra=extra)  # noqa: TRY400
        return 0


def campaigns_on(event: str) -> QuerySet[Campaign]:
    """Return the live campaigns on the event that could send now; a translation is content of its source."""
    earlier = Campaign.objects.filter(translation_key=OuterRef("translation_key"), pk__lt=OuterRef("pk"))
    campaigns: QuerySet[Campaign] = Campaign.objects.filter(
        ~Exists(earlier),
        live=True,
        trigger=Campaign.Trigger.EVENT,
        event=event,
        state__problem="",
        state__pause_reason="",
    )
    return campaigns.select_related("locale").order_by("pk")


def _plan(
    campaigns: Iterable[Campaign], recipient: Recipient, key: str, now: datetime, *, at_once: bool = False
) -> int:
    by_id = {campaign.pk: campaign for campaign in campaigns}
    if not by_id:
        return 0
    runs = days.runs_of_today(by_id.values(), now)
    rows = [
        _row(campaign, runs[pk], recipient, key, now=now, delay=AT_ONCE if at_once else campaign.delay)
        for pk, campaign in by_id.items()
    ]
    # ON CONFLICT DO NOTHING: the event was fired before. In the order of the campaigns, so that two wait for no other.
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    made = set(_made(rows))
    due = {row.run_id for row in rows if row.message_id in made and _is_due(row)}
    for campaign in by_id.values():
        if runs[campaign.pk].pk in due:
            _enqueue(runs[campaign.pk], campaign)
    return len(made)


def _is_due(row: Delivery) -> bool:
    return row.status == Delivery.Status.QUEUED and row.due_at is None


def _made(rows: Iterable[Delivery]) -> Iterator[str]:
    # An insert that ignores conflicts does not tell which rows it made.
    ids = [row.message_id for row in rows]
    return Delivery.objects.filter(message_id__in=ids).values_list("message_id", flat=True).iterator()


def _row(campaign: Campaign, run: Run, recipient: Recipient, key: str, *, now: datetime, delay: timedelta) -> Delivery:
    person = planning.identify(recipient)
    domain = settings.message_id_domain or settings.sender(campaign.sender).domain
    return Delivery(
        run=run,
        campaign=campaign,
        event_key=key,
        recipient_key=recipient.key,
        address=person.address,
        address_hash=person.address_hash,
        language=planning.resolve_language(recipient.language, _languages(campaign, run)),
        status=Delivery.Status.QUEUED if person.address else Delivery.Status.SKIPPED,
        reason="" if person.address else Delivery.Reason.NO_ADDRESS,
        message_id=f"<{uuid4().hex}@{domain}>",
        created_at=now,
        due_at=now + delay if delay else None,
        finished_at=None if person.address else now,
    )


def _languages(campaign: Campaign, run: Run) -> list[str]:
    """Return the languages that the run can send, the source's first."""
    source: str = campaign.locale.language_code
    codes = (content.locale.language_code for content in run.contents.all())
    return [source, *(code for code in codes if code != source)]


def _enqueue(run: Run, campaign: Campaign) -> None:
    queues = settings.queues
    queue = queues.transactional if campaign.is_transactional else queues.bulk
    tasks.enqueue(tasks.send_batch, run.pk, queue=queue)
