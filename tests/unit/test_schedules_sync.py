"""Every live campaign is exactly one periodic task, and stays in step with it."""

import json
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import translation
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
)
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import Locale

from tests.support.campaigns import draft, live, publish
from wagtail_lifecycle import schedules
from wagtail_lifecycle.models import Campaign, CampaignState
from wagtail_lifecycle.schedules.beat import row_for
from wagtail_lifecycle.schedules.slots import Schedule, slots_between

#: Friday, 20 November 2026, 11:00 in Paris
NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture(autouse=True)
def clock(db, time_machine):
    time_machine.move_to(NOW, tick=False)
    return time_machine


def task_of(campaign):
    return PeriodicTask.objects.get(name=f"wagtail_lifecycle.campaign.{campaign.pk}")


def tasks_of(campaign):
    return PeriodicTask.objects.filter(name=f"wagtail_lifecycle.campaign.{campaign.pk}")


def state_of(campaign):
    return CampaignState.objects.get(campaign=campaign)


def disable(campaign):
    """What a person does in beat's admin."""
    task = task_of(campaign)
    task.enabled = False
    task.save()


def stamp():
    return PeriodicTasks.objects.get(ident=1).last_update


# -- The row of beat ------------------------------------------------------------------------------------------


def cron(**fields):
    values = {"frequency": "daily", "zone": PARIS, "time_of_day": time(9, 5), **fields}
    row = row_for(Schedule(**values)).values
    return " ".join(
        row[name] for name in ["minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone"]
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "5 9 * * * Europe/Paris"),
        ({"frequency": "weekdays"}, "5 9 * * 1-5 Europe/Paris"),
        ({"frequency": "weekly", "weekday": 0}, "5 9 * * 1 Europe/Paris"),
        ({"frequency": "weekly", "weekday": 6}, "5 9 * * 0 Europe/Paris"),
        ({"frequency": "monthly", "month_day": 1}, "5 9 1 * * Europe/Paris"),
        ({"frequency": "monthly", "month_day": 28}, "5 9 28 * * Europe/Paris"),
        ({"frequency": "monthly", "month_day": 30}, "5 9 28-30 * * Europe/Paris"),
        ({"frequency": "monthly", "month_day": 31}, "5 9 28-31 * * Europe/Paris"),
        ({"frequency": "monthly", "month_day": -1}, "5 9 28-31 * * Europe/Paris"),
        ({"frequency": "minutes", "every": 20}, "0,20,40 * * * * UTC"),
        ({"frequency": "minutes", "every": 60}, "0 * * * * UTC"),
        ({"frequency": "minutes", "every": 720}, "0 11,23 * * * UTC"),
        ({"frequency": "hours", "every": 8}, "0 7,15,23 * * * UTC"),
        ({"frequency": "hours", "every": 24}, "0 23 * * * UTC"),
        ({"frequency": "hours", "every": 6, "zone": ZoneInfo("Asia/Kolkata")}, "30 0,6,12,18 * * * UTC"),
        ({"frequency": "minutes", "every": 20, "zone": ZoneInfo("Asia/Kathmandu")}, "15,35,55 * * * * UTC"),
    ],
)
def test_a_schedule_becomes_a_crontab_where_one_fits(fields, expected):
    assert cron(**fields) == expected


@pytest.mark.parametrize(("frequency", "every"), [("minutes", 7), ("minutes", 90), ("hours", 5), ("hours", 48)])
def test_other_minutes_and_hours_become_an_interval(frequency, every):
    row = row_for(Schedule(frequency=frequency, every=every, zone=PARIS))

    assert (row.kind, row.values) == ("interval", {"every": every, "period": frequency})


@given(
    st.sampled_from(["minutes", "hours"]),
    st.integers(1, 1440),
    st.sampled_from(["UTC", "Asia/Kathmandu", "Asia/Kolkata", "America/St_Johns", "Pacific/Chatham"]),
)
def test_the_crontab_of_minutes_and_hours_fires_at_exactly_the_slots(frequency, every, zone):
    schedule = Schedule(frequency=frequency, every=every, zone=ZoneInfo(zone))
    row = row_for(schedule)
    if row.kind != "crontab":
        return
    minutes = {int(minute) for minute in row.values["minute"].split(",")}
    hours = set(range(24)) if row.values["hour"] == "*" else {int(hour) for hour in row.values["hour"].split(",")}
    fired = {NOW + n * MINUTE for n in range(1, 1441)}

    slots = set(slots_between(schedule, NOW, NOW + DAY))

    assert slots == {at for at in fired if at.minute in minutes and at.hour in hours}


