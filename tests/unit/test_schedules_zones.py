"""Every time zone there is: no slot is lost, doubled or out of order, and the clocks on the wall are right."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_lifecycle.schedules.slots import LAST_DAY, Schedule, slots_between, upcoming

ZONES = sorted(available_timezones())
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
#: The days that the sweeps look at, in every zone's own calendar.
YEAR = [date(2026, 1, 1) + number * DAY for number in range(365)]

zones = st.sampled_from(ZONES).map(ZoneInfo)
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
instants = st.integers(1767225600, 2114380800).map(lambda at: datetime.fromtimestamp(at, UTC))


def shown_at(day, at, zone):
    """Return all instants at which a clock on the wall shows this: none in a gap, two in an overlap."""
    wall = datetime.combine(day, at)
    both = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(moment for moment in both if moment.astimezone(zone).replace(tzinfo=None) == wall)


def gap_at(day, at, zone):
    """Return how much the clocks jump over this time."""
    wall = datetime.combine(day, at, zone)
    return abs(wall.replace(fold=1).utcoffset() - wall.utcoffset())


def assert_right(slot, day, at, zone):
    shown = shown_at(day, at, zone)
    if shown:
        assert slot == shown[0]
    else:
        late = datetime.combine(day, at) + gap_at(day, at, zone)
        assert slot.astimezone(zone).replace(tzinfo=None) == late


@given(zones, times, instants)
def test_daily_is_each_day_once_at_the_time_on_the_wall(zone, at, now):
    slots = upcoming(Schedule(frequency="daily", zone=zone, time_of_day=at), now, 30)

    days = [slot.astimezone(zone).date() for slot in slots]
    assert all(earlier < later for earlier, later in pairwise(slots))
    # A gap at the end of a day pushes 23:30 into the next one, which still has its own.
    for slot, day in zip(slots, days, strict=True):
        own = day if slot in {*shown_at(day, at, zone)} or not shown_at(day, at, zone) else day - DAY
        assert_right(slot, own, at, zone)
    assert days[-1] - days[0] == 29 * DAY


@given(zones, times, st.sampled_from([LAST_DAY, *range(1, 32)]), instants)
def test_monthly_is_each_month_once(zone, at, month_day, now):
    slots = upcoming(Schedule(frequency="monthly", zone=zone, time_of_day=at, month_day=month_day), now, 14)

    # Half a day back: a slot that a gap pushed over midnight belongs to the month before.
    months = [(slot.astimezone(zone) - timedelta(hours=2)) for slot in slots]
    numbers = [local.year * 12 + local.month for local in months]
    if at.hour >= 2:
        assert numbers == list(range(numbers[0], numbers[0] + 14))
    assert all(earlier < later for earlier, later in pairwise(slots))


@given(zones, st.sampled_from([1, 2, 3, 4, 6, 8, 12, 24]), instants)
def test_every_so_many_hours_is_real_hours(zone, every, now):
    slots = upcoming(Schedule(frequency="hours", zone=zone, every=every), now, 50)

    assert all(later - earlier == every * HOUR for earlier, later in pairwise(slots))
    assert now < slots[0] <= now + every * HOUR


@pytest.mark.parametrize("at", [time(0), time(1, 30), time(2, 30), time(9)], ids=str)
def test_every_day_of_a_year_in_every_zone(at):
    for name in ZONES:
        zone = ZoneInfo(name)
        schedule = Schedule(frequency="daily", zone=zone, time_of_day=at)
        before = datetime(2026, 1, 1, tzinfo=zone).astimezone(UTC) - timedelta(microseconds=1)

        slots = upcoming(schedule, before, len(YEAR))

        wrong = [
            (day, slot)
            for day, slot in zip(YEAR, slots, strict=True)
            if slot.astimezone(zone).replace(tzinfo=None) != datetime.combine(day, at)
        ]
        for day, slot in wrong:
            assert not shown_at(day, at, zone), f"{name} {day}"
            assert_right(slot, day, at, zone)
        assert all(slot.astimezone(zone).fold == 0 for slot in slots), name
        assert all(earlier < later for earlier, later in pairwise(slots)), name


def test_every_hour_of_a_year_in_every_zone():
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    for name in ZONES:
        slots = list(slots_between(Schedule(frequency="hours", zone=ZoneInfo(name)), start, end))

        assert slots == [slots[0] + number * HOUR for number in range(365 * 24)], name
        assert slots[0] - start <= HOUR, name
