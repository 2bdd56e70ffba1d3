"""A schedule as a row of django-celery-beat, which wakes us up at or soon after every slot."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings as django_settings
from django.utils import translation
from django.utils.translation import gettext as _
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.models.campaigns import LAST_DAY
from wagtail_lifecycle.schedules.slots import (
    ON_EVENT,
    REACH,
    STEPS,
    Schedule,
    latest,
    upcoming,
)
from wagtail_lifecycle.schedules.words import SURE_DAY, sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wagtail_lifecycle.models import Campaign

PREFIX: Final = "wagtail_lifecycle.campaign."
KINDS: Final = {"crontab": CrontabSchedule, "interval": IntervalSchedule, "clocked": ClockedSchedule}
#: Another tick, or `recover` within a minute, does what an expired one would have done.
TICK_EXPIRES: Final = 300
#: How often what has come due of an event campaign is released. What is due at once does not wait for it.
RELEASE_MINUTES: Final = 5
HOUR, DAY = 60, 24 * 60
LONG_AGO: Final = datetime(1900, 1, 1, tzinfo=UTC)
#: More than the clocks of two machines ever differ: whoever wrote such a time had a clock that was wrong.
AHEAD: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Row:
    """A schedule row of beat: which table, and what stands in it."""

    kind: str
    values: Mapping[str, Any]

    def matches(self, task: Any) -> bool:
        """Tell whether `task` has exactly this schedule."""
        own = getattr(task, self.kind)
        others = (getattr(task, f"{kind}_id") for kind in (*KINDS, "solar") if kind != self.kind)
        return own is not None and not any(others) and self.equals(own)

    def equals(self, row: Any) -> bool:
        return all(str(getattr(row, name)) == str(value) for name, value in self.values.items())


def row_for(schedule: Schedule) -> Row:
    """Return the row that fires at each slot, or at least as often."""
    if schedule.frequency == ON_EVENT:
        return Row("interval", {"every": RELEASE_MINUTES, "period": IntervalSchedule.MINUTES})
    if schedule.frequency in STEPS:
        return _row_of_steps(schedule)
    if schedule.frequency in REACH:
        return _crontab(schedule.zone.key, **_days_of(schedule), **_time_of(schedule))
    # Once and now: a slot before the last change is none, but the row still says when it was.
    (slot,) = upcoming(schedule, LONG_AGO, 1)
    return Row("clocked", {"clocked_time": slot})


def _crontab(zone: str, **fields: object) -> Row:
    every = dict.fromkeys(["minute", "hour", "day_of_week", "day_of_month", "month_of_year"], "*")
    return Row("crontab", every | {name: str(value) for name, value in fields.items()} | {"timezone": zone})


def _time_of(schedule: Schedule) -> dict[str, int]:
    assert schedule.time_of_day is not None  # noqa: S101 - `Schedule.check` saw to it
    return {"minute": schedule.time_of_day.minute, "hour": schedule.time_of_day.hour}


def _days_of(schedule: Schedule) -> dict[str, object]:
    if schedule.frequency == "weekdays":
        return {"day_of_week": "1-5"}
    if schedule.frequency == "weekly":
        # Cron's week begins on Sunday.
        return {"day_of_week": (schedule.weekday + 1) % 7}
    if schedule.frequency == "monthly":
        return {"day_of_month": _month_days(schedule.month_day)}
    return {}


def _month_days(day: int) -> str:
    # Beat passes over a day 31 in short months, so it wakes us on every day that may be the last.
    last = 31 if day == LAST_DAY else day
    return str(last) if last <= SURE_DAY else f"{SURE_DAY}-{last}"


def _row_of_steps(schedule: Schedule) -> Row:
    minutes = int(schedule.step.total_seconds()) // 60
    first = schedule.anchor.hour * HOUR + schedule.anchor.minute
    if HOUR % minutes == 0:
        return _crontab("UTC", minute=_list(range(first % minutes, HOUR, minutes)))
    if minutes % HOUR == 0 and DAY % minutes == 0:
        hours = range(first % minutes // HOUR, 24, minutes // HOUR)
        return _crontab("UTC", minute=first % HOUR, hour=_list(hours))
    return Row("interval", {"every": schedule.every, "period": schedule.frequency})


def _list(values: range) -> str:
    return ",".join(map(str, values))


@dataclass(frozen=True)
class Wanted:
    """What the periodic task of a campaign should be."""

    row: Row
    fields: Mapping[str, Any]

    def matches(self, task: Any) -> bool:
        return self.row.matches(task) and all(getattr(task, name) == value for name, value in self.fields.items())


def wanted_for(campaign: Campaign, schedule: Schedule, *, paused: bool, task: Any, now: datetime) -> Wanted:
    row = row_for(schedule)
    fields = {
        "task": "wagtail_lifecycle.tick",
        "args": json.dumps([campaign.pk]),
        "kwargs": "{}",
        "queue": queue_of(campaign),
        "expires": None,
        "expire_seconds": TICK_EXPIRES,
        "one_off": row.kind == "clocked",
        "start_time": None,
        "enabled": not paused and _awaits(row, task, now),
        "description": description(campaign.name, schedule),
    }
    return Wanted(row, fields)


def queue_of(campaign: Campaign) -> str | None:
    """Return the queue of the campaign's tasks. Raises Misconfigured where the setting is wrong."""
    queues = settings.queues
    return (queues.transactional if campaign.is_transactional else queues.bulk) or None


