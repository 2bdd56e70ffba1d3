"""Slots are a pure function of a schedule, a zone and the last change."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_lifecycle.exceptions import InvalidSchedule
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.schedules.slots import (
    ANCHOR,
    LAST_DAY,
    NOTICE,
    Schedule,
    Span,
    latest,
    slots_between,
    span_between,
    upcoming,
)

#: Both hemispheres, half and quarter hours, a half-hour change, changes at midnight, negative winter time, a
#: skipped day.
ZONES = [
    "UTC",
    "Europe/Paris",
    "Europe/Dublin",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
]
PARIS = ZoneInfo("Europe/Paris")
NINE = time(9)
FREQUENCIES = ["minutes", "hours", "daily", "weekdays", "weekly", "monthly", "once"]

instants = st.integers(1293840000, 2114380800).map(lambda at: datetime.fromtimestamp(at, UTC))


@st.composite
def schedules(draw, frequencies=FREQUENCIES):
    return Schedule(
        frequency=draw(st.sampled_from(frequencies)),
        zone=ZoneInfo(draw(st.sampled_from(ZONES))),
        every=draw(st.integers(1, 1440)),
        time_of_day=draw(st.builds(time, st.integers(0, 23), st.integers(0, 59))),
        weekday=draw(st.integers(0, 6)),
        month_day=draw(st.sampled_from([LAST_DAY, *range(1, 32)])),
        day=draw(st.dates(date(2024, 1, 1), date(2037, 1, 1))),
    )


calendars = schedules(["daily", "weekdays", "weekly", "monthly"])


def schedule(frequency="daily", zone=PARIS, time_of_day=NINE, **fields):
    return Schedule(frequency=frequency, zone=zone, time_of_day=time_of_day, **fields)


def walls(schedule_, start, count=1):
    """What the clocks on the wall show at the next slots."""
    zone = schedule_.zone
    after = datetime.combine(start, time(), zone).astimezone(UTC) - timedelta(seconds=1)
    return [f"{slot.astimezone(zone):%Y-%m-%d %H:%M}" for slot in upcoming(schedule_, after, count)]


# -- Every schedule, every zone, any moment -------------------------------------------------------------------


@given(schedules(), instants)
def test_slots_strictly_increase_and_none_lies_before_its_window(schedule_, now):
    slots = upcoming(schedule_, now, 12)

    assert all(slot > now for slot in slots)
    assert all(earlier < later for earlier, later in pairwise(slots))
    assert all(slot.utcoffset() == timedelta() for slot in slots)


@given(schedules(), instants, st.integers(1, 400), st.integers(1, 400))
def test_a_window_has_the_slots_of_its_two_halves(schedule_, now, first, second):
    middle, end = now + timedelta(hours=first), now + timedelta(hours=first + second)

    halves = [*slots_between(schedule_, now, middle), *slots_between(schedule_, middle, end)]

    assert halves == list(slots_between(schedule_, now, end))


@given(schedules(), instants)
def test_the_latest_slot_is_the_one_before_the_next(schedule_, now):
    newest = latest(schedule_, now)
    following = upcoming(schedule_, now, 1)

    if newest is not None:
        assert newest <= now
        assert upcoming(schedule_, newest, 1) == following
        assert latest(schedule_, newest) == newest
    elif following:
        assert latest(schedule_, following[0]) == following[0]


@given(schedules(), instants, st.integers(0, 300))
def test_counting_slots_agrees_with_listing_them(schedule_, now, hours):
    until = now + timedelta(hours=hours)
    slots = list(slots_between(schedule_, now, until))

    span = span_between(schedule_, now, until)

    assert span == (Span(slots[0], slots[-1], len(slots)) if slots else None)


def shows(zone, day, at):
    """Whether a clock on the wall ever shows this."""
    wanted = datetime.combine(day, at, zone)
    return wanted.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wanted.replace(tzinfo=None)


@given(calendars, instants)
def test_the_clock_on_the_wall_is_right_except_in_a_gap(schedule_, now):
    zone, at = schedule_.zone, schedule_.time_of_day
    for slot in upcoming(schedule_, now, 6):
        local = slot.astimezone(zone)
        assert local.fold == 0
        if local.time() != at:
            assert not shows(zone, local.date(), at) or not shows(zone, local.date() - timedelta(days=1), at)


@given(schedules(["daily"]), instants)
def test_daily_means_each_day_of_the_calendar_once(schedule_, now):
    days = [slot.astimezone(schedule_.zone).date() for slot in upcoming(schedule_, now, 40)]

    skipped = date(2011, 12, 30)  # Samoa had none
    gaps = [later - earlier for earlier, later in pairwise(days)]
    assert all(gap == timedelta(days=1) or skipped in days or skipped - timedelta(days=1) in days for gap in gaps)


@given(schedules(["minutes", "hours"]), instants)
def test_minutes_and_hours_are_real_ones_counted_from_midnight_of_the_first_of_2024(schedule_, now):
    anchor = datetime.combine(ANCHOR, time(), schedule_.zone).astimezone(UTC)
    unit = timedelta(minutes=1) if schedule_.frequency == "minutes" else timedelta(hours=1)

    slots = upcoming(schedule_, now, 5)

    assert all((slot - anchor) % (schedule_.every * unit) == timedelta() for slot in slots)
    assert all(later - earlier == schedule_.every * unit for earlier, later in pairwise(slots))
    assert slots[0] - now <= schedule_.every * unit


@given(schedules(["monthly"]), instants)
def test_monthly_never_leaves_a_month_out(schedule_, now):
    months = [slot.astimezone(schedule_.zone) for slot in upcoming(schedule_, now, 30)]

    numbers = [local.year * 12 + local.month for local in months]
    assert numbers == list(range(numbers[0], numbers[0] + 30))


# -- Examples -------------------------------------------------------------------------------------------------


def test_weekdays_leave_out_saturday_and_sunday():
    assert walls(schedule("weekdays"), date(2026, 11, 20), 3) == [
        "2026-11-20 09:00",
        "2026-11-23 09:00",
        "2026-11-24 09:00",
    ]


def test_weekly_is_the_chosen_day_of_the_week():
    assert walls(schedule("weekly", weekday=6), date(2026, 11, 20), 2) == ["2026-11-22 09:00", "2026-11-29 09:00"]


def test_day_31_is_the_last_day_in_shorter_months():
    days = [wall[5:10] for wall in walls(schedule("monthly", month_day=31), date(2027, 1, 1), 4)]

    assert days == ["01-31", "02-28", "03-31", "04-30"]


def test_day_29_of_february_exists_in_leap_years_only():
    assert walls(schedule("monthly", month_day=29), date(2027, 2, 1)) == ["2027-02-28 09:00"]
    assert walls(schedule("monthly", month_day=29), date(2028, 2, 1)) == ["2028-02-29 09:00"]


def test_the_last_day_of_february_follows_the_leap_year():
    assert walls(schedule("monthly", month_day=LAST_DAY), date(2027, 2, 1)) == ["2027-02-28 09:00"]
    assert walls(schedule("monthly", month_day=LAST_DAY), date(2028, 2, 1)) == ["2028-02-29 09:00"]


def test_a_time_in_the_spring_gap_goes_once_and_later_by_the_gap():
    half_past_two = schedule(time_of_day=time(2, 30))

    assert walls(half_past_two, date(2026, 3, 28), 3) == [
        "2026-03-28 02:30",
        "2026-03-29 03:30",
        "2026-03-30 02:30",
    ]


def test_a_time_in_the_autumn_overlap_goes_the_first_time_only():
    slots = upcoming(schedule(time_of_day=time(2, 30)), datetime(2026, 10, 24, 12, tzinfo=UTC), 2)

    assert slots == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]


def test_a_change_at_midnight_keeps_the_day():
    midnight = schedule(zone=ZoneInfo("Asia/Beirut"), time_of_day=time(0, 15))

    assert walls(midnight, date(2026, 3, 29), 2) == ["2026-03-29 01:15", "2026-03-30 00:15"]


def test_a_day_that_a_zone_skips_falls_together_with_the_next():
    samoa = schedule(zone=ZoneInfo("Pacific/Apia"))

    assert walls(samoa, date(2011, 12, 29), 3) == ["2011-12-29 09:00", "2011-12-31 09:00", "2012-01-01 09:00"]


def test_every_hour_goes_in_both_hours_that_autumn_shows_twice():
    slots = upcoming(schedule("hours", every=1), datetime(2026, 10, 24, 23, 30, tzinfo=UTC), 3)

    assert [f"{slot.astimezone(PARIS):%H:%M}" for slot in slots] == ["02:00", "02:00", "03:00"]


def test_once_is_one_slot_in_the_zone():
    once = schedule("once", day=date(2026, 12, 24))

    assert upcoming(once, datetime(2026, 1, 1, tzinfo=UTC), 5) == [datetime(2026, 12, 24, 8, tzinfo=UTC)]
    assert upcoming(once, datetime(2026, 12, 24, 8, tzinfo=UTC), 5) == []


def test_now_is_a_minute_after_the_last_change():
    changed_at = datetime(2026, 11, 20, 10, 0, 12, tzinfo=UTC)
    now = schedule("now", changed_at=changed_at)

    assert upcoming(now, changed_at, 5) == [changed_at + NOTICE]
    assert latest(now, changed_at + timedelta(days=3)) == changed_at + NOTICE
    assert upcoming(schedule("now"), changed_at, 5) == []


def test_a_century_of_minutes_is_counted_without_walking_through_it():
    span = span_between(
        schedule("minutes", every=1), datetime(2024, 1, 1, tzinfo=UTC), datetime(2124, 1, 1, tzinfo=UTC)
    )

    assert span.count == (date(2124, 1, 1) - date(2024, 1, 1)).days * 24 * 60


# -- From a campaign ------------------------------------------------------------------------------------------


def campaign(**fields):
    return Campaign(**{"frequency": "daily", "time_of_day": NINE, "time_zone": "Europe/Paris", **fields})


def test_seconds_are_left_out_because_beat_knows_none():
    assert Schedule.of(campaign(time_of_day=time(9, 0, 30, 5))).time_of_day == NINE


def test_without_a_zone_the_sites_own_counts(settings):
    settings.TIME_ZONE = "Asia/Tokyo"

    assert Schedule.of(campaign(time_zone="")).zone.key == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"time_of_day": None}, "time_of_day"),
        ({"frequency": "weekly", "weekday": 7}, "weekday"),
        ({"frequency": "monthly", "month_day": 0}, "month_day"),
        ({"frequency": "monthly", "month_day": 32}, "month_day"),
        ({"frequency": "minutes", "every": 0}, "every"),
        ({"frequency": "hours", "every": 1441}, "every"),
        ({"frequency": "hours", "every": None}, "every"),
        ({"frequency": "once", "date": None}, "date"),
        ({"frequency": "once", "date": date(9999, 12, 31)}, "date"),
        ({"frequency": "once", "date": date(1, 1, 1)}, "date"),
        ({"frequency": "once", "date": date(2026, 1, 1), "time_of_day": None}, "time_of_day"),
        ({"frequency": "fortnightly"}, "frequency"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"time_zone": "Europe"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": "\0"}, "time_zone"),
    ],
)
def test_an_impossible_schedule_names_its_field_in_a_sentence(fields, field):
    with pytest.raises(InvalidSchedule, match=r"^.+\.$") as caught:
        Schedule.of(campaign(**fields))

    assert caught.value.field == field


def test_fields_that_do_not_matter_to_the_frequency_do_not_change_the_fingerprint():
    plain = Schedule.of(campaign()).fingerprint

    assert Schedule.of(campaign(weekday=3, month_day=9, every=5, date=date(2026, 1, 1))).fingerprint == plain
    assert Schedule.of(campaign(time_of_day=time(9, 1))).fingerprint != plain
    assert Schedule.of(campaign(time_zone="Europe/Berlin")).fingerprint != plain
    assert Schedule.of(campaign(frequency="weekdays")).fingerprint != plain


@given(schedules(), schedules())
def test_schedules_with_other_slots_have_other_fingerprints(one, other):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    if one.fingerprint == other.fingerprint:
        assert upcoming(one, start, 9) == upcoming(other, start, 9)
