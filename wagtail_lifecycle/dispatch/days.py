"""The runs of event campaigns: one for each local day, and a further one when the campaign is changed during it.

A run takes deliveries for as long as its day may last anywhere, so it is `sending` until then, also while nothing of it
is open. Writing to the run instead, for every delivery, would make each request wait for the one before.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.db.models.functions import Now

from wagtail_lifecycle.data_sources import Period
from wagtail_lifecycle.dispatch import editions
from wagtail_lifecycle.models import Campaign, Delivery, Run, RunContent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

logger = logging.getLogger(__name__)

#: The longest local day has 25 hours; a transaction that began in it gets one more to commit.
DAY: Final = timedelta(hours=26)
#: How far back finished runs are looked at for deliveries of a transaction that took even longer.
REACH: Final = timedelta(days=30)
#: How long a request waits for somebody else who makes the same run, in PostgreSQL's words.
PATIENCE: Final = "200ms"

ON_EVENT: Final = Q(campaign__trigger=Campaign.Trigger.EVENT)
#: Nothing goes while its campaign is unpublished or paused; a mail that waits too long for it expires.
HELD: Final = ON_EVENT & (Q(campaign__live=False) | Q(campaign__state__pause_reason__gt=""))


def lasting(now: datetime) -> Q:
    """Match runs that further deliveries may come to."""
    return ON_EVENT & Q(slot__gt=now - DAY)


def due_runs(campaign_id: int) -> list[int]:
    """Return the runs of an event campaign of which something is due."""
    rows = Delivery.objects.filter(Q(due_at=None) | Q(due_at__lte=Now()), run=OuterRef("pk"), status__in=Delivery.DUE)
    runs = Run.objects.filter(ON_EVENT, Exists(rows), campaign=campaign_id, status=Run.Status.SENDING)
    return list(runs.exclude(HELD).order_by("slot", "pk").values_list("pk", flat=True))


def reopen(now: datetime) -> int:
    """Open finished runs again that a delivery came to after all; answer how many."""
    rows = Delivery.objects.filter(run=OuterRef("pk"), status__in=Delivery.DUE)
    late = Run.objects.filter(ON_EVENT, Exists(rows), status=Run.Status.FINISHED, slot__gt=now - REACH)
    return late.update(status=Run.Status.SENDING, finished_at=None)


# -- The run that a new delivery belongs to --------------------------------------------------------------------


def runs_of_today(campaigns: Iterable[Campaign], now: datetime) -> dict[int, Run]:
    """Return the run of each campaign that takes deliveries now, made where there is none yet; by campaign id.

    The number of queries does not depend on the number of campaigns, unless runs have to be made.
    """
    campaigns = list(campaigns)
    live = _live_revisions(campaigns)
    newest = {run.campaign_id: run for run in _open_runs(campaigns, now)}
    current = (newest.get(campaign.pk) for campaign in campaigns)
    return {
        campaign.pk: run if run and _is_current(run, campaign, live, now) else _open(campaign, now)
        for campaign, run in zip(campaigns, current, strict=True)
    }


def _open_runs(campaigns: Iterable[Campaign], now: datetime) -> Iterable[Run]:
    contents = RunContent.objects.select_related("locale").order_by("pk")
    runs = Run.objects.filter(campaign__in=campaigns, status__in=Run.OPEN, slot__gt=now - DAY, slot__lte=now)
    return runs.prefetch_related(Prefetch("contents", contents)).order_by("slot", "pk")


def _live_revisions(campaigns: Iterable[Campaign]) -> Mapping[UUID, set[int | None]]:
    live: dict[UUID, set[int | None]] = {campaign.translation_key: set() for campaign in campaigns}
    rows = Campaign.objects.filter(translation_key__in=list(live), live=True)
    for key, revision in rows.values_list("translation_key", "live_revision"):
        live[key].add(revision)
    return live


def _is_current(run: Run, campaign: Campaign, live: Mapping[UUID, set[int | None]], now: datetime) -> bool:
    """Tell whether it is of today, and still sends what is live: an edit counts from the next event on."""
    pinned = {content.revision_id for content in run.contents.all()}
    return run.slot >= midnight(campaign, now) and pinned == live[campaign.translation_key]


def midnight(campaign: Campaign, now: datetime) -> datetime:
    """Return when the campaign's local day began."""
    today = now.astimezone(campaign.zone).date()
    return datetime.combine(today, time(), tzinfo=campaign.zone)


def _open(campaign: Campaign, now: datetime) -> Run:
    slot = midnight(campaign, now)
    if not Run.objects.filter(campaign=campaign, slot=slot).exists():
        try:
            with transaction.atomic(), _impatient():
                return _make(campaign, slot, now)
        except (IntegrityError, OperationalError):
            # Somebody makes it at this moment, perhaps in a transaction that takes its time: not a reason to wait.
            logger.info("a further run today", extra={"action": "event_run", "campaign_id": campaign.pk})
    return _make(campaign, now, now)


def _make(campaign: Campaign, slot: datetime, now: datetime) -> Run:
    period = Period.for_slot(campaign.period, slot)
    with transaction.atomic():
        run = Run.objects.create(
            campaign=campaign,
            slot=slot,
            status=Run.Status.SENDING,
            is_transactional=campaign.is_transactional,
            period_start=period.start,
            period_end=period.end,
            created_at=now,
            planned_at=now,
        )
        editions.pin(run, campaign)
    return run


@contextmanager
def _impatient() -> Iterator[None]:
    """Raise OperationalError rather than wait for another transaction, where the database can wait for rows."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), set_config('lock_timeout', %s, true)", [PATIENCE])
        [before, _now] = cursor.fetchone()
        yield
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [before])
