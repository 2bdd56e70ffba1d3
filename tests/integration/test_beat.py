"""The real DatabaseScheduler under a fake clock: whatever it fires, one run per slot is what happens."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django_celery_beat.models import PeriodicTask

from tests.support.campaigns import live, publish
from wagtail_lifecycle import schedules, ticking
from wagtail_lifecycle.models import CampaignState, Run

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TUESDAY = datetime(2026, 11, 17, tzinfo=UTC)


def begin(clock, at, **fields):
    clock.move_to(at, tick=False)
    return live(**fields)


def slots_run(campaign):
    return list(Run.objects.filter(campaign=campaign, reason="").order_by("slot").values_list("slot", flat=True))


def missed(campaign):
    return list(Run.objects.filter(campaign=campaign, reason="missed").values_list("missed_from", "missed_count"))


def at(month, day, hour=0):
    # Not on the dot, as people publish.
    return datetime(2026, month, day, hour, 0, 30, tzinfo=UTC)


EVERY_KIND = {
    "daily": ({}, at(11, 17, 7), DAY + 2 * HOUR),
    "daily in the spring gap": ({"time_of_day": time(2, 30)}, at(3, 28, 23), DAY + 3 * HOUR),
    "daily in the autumn overlap": ({"time_of_day": time(2, 30)}, at(10, 24, 23), DAY + 4 * HOUR),
    "daily far east": ({"time_zone": "Pacific/Kiritimati"}, at(11, 17, 17), 4 * HOUR),
    "daily at a quarter to": ({"time_zone": "Asia/Kathmandu", "time_of_day": time(23, 59)}, at(11, 17, 16), 4 * HOUR),
    "daily in southern summer": ({"time_zone": "America/Santiago"}, at(9, 5, 11), DAY + 4 * HOUR),
    "weekdays": ({"frequency": "weekdays"}, at(11, 20, 7), DAY + 4 * HOUR),
    "weekly": ({"frequency": "weekly", "weekday": 6}, at(11, 21, 7), DAY + 4 * HOUR),
    "monthly on the 30th": ({"frequency": "monthly", "month_day": 30}, at(2, 27, 7), DAY + 4 * HOUR),
    "monthly on the last day": ({"frequency": "monthly", "month_day": -1}, at(4, 29, 6), DAY + 4 * HOUR),
    "every 20 minutes": ({"frequency": "minutes", "every": 20}, at(11, 17), 290 * MINUTE),
    "every 7 minutes": ({"frequency": "minutes", "every": 7}, at(11, 17), 5 * HOUR),
    "every 6 hours": ({"frequency": "hours", "every": 6, "time_zone": "Asia/Kathmandu"}, at(11, 17), 20 * HOUR),
    "every 5 hours": ({"frequency": "hours", "every": 5}, at(11, 17), 16 * HOUR),
    "once": ({"frequency": "once", "date": date(2026, 11, 18)}, at(11, 18, 6), 5 * HOUR),
    "now": ({"frequency": "now"}, at(11, 17), HOUR),
}


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_beat_wakes_us_within_a_minute_of_every_slot_and_each_runs_once(kind, clock, start_beat):
    fields, start, span = EVERY_KIND[kind]
    campaign = begin(clock, start, **fields)
    expected = list(schedules.slots_between(campaign, start, start + span - MINUTE))

    beat = start_beat().run_until(start + span)

    assert expected
    assert slots_run(campaign) == expected
    assert missed(campaign) == []
    assert all(any(slot <= fired < slot + MINUTE for fired in beat.fired) for slot in expected)


def test_beat_down_over_the_slot_loses_it_and_the_next_day_still_runs_once(clock, start_beat):
    campaign = begin(clock, TUESDAY)
    clock.move_to(TUESDAY + 15 * HOUR, tick=False)

    start_beat().run_until(TUESDAY + DAY + 10 * HOUR)

    # Its late tick on Tuesday says what was missed; Wednesday is itself again.
    assert missed(campaign) == [(TUESDAY + 8 * HOUR, 1)]
    assert slots_run(campaign) == [TUESDAY + DAY + 8 * HOUR]


def test_a_schedule_moved_to_an_hour_that_has_passed_does_not_run_today(clock, start_beat):
    campaign = begin(clock, TUESDAY + 7 * HOUR, time_of_day=time(15))
    beat = start_beat().run_until(TUESDAY + 9 * HOUR + 30 * MINUTE)

    publish(campaign, time_of_day=time(9))
    beat.run_until(TUESDAY + DAY + 9 * HOUR)

    assert slots_run(campaign) == [TUESDAY + DAY + 8 * HOUR]
    assert missed(campaign) == []


def test_beat_killed_after_dispatch_fires_twice_and_runs_once(clock, start_beat):
    campaign = begin(clock, TUESDAY + 7 * HOUR)
    first = start_beat().run_until(TUESDAY + 8 * HOUR + MINUTE)
    first.kill()

    start_beat().run_until(TUESDAY + 12 * HOUR)

    assert slots_run(campaign) == [TUESDAY + 8 * HOUR]


def test_two_beats_fire_everything_twice_and_it_runs_once(clock, start_beat):
    campaign = begin(clock, TUESDAY + MINUTE, frequency="minutes", every=20)
    one, other = start_beat(), start_beat()

    for step in range(1, 36):
        moment = TUESDAY + step * 2 * MINUTE
        one.run_until(moment)
        other.tick()

    assert one.fired
    assert other.fired
    assert slots_run(campaign) == [TUESDAY + n * 20 * MINUTE for n in (1, 2, 3)]


def test_a_new_time_of_once_is_fired_although_the_first_one_was(clock, start_beat):
    campaign = begin(clock, TUESDAY + 7 * HOUR, frequency="once", date=date(2026, 11, 17))
    beat = start_beat().run_until(TUESDAY + 10 * HOUR)

    publish(campaign, date=date(2026, 11, 18))
    beat.run_until(TUESDAY + DAY + 9 * HOUR)

    assert slots_run(campaign) == [TUESDAY + 8 * HOUR, TUESDAY + DAY + 8 * HOUR]


def test_what_beat_switches_off_after_firing_is_no_pause(clock, start_beat):
    campaign = begin(clock, TUESDAY, frequency="now")

    start_beat().run_until(TUESDAY + HOUR)
    ticking.recover(TUESDAY + HOUR)

    assert not PeriodicTask.objects.get(name=schedules.task_name(campaign.pk)).enabled
    assert CampaignState.objects.get().pause_reason == ""
    assert len(slots_run(campaign)) == 1


def test_a_campaign_disabled_in_beat_stays_quiet_until_it_is_resumed(clock, start_beat):
    campaign = begin(clock, TUESDAY)
    beat = start_beat().run_until(TUESDAY + HOUR)
    task = PeriodicTask.objects.get(name=schedules.task_name(campaign.pk))
    task.enabled = False
    task.save()

    beat.run_until(TUESDAY + DAY)
    ticking.recover(TUESDAY + DAY)
    assert slots_run(campaign) == []

    schedules.resume(campaign.pk)
    beat.run_until(TUESDAY + DAY + 9 * HOUR)
    assert slots_run(campaign) == [TUESDAY + DAY + 8 * HOUR]
    assert missed(campaign) == []


def test_unpublishing_stops_beat_and_publishing_starts_it_again(clock, start_beat):
    campaign = begin(clock, TUESDAY + MINUTE, frequency="minutes", every=20)
    beat = start_beat().run_until(TUESDAY + HOUR + MINUTE)
    campaign.unpublish()
    beat.run_until(TUESDAY + 3 * HOUR + MINUTE)
    so_far = len(slots_run(campaign))

    publish(campaign)
    beat.run_until(TUESDAY + 4 * HOUR)

    assert so_far == 3
    assert slots_run(campaign)[so_far:] == [TUESDAY + 3 * HOUR + n * 20 * MINUTE for n in (1, 2)]
    assert missed(campaign) == []
