"""When a campaign is due: slots as a pure function of a schedule. No database, no beat, no clock."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, available_timezones

from django.utils.translation import gettext as _

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.exceptions import InvalidSchedule
from wagtail_lifecycle.models.campaigns import LAST_DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wagtail_lifecycle.models import Campaign

#: What "every" may be: minutes of a day, and as many hours.
FEWEST: Final = 1
MOST: Final = 1440
LIMITS: Final = {"fewest": FEWEST, "most": MOST}
#: Of "once": far from the ends of datetime.
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 8999
SATURDAY: Final = 5
#: Minutes and hours are counted from local midnight of this day, so that a restart does not move them.
ANCHOR: Final = date(2024, 1, 1)
#: "Now" leaves an editor a minute to change their mind.
NOTICE: Final = timedelta(minutes=1)
#: The most a local clock was ever moved at once (Samoa skipped a day), and then some.
MARGIN: Final = timedelta(days=2)

#: The frequency of what has no slots, because it waits for an event.
ON_EVENT: Final = "event"
STEPS: Final = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1)}
#: Longest way back to the slot before.
REACH: Final = {
    "daily": timedelta(days=1),
    "weekdays": timedelta(days=3),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=31),
}


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The schedule of a campaign, checked and complete."""

    #: a value of Campaign.Frequency
    frequency: str
    zone: ZoneInfo
    #: how many minutes or hours
    every: int = 1
    time_of_day: time | None = None
    #: Monday is 0
    weekday: int = 0
    #: 1 to 31, or LAST_DAY
    month_day: int = 1
    #: the day of "once"
    day: date | None = None
    #: what "event" waits for, and how long after it the mail goes
    event: str = ""
    delay: timedelta = timedelta(0)
    #: last change, activation or resume; "now" counts from it
    changed_at: datetime | None = None

    @classmethod
    def of(cls, campaign: Campaign, *, changed_at: datetime | None = None) -> Schedule:
        """Return the schedule in the fields of `campaign`, saved or not. Raises InvalidSchedule."""
        if campaign.is_on_event:
            return cls._of_event(campaign)
        schedule = cls(
            frequency=campaign.frequency,
            zone=zone_of(campaign),
            every=campaign.every,
            time_of_day=campaign.time_of_day and campaign.time_of_day.replace(second=0, microsecond=0),
            weekday=campaign.weekday,
            month_day=campaign.month_day,
            day=campaign.date,
            changed_at=changed_at,
        )
        schedule.check()
        return schedule

    @classmethod
    def _of_event(cls, campaign: Campaign) -> Schedule:
        delay = campaign.delay or timedelta(0)
        if delay < timedelta(0):
            raise InvalidSchedule(_("A mail cannot go before its event: give a delay of zero or more."), field="delay")
        return cls(frequency=ON_EVENT, zone=zone_of(campaign), event=campaign.event, delay=delay)

    @property
    def step(self) -> timedelta:
        return self.every * STEPS[self.frequency]

    @property
    def anchor(self) -> datetime:
        return instant(ANCHOR, time(), self.zone)

    @property
    def fingerprint(self) -> str:
        """What the schedule says, without the fields that do not matter to its frequency."""
        told = [self.frequency, *_details(self)]
        return " ".join([*told, self.zone.key] if self.frequency != "now" else told)

    def check(self) -> None:
        """Raise InvalidSchedule with the field at fault, unless the slots can be computed."""
        if self.frequency not in {*STEPS, *REACH, "once", "now"}:
            raise InvalidSchedule(
                _("“%(given)s” is not a way to repeat: choose when the campaign goes.") % {"given": self.frequency},
                field="frequency",
            )
        if self.frequency in STEPS:
            _check_every(self.every)
        if self.frequency in {*REACH, "once"} and self.time_of_day is None:
            raise InvalidSchedule(_("The time of day is missing: say at what time it goes."), field="time_of_day")
        if self.frequency == "weekly" and self.weekday not in range(7):
            raise InvalidSchedule(_("Choose a day of the week, Monday to Sunday."), field="weekday")
        if self.frequency == "monthly" and self.month_day not in {LAST_DAY, *range(1, 32)}:
            raise InvalidSchedule(_("Choose a day of the month, 1 to 31 or the last day."), field="month_day")
        if self.frequency == "once":
            _check_date(self)


def zone_of(campaign: Campaign) -> ZoneInfo:
    if not campaign.time_zone:
        return settings.time_zone
    if campaign.time_zone not in _known_zones():
        raise InvalidSchedule(
            _("“%(given)s” is not a time zone: choose one like “Europe/Paris”, or none for the site's own.")
            % {"given": campaign.time_zone},
            field="time_zone",
        )
    return ZoneInfo(campaign.time_zone)


@cache
def _known_zones() -> frozenset[str]:
    # Reading the names walks through the zone files; they do not change while a process runs.
    return frozenset(available_timezones())


def _check_every(every: int | None) -> None:
    if every is None or not FEWEST <= every <= MOST:
        raise InvalidSchedule(fault_of_every(every), field="every")


def fault_of_every(given: object) -> str:
    """Return why `given`, which is no number of minutes or hours from FEWEST to MOST, cannot be taken."""
    if given is None or given == "":
        return _("The number is missing: say how many lie between two mails, from %(fewest)d to %(most)d.") % LIMITS
    return _("“%(given)s” is not a number from %(fewest)d to %(most)d: say how many lie between two mails.") % {
        "given": given,
        **LIMITS,
    }


