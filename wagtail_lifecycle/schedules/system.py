"""The periodic tasks of the package itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings as django_settings
from django.db import connections, router, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.schedules import beat

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


@dataclass(frozen=True)
class SystemTask:
    name: str
    #: seconds between two; a function, because settings are read on access
    every: Callable[[], int]
    description: Any


#: What tells that beat and a worker, or cron, are there.
RECOVER: Final = "wagtail_lifecycle.recover"
SYSTEM_TASKS: Final = (
    SystemTask(
        RECOVER,
        every=lambda: max(1, settings.recover_seconds),
        description=_("Takes up what a crash or a lost message left behind, and slots that nobody woke us for."),
    ),
    SystemTask(
        "wagtail_lifecycle.flush_page_views",
        every=lambda: 10,
        description=_("Moves the page views counted meanwhile into the database."),
    ),
    SystemTask(
        "wagtail_lifecycle.publish_scheduled",
        every=lambda: 60,
        description=_("Publishes and unpublishes what editors scheduled in Wagtail."),
    ),
)


def sync_system_tasks(using: str | None = None, now: datetime | None = None) -> None:
    """Create the package's own periodic tasks and let them follow the settings.

    A person's own interval, other schedule or disabling stays as it is.
    """
    alias = using or router.db_for_write(PeriodicTask)
    if PeriodicTask._meta.db_table not in connections[alias].introspection.table_names():
        return
    with transaction.atomic(using=alias):
        tasks = PeriodicTask.objects.using(alias).select_related("interval")
        tasks = tasks.in_bulk([t.name for t in SYSTEM_TASKS], field_name="name")
        for wanted in SYSTEM_TASKS:
            _keep(wanted, tasks.get(wanted.name), alias, now or timezone.now())


def _keep(wanted: SystemTask, task: Any, alias: str, now: datetime) -> None:
    # Both before the fields are written: they tell what we chose the last time.
    follows = task is None or _has_our_interval(task)
    task = task or PeriodicTask(name=wanted.name)
    values = _fields(wanted) | _healed(task, now)
    changed = any(getattr(task, name) != value for name, value in values.items())
    for name, value in values.items():
        setattr(task, name, value)
    before = task.interval
    if follows and (before is None or _seconds(before) != wanted.every()):
        task.interval = _interval(wanted.every())
        task.interval.save(using=alias)
        changed = True
    if changed:
        task.save(using=alias)
    # A row of beat's takes its tasks with it when it goes.
    if before is not None and before != task.interval and not before.periodictask_set.exists():
        before.delete()


def _fields(wanted: SystemTask) -> dict[str, Any]:
    with translation.override(django_settings.LANGUAGE_CODE):
        return {
            "task": wanted.name,
            "args": "[]",
            "kwargs": "{}",
            # Short, and waited for: they go before the bulk mail.
            "queue": settings.queues.transactional or None,
            # The next one comes anyway, so a day without workers does not pile them up.
            "expire_seconds": wanted.every(),
            "description": str(wanted.description),
        }


def _has_our_interval(task: Any) -> bool:
    """Tell whether nobody changed the interval: we let a message expire when the next one comes."""
    return task.interval is not None and _seconds(task.interval) == task.expire_seconds


def _interval(seconds: int) -> Any:
    # As people say it, for beat's admin.
    minutes, rest = divmod(seconds, 60)
    if rest:
        return IntervalSchedule(every=seconds, period=IntervalSchedule.SECONDS)
    return IntervalSchedule(every=minutes, period=IntervalSchedule.MINUTES)


def _seconds(interval: Any) -> float:
    return float(interval.schedule.run_every.total_seconds())


def _healed(task: Any, now: datetime) -> dict[str, Any]:
    return {"last_run_at": now} if beat.is_ahead(task.last_run_at, now) else {}
