"""The beginning of a run: its content is pinned, its people are planned."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from wagtail_lifecycle import planning
from wagtail_lifecycle.audiences import get_audience
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.data_sources import Period
from wagtail_lifecycle.dispatch import clock, closing, editions
from wagtail_lifecycle.exceptions import LifecycleError
from wagtail_lifecycle.models import Campaign, Delivery, Run
from wagtail_lifecycle.models.lookups import Among

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from wagtail_lifecycle.audiences import AudiencePage
    from wagtail_lifecycle.planning import Decision, Person

logger = logging.getLogger(__name__)

#: People planned in one transaction.
CHUNK: Final = 500
#: Seconds of planning before somebody gets a mail: the first of a million must not wait for the last.
MOMENT: Final = 0.2


def open_run(campaign: Campaign, slot: datetime, now: datetime) -> Run:
    """Return the run of the campaign for the slot, begun if it was not; however often and by whomever it is called.

    Planning stops after a moment; the tasks that send go on with it, whenever nobody planned is left.
    """
    run = _get_or_create(campaign.source, slot, now)
    if run.status == Run.Status.PREPARING:
        plan(run, deadline=clock.elapsed() + MOMENT)
        run.refresh_from_db()
    return run


def skip_slots(campaign: Campaign, first: datetime, last: datetime, count: int, now: datetime) -> Run:
    """Write down, as one run, that `count` slots from `first` to `last` were missed."""
    run, _created = Run.objects.get_or_create(
        campaign=campaign.source,
        slot=last,
        defaults={
            "status": Run.Status.SKIPPED,
            "reason": Run.Reason.MISSED,
            "missed_from": first,
            "missed_count": count,
            "created_at": now,
            "finished_at": now,
        },
    )
    return run


def plan(run: Run, *, deadline: float) -> bool:
    """Plan everybody from the run's cursor on; answer False if somebody has to go on with it.

    A campaign that cannot be planned breaks the run.
    """
    try:
        done = _plan(run, deadline)
    except LifecycleError as error:
        logger.warning("The run cannot be planned: %s", error, extra={"action": "run_broken", "run_id": run.pk})
        closing.break_run(run.pk)
        return True
    if done:
        _start_sending(run)
    return done


def _get_or_create(campaign: Campaign, slot: datetime, now: datetime) -> Run:
    # One transaction: a run without its content could never be sent.
    with transaction.atomic():
        period = Period.for_slot(campaign.period, slot)
        run, created = Run.objects.get_or_create(
            campaign=campaign,
            slot=slot,
            defaults={
                "created_at": now,
                "period_start": period.start,
                "period_end": period.end,
                "is_transactional": campaign.is_transactional,
            },
        )
        if created:
            editions.pin(run, campaign)
    return run


def _plan(run: Run, deadline: float) -> bool:
    source = editions.source_of(run)
    planner = Planner(run, source)
    # The audience as it was when the run began, also for those who are planned after a crash.
    for page in get_audience(source.audience).pages(run.created_at, run.plan_cursor, CHUNK):
        if not planner.write(page):
            return False
        if clock.elapsed() > deadline:
            return False
    return True


class Planner:
    """Turns pages of an audience into deliveries of one run."""

    def __init__(self, run: Run, source: Campaign) -> None:
        self.run = run
        self.topic_id = source.topic_id
        self.languages = editions.languages_of(run)
        self.domain = settings.message_id_domain or settings.sender(source.sender).domain

    def write(self, page: AudiencePage) -> bool:
        """Write the rows of one page and where to go on; answer False if another planner was faster."""
        with transaction.atomic():
            # This update also locks the run, so that two planners take turns.
            here = Run.objects.filter(pk=self.run.pk, status=Run.Status.PREPARING, plan_cursor=self.run.plan_cursor)
            if not here.update(plan_cursor=page.cursor):
                return False
            people = planning.people_of(page.recipients)
            decisions = planning.decide(people, topic_id=self.topic_id, planned=self._planned(people))
            # One order for everybody, so that no two inserts wait for each other for ever.
            rows = sorted(map(self._row, decisions), key=lambda row: row.address_hash)
            Delivery.objects.bulk_create(rows, ignore_conflicts=True)
        self.run.plan_cursor = page.cursor
        return True

    def _planned(self, people: Sequence[Person]) -> dict[str, str]:
        hashes = [person.address_hash for person in people]
        rows = Delivery.objects.filter(Among(F("address_hash"), hashes), run=self.run)
        return dict(rows.values_list("address_hash", "recipient_key"))

    def _row(self, decision: Decision) -> Delivery:
        person, now = decision.person, timezone.now()
        return Delivery(
            run=self.run,
            recipient_key=person.recipient.key,
            address=person.address,
            address_hash=person.address_hash,
            language=planning.resolve_language(person.recipient.language, self.languages),
            status=Delivery.Status.SKIPPED if decision.reason else Delivery.Status.QUEUED,
            reason=decision.reason,
            message_id=f"<{uuid4().hex}@{self.domain}>",
            created_at=now,
            finished_at=now if decision.reason else None,
        )


def _start_sending(run: Run) -> None:
    preparing = Run.objects.filter(pk=run.pk, status=Run.Status.PREPARING)
    preparing.update(status=Run.Status.SENDING, planned_at=timezone.now())
    closing.close_run(run.pk)
