"""What editors read about a schedule, and what is due."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.utils import translation

from tests.support.campaigns import draft, live
from wagtail_lifecycle import schedules
from wagtail_lifecycle.exceptions import InvalidSchedule
from wagtail_lifecycle.models import Campaign, CampaignState, Run
from wagtail_lifecycle.schedules import Span

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def campaign(**fields):
    values = {"frequency": "daily", "time_of_day": time(9), "time_zone": "Europe/Paris", "live": True}
    return Campaign(**{**values, **fields})


# -- In words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"frequency": "minutes", "every": 1}, "Every minute"),
        ({"frequency": "minutes", "every": 15}, "Every 15 minutes"),
        ({"frequency": "hours", "every": 1}, "Every hour (Europe/Paris)"),
        ({"frequency": "hours", "every": 6}, "Every 6 hours (Europe/Paris)"),
        ({}, "Every day at 09:00 (Europe/Paris)"),
        ({"frequency": "weekdays"}, "Every weekday, Monday to Friday, at 09:00 (Europe/Paris)"),
        ({"frequency": "weekly", "weekday": 0}, "Every Monday at 09:00 (Europe/Paris)"),
        ({"frequency": "weekly", "weekday": 6}, "Every Sunday at 09:00 (Europe/Paris)"),
        ({"frequency": "monthly", "month_day": 1}, "On the 1st of each month at 09:00 (Europe/Paris)"),
        ({"frequency": "monthly", "month_day": 22}, "On the 22nd of each month at 09:00 (Europe/Paris)"),
        ({"frequency": "monthly", "month_day": -1}, "On the last day of each month at 09:00 (Europe/Paris)"),
        ({"frequency": "once", "date": date(2026, 12, 1)}, "Once, on 1 December 2026 at 09:00 (Europe/Paris)"),
        ({"frequency": "now"}, "Once, a minute after publishing"),
        ({"time_of_day": None}, "The time of day is missing: say at what time it goes."),
    ],
)
def test_a_schedule_reads_as_a_sentence(fields, sentence):
    assert schedules.describe(campaign(**fields)) == sentence


def test_short_months_are_noted_under_a_late_day():
    assert schedules.notes(campaign(frequency="monthly", month_day=31), NOW) == [
        "In months without a 31st it goes on the last day."
    ]
    assert schedules.notes(campaign(frequency="monthly", month_day=28), NOW) == []
    assert schedules.notes(campaign(frequency="monthly", month_day=-1), NOW) == []


def test_clock_changes_of_the_coming_year_are_noted_where_they_matter():
    assert schedules.notes(campaign(time_of_day=time(2, 30)), datetime(2026, 1, 1, tzinfo=UTC)) == [
        "On 29 March 2026 the clocks go forward at that time: it goes at 03:30.",
        "On 25 October 2026 the clocks go back and show 02:30 twice: it goes the first time.",
    ]
    assert schedules.notes(campaign(), NOW) == []


def test_once_in_a_gap_is_noted_however_far_away():
    lost = campaign(frequency="once", date=date(2030, 3, 31), time_of_day=time(2))

    assert schedules.notes(lost, NOW) == ["On 31 March 2030 the clocks go forward at that time: it goes at 03:00."]


def test_real_hours_are_noted_where_clocks_change():
    assert len(schedules.notes(campaign(frequency="hours", every=6), NOW)) == 1
    assert schedules.notes(campaign(frequency="hours", every=6, time_zone="UTC"), NOW) == []
    assert schedules.notes(campaign(frequency="minutes", every=15), NOW) == []


def test_what_is_shown_of_an_incomplete_schedule_never_raises():
    incomplete = campaign(time_of_day=None)

    assert schedules.next_slots(incomplete, NOW) == []
    assert schedules.notes(incomplete, NOW) == []
    assert list(schedules.slots_between(incomplete, NOW, NOW + DAY)) == []


def test_sentences_are_made_when_they_are_read_in_the_readers_language():
    with translation.override("de"):
        assert schedules.describe(campaign(frequency="once", date=date(2026, 12, 1))).count("Dezember") == 1


# -- The next slots -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_unsaved_form_shows_the_next_five_slots_without_a_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        slots = schedules.next_slots(campaign(), NOW)

    assert slots == [datetime(2026, 11, 21 + day, 8, tzinfo=UTC) for day in range(5)]


def test_now_shows_the_minute_after_publishing():
    assert schedules.next_slots(campaign(frequency="now"), NOW) == [NOW + timedelta(minutes=1)]


@pytest.mark.django_db
def test_now_that_is_over_has_no_next_slot_and_republishing_would_not_change_that(time_machine):
    time_machine.move_to(NOW, tick=False)
    over = live(frequency="now")

    assert schedules.next_slots(over, NOW + DAY) == []
    schedules.check(over, NOW + DAY)


@pytest.mark.django_db
def test_once_in_the_past_is_refused_with_its_field():
    with pytest.raises(InvalidSchedule) as caught:
        schedules.check(draft(frequency="once", date=date(2026, 11, 19)), NOW)

    assert caught.value.field == "date"


def test_the_latest_slot_is_none_where_the_schedule_is_younger():
    assert schedules.latest_slot(campaign(), NOW, NOW - DAY) == NOW - 2 * HOUR
    assert schedules.latest_slot(campaign(), NOW, NOW - HOUR) is None


# -- Due and missed -------------------------------------------------------------------------------------------

#: Friday, 20 November 2026, 09:00 in Paris
SLOT = datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.fixture
def daily(db, time_machine):
    """Published on Friday at 07:00 in Paris."""
    time_machine.move_to(SLOT - 2 * HOUR, tick=False)
    return live()


def state_of(campaign_):
    return CampaignState.objects.get(campaign=campaign_)


def due(campaign_, now):
    return schedules.due_slot(campaign_, state_of(campaign_), now)


def missed(campaign_, now):
    return schedules.missed_slots(campaign_, state_of(campaign_), now)


def ran(campaign_, slot):
    return Run.objects.create(campaign=campaign_, slot=slot, status="finished", created_at=slot)


def test_nothing_is_due_before_the_slot(daily):
    assert due(daily, SLOT - timedelta(seconds=1)) is None


def test_the_slot_is_due_from_its_instant_until_it_is_too_late(daily):
    assert due(daily, SLOT) == SLOT
    assert due(daily, SLOT + HOUR) == SLOT
    assert due(daily, SLOT + HOUR + timedelta(seconds=1)) is None


def test_a_slot_that_has_a_run_is_not_due_again(daily):
    ran(daily, SLOT)

    assert due(daily, SLOT + timedelta(minutes=1)) is None


def test_a_run_in_the_future_made_by_a_wrong_clock_silences_nothing(daily):
    ran(daily, SLOT + 300 * DAY)

    assert due(daily, SLOT) == SLOT


def test_a_slot_older_than_the_last_change_never_runs(daily):
    schedules.sync(daily.pk, SLOT)
    CampaignState.objects.update(changed_at=SLOT + timedelta(seconds=1))

    assert due(daily, SLOT + timedelta(minutes=1)) is None
    assert missed(daily, SLOT + timedelta(minutes=1)) is None


def test_a_slot_at_the_very_instant_of_the_change_runs(daily):
    CampaignState.objects.update(changed_at=SLOT)

    assert due(daily, SLOT) == SLOT


def test_late_within_zero_still_leaves_time_to_wake_up(daily):
    daily.late_within = timedelta()

    assert due(daily, SLOT + timedelta(seconds=30)) == SLOT
    assert due(daily, SLOT + timedelta(minutes=5)) is None


def test_after_a_week_only_the_newest_slot_is_due_and_the_others_are_missed(daily):
    now = SLOT + 7 * DAY + timedelta(minutes=5)

    assert due(daily, now) == SLOT + 7 * DAY
    assert missed(daily, now) == Span(SLOT, SLOT + 6 * DAY, 7)


def test_what_is_too_late_is_missed_too(daily):
    now = SLOT + 7 * DAY + 2 * HOUR

    assert due(daily, now) is None
    assert missed(daily, now) == Span(SLOT, SLOT + 7 * DAY, 8)


def test_only_slots_since_the_last_run_are_missed(daily):
    ran(daily, SLOT + 5 * DAY)

    assert missed(daily, SLOT + 7 * DAY + timedelta(minutes=5)) == Span(SLOT + 6 * DAY, SLOT + 6 * DAY, 1)


def test_a_year_of_missed_minutes_is_counted_at_once(db, time_machine):
    time_machine.move_to(SLOT, tick=False)
    every_minute = live(frequency="minutes", every=1)

    now = SLOT + 365 * DAY
    assert missed(every_minute, now).count == 365 * 24 * 60
    assert due(every_minute, now) == now


@pytest.mark.parametrize("change", [{"pause_reason": "disabled_in_beat"}, {"problem": "No audience."}])
def test_nothing_is_due_while_paused_or_broken(daily, change):
    CampaignState.objects.update(**change)

    assert due(daily, SLOT) is None
    assert missed(daily, SLOT + 3 * DAY) is None


def test_nothing_is_due_of_a_campaign_that_is_not_live(daily):
    daily.unpublish()

    assert due(daily, SLOT) is None


def test_nothing_is_due_of_a_schedule_changed_behind_our_back_until_it_is_synced(daily):
    Campaign.objects.update(time_of_day=time(8, 30))
    daily.refresh_from_db()

    assert due(daily, SLOT) is None
    schedules.sync(daily.pk, SLOT)
    assert due(daily, SLOT + DAY) == SLOT + DAY - timedelta(minutes=30)


def test_asking_what_is_due_takes_two_queries(daily, django_assert_num_queries):
    state = state_of(daily)

    with django_assert_num_queries(2):
        schedules.due_slot(daily, state, SLOT)