def _check_date(schedule: Schedule) -> None:
    if schedule.day is None:
        raise InvalidSchedule(_("The date is missing: say on which day it goes."), field="date")
    if schedule.day.year < FIRST_YEAR:
        raise InvalidSchedule(_("That moment has passed: choose a date and time in the future."), field="date")
    if schedule.day.year > LAST_YEAR:
        raise InvalidSchedule(
            _("The year %(year)d is out of reach: choose a date up to the year %(last)d.")
            % {"year": schedule.day.year, "last": LAST_YEAR},
            field="date",
        )


def _details(schedule: Schedule) -> Iterator[str]:
    if schedule.frequency == ON_EVENT:
        yield from [schedule.event, f"{schedule.delay.total_seconds():.0f}"]
    if schedule.frequency in STEPS:
        yield str(schedule.every)
    if schedule.frequency == "weekly":
        yield f"day {schedule.weekday}"
    if schedule.frequency == "monthly":
        yield f"day {schedule.month_day}"
    if schedule.frequency == "once":
        yield str(schedule.day)
    if schedule.time_of_day and schedule.frequency in {*REACH, "once"}:
        yield f"{schedule.time_of_day:%H:%M}"


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return when a clock in `zone` shows `at` on `day`: first of two, as much later as a gap is long."""
    # PEP 495: fold=0 takes the offset before the change, which is both.
    return datetime.combine(day, at.replace(fold=0), tzinfo=zone).astimezone(UTC)


def last_day_of(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


# -- The slots of each kind of schedule: after < slot <= until, None for no end ------------------------------


def slots_between(schedule: Schedule, after: datetime, until: datetime | None) -> Iterator[datetime]:
    """Yield the slots after `after` and not after `until`, earlier first, in UTC."""
    after = after.astimezone(UTC)
    for slot in _from(schedule, after):
        if until is not None and slot > until:
            return
        # A day that a zone skipped altogether comes down on the next one's slot.
        if slot > after:
            after = slot
            yield slot


def upcoming(schedule: Schedule, now: datetime, count: int) -> list[datetime]:
    return list(islice(slots_between(schedule, now, None), count))


def latest(schedule: Schedule, now: datetime) -> datetime | None:
    """Return the newest slot at or before `now`."""
    span = span_between(schedule, now - _reach(schedule), now)
    return span.last if span else None


@dataclass(frozen=True)
class Span:
    """Slots in a row."""

    first: datetime
    last: datetime
    count: int


def span_between(schedule: Schedule, after: datetime, until: datetime) -> Span | None:
    """Return first, last and number of the slots after `after` and not after `until`, or None."""
    if schedule.frequency in STEPS:
        return _span_of_steps(schedule, after, until)
    slots = list(slots_between(schedule, after, until))
    return Span(slots[0], slots[-1], len(slots)) if slots else None


def _reach(schedule: Schedule) -> timedelta:
    if schedule.frequency in STEPS:
        return schedule.step
    # Once and now lie anywhere before; there is one of them only.
    return REACH.get(schedule.frequency, timedelta(days=36500)) + MARGIN


def _from(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """Yield the slots from a little before `after` on."""
    if schedule.frequency == ON_EVENT:
        return iter([])
    if schedule.frequency in STEPS:
        return _steps(schedule, after)
    if schedule.frequency == "now":
        return iter([schedule.changed_at.astimezone(UTC) + NOTICE] if schedule.changed_at else [])
    days = iter([schedule.day]) if schedule.frequency == "once" else _days(schedule, after)
    at = schedule.time_of_day or time()
    return (instant(day, at, schedule.zone) for day in days if day is not None)


def _steps(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    anchor, step = schedule.anchor, schedule.step
    slot = anchor + ((after - anchor) // step + 1) * step
    while True:
        yield slot
        slot += step


def _span_of_steps(schedule: Schedule, after: datetime, until: datetime) -> Span | None:
    anchor, step = schedule.anchor, schedule.step
    first, last = (after - anchor) // step + 1, (until - anchor) // step
    return Span(anchor + first * step, anchor + last * step, last - first + 1) if first <= last else None


def _days(schedule: Schedule, after: datetime) -> Iterator[date]:
    day = (after.astimezone(schedule.zone) - MARGIN).date()
    if schedule.frequency == "monthly":
        return _month_days(day, schedule.month_day)
    fits = _FITS[schedule.frequency]
    return (day for day in _every_day(day) if fits(schedule, day))


_FITS: Final[dict[str, Callable[[Schedule, date], bool]]] = {
    "daily": lambda _schedule, _day: True,
    "weekdays": lambda _schedule, day: day.weekday() < SATURDAY,
    "weekly": lambda schedule, day: day.weekday() == schedule.weekday,
}


def _every_day(day: date) -> Iterator[date]:
    while True:
        yield day
        day += timedelta(days=1)


def _month_days(start: date, month_day: int) -> Iterator[date]:
    year, month = start.year, start.month
    while True:
        last = last_day_of(year, month)
        yield date(year, month, last if month_day == LAST_DAY else min(month_day, last))
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)  # noqa: PLR2004 - December