def _awaits(row: Row, task: Any, now: datetime) -> bool:
    if row.kind != "clocked" or row.values["clocked_time"] > now:
        return True
    # Beat switches a fired one-off task off by itself; one that beat has still to fire stays on.
    return bool(task and task.enabled and row.matches(task))


def description(name: str, schedule: Schedule) -> str:
    # In one language whoever publishes, or each of them would rewrite the row.
    with translation.override(django_settings.LANGUAGE_CODE):
        return _(
            "%(campaign)s. %(sentence)s. Kept in step with the campaign: change its schedule there. "
            "Disabling this task pauses the campaign."
        ) % {"campaign": name, "sentence": sentence(schedule)}


def last_run_for(schedule: Schedule, row: Row, now: datetime) -> datetime:
    """Return the `last_run_at` from which beat does not fire at once, and then at the next slot."""
    aligned = latest(schedule, now) if row.kind == "interval" else None
    return aligned or now


# -- Writing: only by save() and delete(), because beat learns of nothing else ------------------------------


def task_name(campaign_id: int) -> str:
    return f"{PREFIX}{campaign_id}"


def find_task(name: str) -> Any:
    """Return the periodic task called `name` with its schedule, or None; one query."""
    return PeriodicTask.objects.select_related(*KINDS, "solar").filter(name=name).first()


def campaign_tasks(ids: Iterable[int] | None = None) -> dict[int, Any]:
    """Return the periodic tasks of campaigns, or of these, by campaign id; one query."""
    tasks = PeriodicTask.objects.select_related(*KINDS, "solar").filter(name__startswith=PREFIX)
    if ids is not None:
        tasks = tasks.filter(name__in=[task_name(pk) for pk in ids])
    numbered = ((task.name.removeprefix(PREFIX), task) for task in tasks)
    return {int(number): task for number, task in numbered if number.isdecimal()}


def is_ahead(written: datetime | None, now: datetime) -> bool:
    """Tell whether a time that should have passed lies ahead: beat, or a schedule, would wait for it in silence."""
    return written is not None and written > now + AHEAD


def has_fired(task: Any) -> bool:
    """Tell whether beat has switched off a one-off task after it fired, which is no person's doing."""
    return bool(task.one_off and task.clocked and task.date_changed >= task.clocked.clocked_time)


def write(name: str, wanted: Wanted, *, task: Any, restart: bool, last_run_at: datetime) -> None:
    """Create the periodic task, or make it match; no statement where it already does.

    `restart` lets beat count from `last_run_at`; a new or moved schedule always does.
    """
    moved = task is None or not wanted.row.matches(task)
    if not moved and not restart and wanted.matches(task):
        return
    if task is not None and wanted.row.kind == "clocked" and (moved or restart):
        # Stock beat never fires a one-off task again whose time was edited.
        delete(task)
        task = None
    task = task or PeriodicTask(name=name)
    if moved or restart:
        task.last_run_at = last_run_at
    _save_task(task, wanted)


def _save_task(task: Any, wanted: Wanted) -> None:
    before = _schedule_row(task)
    for kind in (*KINDS, "solar"):
        setattr(task, kind, _save_row(wanted.row, task) if kind == wanted.row.kind else None)
    for field, value in wanted.fields.items():
        setattr(task, field, value)
    task.save()
    if before is not None and before != _schedule_row(task):
        _delete_row(before)


def switch_off(task: Any) -> None:
    if task is not None and task.enabled:
        task.enabled = False
        task.save()


def delete(task: Any) -> None:
    row = _schedule_row(task)
    task.delete()
    if row is not None:
        _delete_row(row)


def _schedule_row(task: Any) -> Any:
    return task.crontab or task.interval or task.clocked or task.solar


def _save_row(row: Row, task: Any) -> Any:
    own = getattr(task, row.kind)
    if own is not None and row.equals(own):
        return own
    if own is None or _is_shared(own, beside=task):
        own = KINDS[row.kind]()
    for name, value in row.values.items():
        setattr(own, name, value)
    own.save()
    return own


def _delete_row(row: Any) -> None:
    # Deleting a schedule row deletes every task on it, so only one goes that nobody has; solar is never ours.
    if type(row) in KINDS.values() and not _is_shared(row):
        row.delete()


def _is_shared(row: Any, *, beside: Any = None) -> bool:
    tasks = row.periodictask_set.all()
    return bool((tasks.exclude(pk=beside.pk) if beside is not None else tasks).exists())
