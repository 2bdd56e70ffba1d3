"""What the pre-flight asks of the schedule and the machinery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_celery_beat.models import PeriodicTask

from wagtail_lifecycle import schedules
from wagtail_lifecycle.exceptions import InvalidSchedule
from wagtail_lifecycle.models import Heartbeat
from wagtail_lifecycle.models.problems import Problem
from wagtail_lifecycle.preflight.flights import Circumstances
from wagtail_lifecycle.schedules.system import RECOVER

if TYPE_CHECKING:
    from datetime import datetime

    from wagtail_lifecycle.models import Campaign


def circumstances_of(campaign: Campaign, now: datetime) -> Circumstances:
    """Return when `campaign`, saved or not, goes, and when beat and workers were last seen."""
    return Circumstances(
        schedule_problem=_problem(campaign, now),
        next_slot=None if campaign.is_on_event else next(iter(schedules.next_slots(campaign, now, 1)), None),
        beat_seen=PeriodicTask.objects.filter(name=RECOVER).values_list("last_run_at", flat=True).first(),
        worker_seen=Heartbeat.objects.filter(name=RECOVER).values_list("seen_at", flat=True).first(),
    )


def beat_heart(now: datetime) -> None:
    """Write down that what beat asks for every minute was done."""
    if not Heartbeat.objects.filter(name=RECOVER).update(seen_at=now):
        Heartbeat.objects.get_or_create(name=RECOVER, defaults={"seen_at": now})


def _problem(campaign: Campaign, now: datetime) -> Problem | None:
    try:
        schedules.check(campaign, now)
    except InvalidSchedule as error:
        return Problem(error.field, str(error))
    return None
