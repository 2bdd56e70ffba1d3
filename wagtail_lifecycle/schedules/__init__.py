"""When campaigns go: their slots, in words, and the one periodic task that each of them is.

`Campaign` rows are read here, at the edge; `slots` computes on a frozen `Schedule`. What is shown never
raises: an incomplete schedule has no slots and says what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wagtail_lifecycle.exceptions import InvalidSchedule
from wagtail_lifecycle.models import CampaignState
from wagtail_lifecycle.schedules import slots, words
from wagtail_lifecycle.schedules.beat import campaign_tasks, find_task, task_name
from wagtail_lifecycle.schedules.due import Pending, advance, last_runs, pending
from wagtail_lifecycle.schedules.slots import Schedule, Span
from wagtail_lifecycle.schedules.syncing import check_with, in_step, pause, resume, sync, was_disabled
from wagtail_lifecycle.schedules.system import sync_system_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from wagtail_lifecycle.models import Campaign

__all__ = [
    "Pending",
    "Schedule",
    "Span",
    "advance",
    "campaign_tasks",
    "check",
    "describe",
    "due_slot",
    "in_step",
    "last_runs",
    "latest_slot",
    "missed_slots",
    "next_slots",
    "notes",
    "pause",
    "pending",
    "resume",
    "slots_between",
    "sync",
    "sync_system_tasks",
    "task_name",
]


def check(campaign: Campaign, now: datetime) -> None:
    """Raise InvalidSchedule, with the field at fault, where `campaign` would never go."""
    check_with(campaign, _state_of(campaign), now)


def describe(campaign: Campaign) -> str:
    """Return when `campaign` goes, as a sentence without its full stop; or what is missing."""
    try:
        return words.sentence(Schedule.of(campaign))
    except InvalidSchedule as error:
        return str(error)


def notes(campaign: Campaign, now: datetime) -> list[str]:
    """Return sentences on what may surprise: short months and clock changes within a year."""
    schedule = _shown(campaign, now)
    return words.notes_on(schedule, now) if schedule else []


def next_slots(campaign: Campaign, now: datetime, count: int = 5) -> list[datetime]:
    """Return the next slots, in UTC, of a campaign saved or not: the very ones that will run."""
    schedule = _shown(campaign, now)
    return slots.upcoming(schedule, now, count) if schedule else []


def slots_between(campaign: Campaign, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the slots after `after` and not after `until`, in UTC."""
    schedule = _shown(campaign, after)
    return slots.slots_between(schedule, after, until) if schedule else iter([])


def latest_slot(campaign: Campaign, now: datetime, changed_at: datetime) -> datetime | None:
    """Return the newest slot at or before `now` and not before `changed_at`."""
    slot = slots.latest(Schedule.of(campaign, changed_at=changed_at), now)
    return slot if slot and slot >= changed_at else None


def due_slot(campaign: Campaign, state: CampaignState, now: datetime) -> datetime | None:
    """Return the slot of which the run is to be opened now, or None."""
    return _pending(campaign, state, now).due


def missed_slots(campaign: Campaign, state: CampaignState, now: datetime) -> Span | None:
    """Return first, last and number of the slots that passed without a run and will never have one."""
    return _pending(campaign, state, now).missed


def _pending(campaign: Campaign, state: CampaignState, now: datetime) -> Pending:
    task = find_task(task_name(campaign.pk))
    if task is not None and was_disabled(state, task):
        return Pending()
    last_run = last_runs([campaign.pk], now).get(campaign.pk)
    return pending(campaign, state, now=now, last_run=last_run)


def _shown(campaign: Campaign, now: datetime) -> Schedule | None:
    try:
        schedule = Schedule.of(campaign, changed_at=now)
    except InvalidSchedule:
        return None
    if schedule.frequency != "now":
        return schedule
    state = _state_of(campaign)
    running = state is not None and state.fingerprint == schedule.fingerprint
    # Publishing a "now" that is over starts nothing: it has no next slot.
    return Schedule.of(campaign, changed_at=state.changed_at) if state and running else schedule


def _state_of(campaign: Campaign) -> CampaignState | None:
    return CampaignState.objects.filter(campaign=campaign.pk).first() if campaign.pk else None
