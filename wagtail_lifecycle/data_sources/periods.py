"""The days a report covers. They follow the slot, never the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Self

from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from wagtail_lifecycle.conf import settings

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

ONE_DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
KINDS: Final = ("day", "week", "month", "today")


@dataclass(frozen=True)
class Period:
    """Whole days of the site's time zone, from `start` on and before `end`."""

    #: the first day
    start: date
    #: the day after the last
    end: date
    #: "day", "week" (Monday to Sunday), "month", "today" (not over yet) or "days"; "" is told by the days
    kind: str = ""

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"A period from {self.start} to {self.end} has no day; `end` is the day after.")
        if not self.kind:
            object.__setattr__(self, "kind", _kind(self.start, self.end))

    @classmethod
    def for_slot(cls, kind: str, slot: datetime) -> Self:
        """Return the last complete day, week or month before `slot`, or ("today") the slot's own day.

        `slot` is aware; which day it falls on is decided in the site's zone.
        """
        if slot.tzinfo is None:
            raise ValueError(f"The slot {slot} has no time zone, so nobody knows its day. Pass an aware datetime.")
        today = slot.astimezone(settings.time_zone).date()
        match kind:
            case "day":
                return cls(today - ONE_DAY, today, kind)
            case "week":
                monday = today - timedelta(days=today.weekday())
                return cls(monday - WEEK, monday, kind)
            case "month":
                first = today.replace(day=1)
                return cls(_month_before(first), first, kind)
            case "today":
                return cls(today, today + ONE_DAY, kind)
        raise ValueError(f"There is no period {kind!r}. Choose one of {', '.join(KINDS)}.")

    @property
    def days(self) -> int:
        """The number of days."""
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        """The last day."""
        return self.end - ONE_DAY

    @property
    def previous(self) -> Period:
        """The period before: the calendar month before a month, else as many days."""
        if self.kind == "month":
            return Period(_month_before(self.start), self.start, "month")
        kind = "day" if self.kind == "today" else self.kind
        return Period(self.start - (self.end - self.start), self.start, kind)

    @property
    def label(self) -> str:
        """The period for people, in the active language: "17 May 2015", "May 2015"."""
        # A run shows the same few to everybody.
        return _label(self, get_language())

    def instants(self, zone: ZoneInfo | None = None) -> tuple[datetime, datetime]:
        """Return the midnights it begins and ends at, aware."""
        zone = zone or settings.time_zone
        begin, finish = (datetime.combine(day, time.min, zone) for day in (self.start, self.end))
        return begin, finish


@lru_cache(maxsize=64)
def _label(period: Period, _language: str | None) -> str:
    match period.kind:
        case "day":
            return _day(period.start)
        case "month":
            return date_format(period.start, "YEAR_MONTH_FORMAT")
        case "today":
            return _("%(day)s so far") % {"day": _day(period.start)}
    return _("%(first)s to %(last)s") % {"first": _day(period.start), "last": _day(period.last)}


def _kind(start: date, end: date) -> str:
    if end - start == ONE_DAY:
        return "day"
    if end - start == WEEK and start.weekday() == 0:
        return "week"
    is_month = start.day == 1 and end.day == 1 and _month_before(end) == start
    return "month" if is_month else "days"


def _month_before(first: date) -> date:
    return (first.replace(day=1) - ONE_DAY).replace(day=1)


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")