# -- Publishing -----------------------------------------------------------------------------------------------


def test_a_published_campaign_is_one_periodic_task_that_people_understand():
    campaign = live()

    task = task_of(campaign)
    assert (task.task, json.loads(task.args), task.enabled) == ("wagtail_lifecycle.tick", [campaign.pk], True)
    assert str(task.crontab) == "0 9 * * * (m/h/dM/MY/d) Europe/Paris"
    assert task.description.startswith("Daily digest. Every day at 09:00 (Europe/Paris). ")
    assert task.last_run_at == NOW
    assert task.expire_seconds
    assert task.start_time is None


def test_the_task_goes_to_the_queue_of_its_kind_of_mail(settings):
    settings.WAGTAIL_LIFECYCLE_QUEUES = {"transactional": "quick", "bulk": "slow"}

    assert task_of(live()).queue == "slow"
    assert task_of(live(topic=None)).queue == "quick"


def test_without_queues_of_our_own_the_sites_default_queue_is_used(settings):
    settings.WAGTAIL_LIFECYCLE_QUEUES = {}

    assert task_of(live()).queue is None


def test_the_state_knows_the_next_slot_and_since_when_the_schedule_counts():
    state = state_of(live())

    assert (state.changed_at, state.next_slot) == (NOW, datetime(2026, 11, 21, 8, tzinfo=UTC))
    assert (state.problem, state.pause_reason) == ("", "")


def test_each_campaign_has_a_schedule_row_of_its_own():
    one, other = live(), live()

    assert task_of(one).crontab_id != task_of(other).crontab_id


