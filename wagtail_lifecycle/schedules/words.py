"""Schedules in the words of the editor."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from wagtail_lifecycle import registry
from wagtail_lifecycle.exceptions import UnknownName
from wagtail_lifecycle.models.campaigns import LAST_DAY
from wagtail_lifecycle.schedules.slots import ON_EVENT, REACH, STEPS, Schedule, slots_between

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.utils.functional import Promise

    from wagtail_lifecycle.events import Event

#: Every month has this day.
SURE_DAY: Final = 28
#: How far ahead clock changes are looked for, and how many are told.
FORESIGHT: Final = timedelta(days=366)
MOST: Final = 2

SENTENCES: Final = {
    "daily": gettext_lazy("Every day at %(time)s (%(zone)s)"),
    "weekdays": gettext_lazy("Every weekday, Monday to Friday, at %(time)s (%(zone)s)"),
    "once": gettext_lazy("Once, on %(date)s at %(time)s (%(zone)s)"),
    "now": gettext_lazy("Once, a minute after publishing"),
}
ON_WEEKDAY: Final = (
    gettext_lazy("Every Monday at %(time)s (%(zone)s)"),
    gettext_lazy("Every Tuesday at %(time)s (%(zone)s)"),
    gettext_lazy("Every Wednesday at %(time)s (%(zone)s)"),
    gettext_lazy("Every Thursday at %(time)s (%(zone)s)"),
    gettext_lazy("Every Friday at %(time)s (%(zone)s)"),
    gettext_lazy("Every Saturday at %(time)s (%(zone)s)"),
    gettext_lazy("Every Sunday at %(time)s (%(zone)s)"),
)
# Spelled out one by one: every language makes its ordinals in its own way.
ORDINALS: Final[tuple[Promise, ...]] = (
    pgettext_lazy("day of the month", "1st"),
    pgettext_lazy("day of the month", "2nd"),
    pgettext_lazy("day of the month", "3rd"),
    pgettext_lazy("day of the month", "4th"),
    pgettext_lazy("day of the month", "5th"),
    pgettext_lazy("day of the month", "6th"),
    pgettext_lazy("day of the month", "7th"),
    pgettext_lazy("day of the month", "8th"),
    pgettext_lazy("day of the month", "9th"),
    pgettext_lazy("day of the month", "10th"),
    pgettext_lazy("day of the month", "11th"),
    pgettext_lazy("day of the month", "12th"),
    pgettext_lazy("day of the month", "13th"),
    pgettext_lazy("day of the month", "14th"),
    pgettext_lazy("day of the month", "15th"),
    pgettext_lazy("day of the month", "16th"),
    pgettext_lazy("day of the month", "17th"),
    pgettext_lazy("day of the month", "18th"),
    pgettext_lazy("day of the month", "19th"),
    pgettext_lazy("day of the month", "20th"),
    pgettext_lazy("day of the month", "21st"),
    pgettext_lazy("day of the month", "22nd"),
    pgettext_lazy("day of the month", "23rd"),
    pgettext_lazy("day of the month", "24th"),
    pgettext_lazy("day of the month", "25th"),
    pgettext_lazy("day of the month", "26th"),
    pgettext_lazy("day of the month", "27th"),
    pgettext_lazy("day of the month", "28th"),
    pgettext_lazy("day of the month", "29th"),
    pgettext_lazy("day of the month", "30th"),
    pgettext_lazy("day of the month", "31st"),
)


def sentence(schedule: Schedule) -> str:
    """Return when it goes, as a sentence without its full stop."""
    if schedule.frequency == ON_EVENT:
        return _on_event(schedule)
    return _wording(schedule) % {
        "count": schedule.every,
        "time": _clock(schedule),
        "zone": schedule.zone.key,
        "day": ORDINALS[schedule.month_day - 1] if schedule.month_day != LAST_DAY else "",
        "date": _day(schedule.day) if schedule.day else "",
    }


def _on_event(schedule: Schedule) -> str:
    try:
        event: type[Event] = registry.events.get(schedule.event)
    except UnknownName:
        # What is wrong with it, `problems_of` says.
        return _("On an event")
    return event.sentence(duration(schedule.delay))


def duration(delay: timedelta) -> str:
    """Return `delay` in words, such as "1 day 2 hours"; empty for none."""
    minutes, seconds = divmod(round(delay.total_seconds()), 60)
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        (days, ngettext("%(count)d day", "%(count)d days", days)),
        (hours, ngettext("%(count)d hour", "%(count)d hours", hours)),
        (minutes, ngettext("%(count)d minute", "%(count)d minutes", minutes)),
        (seconds, ngettext("%(count)d second", "%(count)d seconds", seconds)),
    ]
    return " ".join(words % {"count": count} for count, words in parts if count)


def _wording(schedule: Schedule) -> str:
    if schedule.frequency == "minutes":
        return ngettext("Every minute", "Every %(count)d minutes", schedule.every)
    if schedule.frequency == "hours":
        return ngettext("Every hour (%(zone)s)", "Every %(count)d hours (%(zone)s)", schedule.every)
    if schedule.frequency == "weekly":
        return str(ON_WEEKDAY[schedule.weekday])
    if schedule.frequency == "monthly":
        return _monthly(schedule)
    return str(SENTENCES[schedule.frequency])


def _monthly(schedule: Schedule) -> str:
    if schedule.month_day == LAST_DAY:
        return _("On the last day of each month at %(time)s (%(zone)s)")
    return _("On the %(day)s of each month at %(time)s (%(zone)s)")


def _clock(schedule: Schedule) -> str:
    return f"{schedule.time_of_day:%H:%M}" if schedule.time_of_day else ""


def _day(day: date) -> str:
    # The formats of some languages shorten the month, which reads badly within a sentence.
    return formats.date_format(day, pgettext("format of a date in a sentence, see Django's date filter", "j F Y"))


def notes_on(schedule: Schedule, now: datetime) -> list[str]:
    """Return what may surprise: short months and clock changes within a year."""
    return [*_month_notes(schedule), *islice(_clock_notes(schedule, now), MOST)]


def _month_notes(schedule: Schedule) -> Iterator[str]:
    if schedule.frequency == "monthly" and schedule.month_day > SURE_DAY:
        yield _("In months without a %(day)s it goes on the last day.") % {"day": ORDINALS[schedule.month_day - 1]}


def _clock_notes(schedule: Schedule, now: datetime) -> Iterator[str]:
    if schedule.frequency in STEPS:
        yield from _real_hours_note(schedule, now)
    if schedule.frequency not in {*REACH, "once"}:
        return
    for slot in slots_between(schedule, now, None if schedule.frequency == "once" else now + FORESIGHT):
        local = slot.astimezone(schedule.zone)
        if local.time() != schedule.time_of_day:
            yield _("On %(date)s the clocks go forward at that time: it goes at %(time)s.") % {
                "date": _day(local.date()),
                "time": f"{local:%H:%M}",
            }
        elif local.utcoffset() != local.replace(fold=1).utcoffset():
            yield _("On %(date)s the clocks go back and show %(time)s twice: it goes the first time.") % {
                "date": _day(local.date()),
                "time": f"{local:%H:%M}",
            }


def _real_hours_note(schedule: Schedule, now: datetime) -> Iterator[str]:
    local = now.astimezone(schedule.zone)
    offsets = {(local + timedelta(days=days)).utcoffset() for days in range(0, 366, 7)}
    if schedule.step > STEPS["hours"] and len(offsets) > 1:
        yield _("Real hours are counted: when the clocks change, the time on the clock moves with them.")