def test_syncing_again_writes_nothing(clock, django_assert_max_num_queries):
    campaign = live()
    before = stamp()
    clock.move_to(NOW + HOUR, tick=False)

    with django_assert_max_num_queries(22) as queries:
        schedules.sync(campaign.pk)

    assert stamp() == before
    assert not [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert state_of(campaign).changed_at == NOW


def test_a_typo_fix_touches_neither_beat_nor_the_schedule(clock):
    campaign = live(frequency="now")
    before = stamp()
    clock.move_to(NOW + HOUR, tick=False)

    publish(campaign, subject="Hello again")

    assert stamp() == before
    assert state_of(campaign).changed_at == NOW


def test_publishing_in_another_language_touches_nothing():
    campaign = live()
    before = stamp()

    with translation.override("de"):
        publish(campaign)

    assert stamp() == before


def test_a_new_schedule_counts_from_now_and_keeps_its_rows(clock):
    campaign = live()
    before = task_of(campaign)
    clock.move_to(NOW + HOUR, tick=False)

    publish(campaign, time_of_day=time(15), frequency="weekly", weekday=2)

    task = task_of(campaign)
    assert (task.pk, task.crontab_id) == (before.pk, before.crontab_id)
    assert str(task.crontab) == "0 15 * * 3 (m/h/dM/MY/d) Europe/Paris"
    assert task.last_run_at == NOW + HOUR
    assert state_of(campaign).changed_at == NOW + HOUR


def test_another_kind_of_schedule_leaves_no_row_behind():
    campaign = live()

    publish(campaign, frequency="hours", every=5)

    task = task_of(campaign)
    assert (task.crontab, task.interval.every, task.interval.period) == (None, 5, "hours")
    assert not CrontabSchedule.objects.exists()


def test_an_interval_counts_from_the_slot_before_so_that_it_fires_at_the_next():
    campaign = live(frequency="hours", every=5)

    task = task_of(campaign)
    assert task.last_run_at + 5 * HOUR == state_of(campaign).next_slot


def test_a_row_that_other_tasks_use_is_neither_changed_nor_deleted():
    shared = CrontabSchedule.objects.create(minute="0", hour="4")
    theirs = PeriodicTask.objects.create(name="theirs", task="theirs", crontab=shared)
    campaign = live()
    task = task_of(campaign)
    task.crontab = shared
    task.save()

    schedules.sync(campaign.pk)

    shared.refresh_from_db()
    theirs.refresh_from_db()
    assert (shared.hour, theirs.crontab) == ("4", shared)
    assert task_of(campaign).crontab.hour == "9"


def test_what_a_person_changes_in_the_row_is_put_right():
    campaign = live()
    task = task_of(campaign)
    task.args, task.start_time, task.queue = "[0]", NOW, "elsewhere"
    task.save()
    CrontabSchedule.objects.get(pk=task.crontab_id).delete()

    schedules.sync(campaign.pk)

    assert json.loads(task_of(campaign).args) == [campaign.pk]
    assert task_of(campaign).start_time is None


# -- Once and now ---------------------------------------------------------------------------------------------


def test_now_is_a_one_off_task_a_minute_ahead():
    campaign = live(frequency="now")

    task = task_of(campaign)
    assert (task.clocked.clocked_time, task.one_off) == (NOW + MINUTE, True)
    assert state_of(campaign).next_slot == NOW + MINUTE


def test_a_new_time_gets_a_new_task_because_beat_never_fires_an_edited_one():
    campaign = live(frequency="once", date=date(2026, 12, 1))
    before = task_of(campaign).pk

    publish(campaign, date=date(2026, 12, 2))

    assert task_of(campaign).pk != before
    assert [row.clocked_time for row in ClockedSchedule.objects.all()] == [datetime(2026, 12, 2, 8, tzinfo=UTC)]


def test_a_one_off_task_that_beat_switched_off_after_firing_is_not_paused(clock):
    campaign = live(frequency="now")
    clock.move_to(NOW + 2 * MINUTE, tick=False)
    disable(campaign)

    schedules.sync(campaign.pk)

    assert state_of(campaign).pause_reason == ""
    assert task_of(campaign).enabled is False
    assert state_of(campaign).next_slot is None


def test_a_one_off_task_that_a_person_switched_off_beforehand_is_paused_also_later(clock):
    campaign = live(frequency="now")
    disable(campaign)
    clock.move_to(NOW + 5 * MINUTE, tick=False)

    schedules.sync(campaign.pk)

    assert state_of(campaign).pause_reason == "disabled_in_beat"


def test_a_one_off_task_that_beat_has_still_to_fire_is_left_alone(clock):
    campaign = live(frequency="now")
    before = stamp()
    clock.move_to(NOW + 2 * MINUTE, tick=False)

    schedules.sync(campaign.pk)

    assert task_of(campaign).enabled is True
    assert stamp() == before


def test_publishing_again_after_unpublishing_sends_now_again(clock):
    campaign = live(frequency="now")
    clock.move_to(NOW + HOUR, tick=False)
    campaign.unpublish()

    publish(campaign)

    assert task_of(campaign).clocked.clocked_time == NOW + HOUR + MINUTE


def test_a_moment_that_has_passed_is_a_problem_at_publishing_and_none_after_it_ran(clock):
    late = live(frequency="once", date=date(2026, 11, 19))
    assert "has passed" in state_of(late).problem
    assert not tasks_of(late).exists()

    done = live(frequency="once", date=date(2026, 11, 20), time_of_day=time(12))
    clock.move_to(NOW + 5 * HOUR, tick=False)
    publish(done, subject="A typo less")
    assert state_of(done).problem == ""


# -- Not live, or broken --------------------------------------------------------------------------------------


def test_saving_a_draft_never_touches_beat():
    campaign = live()
    before = stamp()

    campaign.time_of_day = time(17)
    campaign.save_revision()
    draft()

    assert stamp() == before
    assert task_of(campaign).crontab.hour == "9"
    assert Campaign.objects.get(pk=campaign.pk).has_unpublished_changes


def test_a_draft_has_no_periodic_task():
    campaign = draft()

    schedules.sync(campaign.pk)

    assert not tasks_of(campaign).exists()


def test_unpublishing_disables_and_publishing_enables(clock):
    campaign = live()

    campaign.unpublish()
    assert task_of(campaign).enabled is False
    assert state_of(campaign).next_slot is None

    clock.move_to(NOW + DAY, tick=False)
    publish(campaign)
    assert task_of(campaign).enabled is True
    assert task_of(campaign).last_run_at == NOW + DAY
    assert state_of(campaign).changed_at == NOW + DAY
    assert state_of(campaign).pause_reason == ""


def test_deleting_leaves_nothing_in_beat():
    campaign = live()

    campaign.delete()

    assert not PeriodicTask.objects.filter(name__startswith="wagtail_lifecycle.campaign.").exists()
    assert not CrontabSchedule.objects.exists()


def test_a_campaign_that_cannot_be_sent_gets_no_task_and_says_why():
    campaign = live(audience="", time_of_day=None)

    assert not tasks_of(campaign).exists()
    problem = state_of(campaign).problem
    assert "time of day is missing" in problem
    assert "Choose who gets the mail" in problem


def test_a_campaign_broken_by_an_edit_is_switched_off_until_it_is_mended(clock):
    campaign = live()

    publish(campaign, subject="")
    assert task_of(campaign).enabled is False
    assert state_of(campaign).problem

    clock.move_to(NOW + HOUR, tick=False)
    publish(campaign, subject="Hello")
    assert task_of(campaign).enabled is True
    assert state_of(campaign).problem == ""
    assert state_of(campaign).pause_reason == ""
    assert state_of(campaign).changed_at == NOW, "a problem is no change of the schedule"


def test_now_that_was_sent_is_not_sent_again_when_a_problem_goes_away(clock):
    campaign = live(frequency="now")
    clock.move_to(NOW + HOUR, tick=False)
    publish(campaign, subject="")

    publish(campaign, subject="Hello")

    assert state_of(campaign).changed_at == NOW
    assert state_of(campaign).next_slot is None


def test_an_unknown_or_deleted_campaign_is_no_error():
    schedules.sync(12345)
    schedules.resume(12345)
    assert not CampaignState.objects.exists()
    assert not PeriodicTask.objects.filter(name=schedules.task_name(12345)).exists()
    campaign = live()
    task = task_of(campaign)
    campaign.delete()
    schedules.sync(campaign.pk)
    schedules.resume(campaign.pk)
    assert not CampaignState.objects.exists()
    assert not PeriodicTask.objects.filter(pk=task.pk).exists()


def test_a_row_made_impossible_past_the_form_is_noticed_without_an_error():
    campaign = live()
    Campaign.objects.update(time_of_day=None)
    campaign.refresh_from_db()

    assert not schedules.in_step(campaign, state_of(campaign), task_of(campaign), NOW)
    schedules.sync(campaign.pk)
    assert "time of day is missing" in state_of(campaign).problem
    assert schedules.due_slot(campaign, state_of(campaign), NOW + DAY) is None


# -- People in beat's admin -----------------------------------------------------------------------------------


def test_a_task_disabled_in_beat_stays_disabled_and_the_campaign_says_so():
    campaign = live()
    disable(campaign)

    schedules.sync(campaign.pk)
    publish(campaign, subject="Other", time_of_day=time(10))

    assert task_of(campaign).enabled is False
    assert state_of(campaign).pause_reason == "disabled_in_beat"
    assert state_of(campaign).next_slot is None
    assert task_of(campaign).crontab.hour == "10"


def test_nothing_is_due_the_moment_the_task_is_disabled_in_beat():
    campaign = live()
    disable(campaign)

    assert schedules.due_slot(campaign, state_of(campaign), NOW + DAY) is None


def test_resume_enables_it_and_sends_nothing_from_before(clock):
    campaign = live()
    disable(campaign)
    clock.move_to(NOW + 3 * DAY, tick=False)

    schedules.resume(campaign.pk)

    assert task_of(campaign).enabled is True
    assert task_of(campaign).last_run_at == NOW + 3 * DAY
    assert state_of(campaign).pause_reason == ""
    assert schedules.missed_slots(campaign, state_of(campaign), NOW + 3 * DAY) is None


def test_resuming_what_is_not_paused_changes_nothing(clock):
    campaign = live(frequency="now")
    clock.move_to(NOW + HOUR, tick=False)
    before = stamp()

    schedules.resume(campaign.pk)

    assert stamp() == before
    assert state_of(campaign).changed_at == NOW


def test_enabling_it_again_in_beat_is_resuming(clock):
    campaign = live()
    disable(campaign)
    schedules.sync(campaign.pk)
    clock.move_to(NOW + 3 * DAY, tick=False)
    task = task_of(campaign)
    task.enabled = True
    task.save()

    schedules.sync(campaign.pk)

    assert state_of(campaign).pause_reason == ""
    assert state_of(campaign).changed_at == NOW + 3 * DAY


def test_a_pause_outlives_unpublishing():
    campaign = live()
    disable(campaign)

    campaign.unpublish()
    publish(campaign)

    assert task_of(campaign).enabled is False
    assert state_of(campaign).pause_reason == "disabled_in_beat"


def test_a_task_deleted_in_beat_comes_back(clock):
    campaign = live()
    task_of(campaign).delete()
    clock.move_to(NOW + HOUR, tick=False)

    schedules.sync(campaign.pk)

    assert task_of(campaign).enabled is True
    assert task_of(campaign).last_run_at == NOW + HOUR


def test_a_paused_task_deleted_in_beat_comes_back_paused():
    campaign = live()
    disable(campaign)
    schedules.sync(campaign.pk)
    task_of(campaign).delete()

    schedules.sync(campaign.pk)

    assert task_of(campaign).enabled is False


# -- The package's own tasks ----------------------------------------------------------------------------------


def test_the_own_tasks_exist_after_migrating_each_with_its_interval():
    own = PeriodicTask.objects.exclude(name__startswith="wagtail_lifecycle.campaign.").filter(
        name__startswith="wagtail_lifecycle."
    )

    assert {task.name: str(task.interval) for task in own} == {
        "wagtail_lifecycle.recover": "every minute",
        "wagtail_lifecycle.flush_page_views": "every 10 seconds",
        "wagtail_lifecycle.publish_scheduled": "every minute",
    }
    assert all(task.expire_seconds <= 60 for task in own)


def test_syncing_the_own_tasks_again_writes_nothing():
    schedules.sync_system_tasks()
    before = stamp()

    schedules.sync_system_tasks()

    assert stamp() == before


def test_an_own_task_that_a_person_disabled_or_slowed_down_stays_so():
    task = PeriodicTask.objects.get(name="wagtail_lifecycle.flush_page_views")
    task.enabled = False
    task.save()
    IntervalSchedule.objects.filter(pk=task.interval_id).update(every=30)

    schedules.sync_system_tasks()

    task.refresh_from_db()
    assert (task.enabled, task.interval.every) == (False, 30)


def test_an_own_interval_follows_its_setting_and_leaves_no_row_behind(settings):
    rows = IntervalSchedule.objects.count()
    settings.WAGTAIL_LIFECYCLE_RECOVER_SECONDS = 15

    schedules.sync_system_tasks()
    schedules.sync_system_tasks()

    task = PeriodicTask.objects.get(name="wagtail_lifecycle.recover")
    assert (str(task.interval), task.expire_seconds) == ("every 15 seconds", 15)
    assert IntervalSchedule.objects.count() == rows


def test_an_interval_that_a_person_chose_stays_whatever_the_setting_says_later(settings):
    task = PeriodicTask.objects.get(name="wagtail_lifecycle.recover")
    task.interval = IntervalSchedule.objects.create(every=5, period="minutes")
    task.save()

    for seconds in (15, 30):
        settings.WAGTAIL_LIFECYCLE_RECOVER_SECONDS = seconds
        schedules.sync_system_tasks()

    task.refresh_from_db()
    assert str(task.interval) == "every 5 minutes"


def test_a_crontab_that_a_person_gave_an_own_task_stays(settings):
    task = PeriodicTask.objects.get(name="wagtail_lifecycle.recover")
    task.interval, task.crontab = None, CrontabSchedule.objects.create(minute="*/5")
    task.save()
    settings.WAGTAIL_LIFECYCLE_RECOVER_SECONDS = 15

    schedules.sync_system_tasks()

    task.refresh_from_db()
    assert (task.interval, task.crontab.minute) == (None, "*/5")


def test_an_own_task_that_waits_for_a_time_far_ahead_is_put_right():
    tasks = PeriodicTask.objects.filter(name="wagtail_lifecycle.recover")
    tasks.update(last_run_at=NOW + 365 * DAY)

    schedules.sync_system_tasks()

    assert tasks.get().last_run_at <= NOW


def test_a_change_dated_far_ahead_silences_no_campaign():
    campaign = live()
    ahead = NOW + 365 * DAY
    CampaignState.objects.update(changed_at=ahead)
    PeriodicTask.objects.filter(name=schedules.task_name(campaign.pk)).update(last_run_at=ahead)

    schedules.sync(campaign.pk)

    assert CampaignState.objects.get().changed_at <= NOW
    assert PeriodicTask.objects.get(name=schedules.task_name(campaign.pk)).last_run_at <= NOW


def test_an_own_task_follows_the_queue_setting(settings):
    settings.WAGTAIL_LIFECYCLE_QUEUES = {"transactional": "quick"}

    schedules.sync_system_tasks()

    assert PeriodicTask.objects.get(name="wagtail_lifecycle.recover").queue == "quick"


def test_before_beats_tables_exist_nothing_happens(monkeypatch):
    PeriodicTask.objects.all().delete()
    monkeypatch.setattr(connection.introspection, "table_names", lambda *_args, **_kwargs: [])

    schedules.sync_system_tasks()

    assert not PeriodicTask.objects.exists()


def test_a_wrong_setting_does_not_break_publishing_and_is_said(settings):
    settings.WAGTAIL_LIFECYCLE_QUEUES = {"bluk": "slow"}
    campaign = live()
    assert "bluk" in CampaignState.objects.get(campaign=campaign).problem


def test_a_translation_begins_as_a_draft():
    translation = live().copy_for_translation(Locale.objects.create(language_code="de"))
    translation.save()
    translation.refresh_from_db()
    assert (translation.live, translation.live_revision, translation.latest_revision) == (False, None, None)
