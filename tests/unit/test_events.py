"""Events: what editors read of them, when campaigns on them are due, and what beat knows of those."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation
from django_celery_beat.models import PeriodicTask

from tests.support.events import OrderShipped, edit, on_event
from tests.support.factories import make_campaign
from wagtail_lifecycle import registry, schedules, ticking
from wagtail_lifecycle.events import Event, UserRegistered
from wagtail_lifecycle.exceptions import AlreadyRegistered, InvalidSchedule
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.models.problems import problems_of

#: after everything that the tests do in real time
NOW = datetime(2036, 11, 20, 8, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def task_of(campaign):
    return PeriodicTask.objects.get(name=schedules.task_name(campaign.pk))


def unsaved(event="user_registered", **fields):
    return Campaign(name="Hello", trigger="event", event=event, **fields)


# -- Words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delay", "sentence"),
    [
        (timedelta(0), "As soon as a user registers"),
        (3 * DAY, "3 days after a user registers"),
        (DAY + 2 * HOUR, "1 day 2 hours after a user registers"),
        (90 * MINUTE, "1 hour 30 minutes after a user registers"),
        (timedelta(seconds=45), "45 seconds after a user registers"),
    ],
)
def test_a_campaign_says_when_it_goes(delay, sentence):
    assert schedules.describe(unsaved(delay=delay)) == sentence


def test_an_event_without_sentences_of_its_own_is_named():
    with registry.events.temporarily(OrderShipped):
        assert schedules.describe(unsaved("order_shipped")) == "As soon as this happens: An order is shipped"
        text = schedules.describe(unsaved("order_shipped", delay=DAY))
    assert text == "1 day after this: An order is shipped"


def test_an_unknown_event_is_described_without_an_error():
    assert schedules.describe(unsaved("gone")) == "On an event"


def test_the_built_in_events_can_be_chosen():
    assert registry.events.names()[:2] == ["user_registered", "user_verified"]
    with translation.override("en"):
        assert dict(registry.events.choices())["user_verified"] == "A user verifies their address"


def test_two_events_cannot_share_a_name():
    class Other(Event):
        name = "user_registered"
        label = "Another"

    with pytest.raises(AlreadyRegistered):
        registry.register_event(Other)


def test_mail_about_a_registration_is_worth_sending_as_long_as_its_link_works(settings):
    settings.WAGTAIL_LIFECYCLE_VERIFICATION_SECONDS = 600
    assert UserRegistered.expires_after() == 10 * MINUTE
    assert OrderShipped.expires_after() == 3 * DAY


# -- Schedules -----------------------------------------------------------------------------------------------


def test_a_campaign_on_an_event_has_no_slots():
    campaign = unsaved()
    schedules.check(campaign, NOW)
    assert schedules.next_slots(campaign, NOW) == []
    assert list(schedules.slots_between(campaign, NOW, NOW + 30 * DAY)) == []
    assert schedules.latest_slot(campaign, NOW, NOW - DAY) is None
    assert schedules.notes(campaign, NOW) == []


def test_a_delay_below_zero_is_refused():
    with pytest.raises(InvalidSchedule, match="before its event") as caught:
        schedules.check(unsaved(delay=-HOUR), NOW)
    assert caught.value.field == "delay"


@pytest.mark.django_db
def test_a_live_campaign_on_an_event_is_one_task_every_five_minutes():
    campaign = on_event(delay=3 * DAY)
    task = task_of(campaign)
    assert task.enabled
    assert (task.task, task.interval.every, task.interval.period) == ("wagtail_lifecycle.tick", 5, "minutes")
    assert "3 days after a user registers" in task.description
    assert campaign.state.next_slot is None


@pytest.mark.django_db
def test_nothing_is_due_and_nothing_was_missed_however_late_the_tick():
    campaign = on_event()
    for now in (NOW, NOW + 400 * DAY):
        assert ticking.tick(campaign.pk, now) is None
    assert not campaign.runs.exists()


@pytest.mark.django_db
def test_a_campaign_on_an_event_stays_in_step():
    campaign = on_event()
    assert schedules.in_step(campaign, campaign.state, task_of(campaign), NOW)


@pytest.mark.django_db
def test_somebody_who_disables_the_task_in_beats_admin_is_obeyed():
    campaign = on_event()
    task = task_of(campaign)
    task.enabled = False
    task.save()

    ticking.recover(NOW)
    ticking.recover(NOW)

    campaign.state.refresh_from_db()
    assert campaign.state.pause_reason == "disabled_in_beat"
    assert not task_of(campaign).enabled


@pytest.mark.django_db
def test_resuming_enables_the_task_again():
    campaign = on_event()
    PeriodicTask.objects.filter(pk=task_of(campaign).pk).update(enabled=False)
    ticking.recover(NOW)

    schedules.resume(campaign.pk, NOW)

    campaign.state.refresh_from_db()
    assert campaign.state.pause_reason == ""
    assert task_of(campaign).enabled


@pytest.mark.django_db
def test_unpublishing_and_publishing_again_is_not_taken_for_a_person_in_beats_admin():
    campaign = on_event()
    campaign.unpublish()
    assert not task_of(campaign).enabled

    campaign.refresh_from_db()
    edit(campaign)

    campaign.state.refresh_from_db()
    assert campaign.state.pause_reason == ""
    assert task_of(campaign).enabled


@pytest.mark.django_db
def test_a_campaign_changes_between_schedule_and_event():
    campaign = make_campaign(topic=None)
    assert task_of(campaign).crontab

    edit(campaign, trigger="event", event="user_verified")
    assert task_of(campaign).interval
    assert task_of(campaign).crontab is None

    campaign.refresh_from_db()
    edit(campaign, trigger="schedule")
    assert task_of(campaign).crontab
    campaign.state.refresh_from_db()
    assert campaign.state.next_slot


# -- Problems ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("event", "sentence"), [("", "Choose the event"), ("gone", "“gone” does not exist any more")])
def test_a_campaign_without_a_known_event_says_what_to_do(event, sentence):
    campaign = make_campaign(trigger="event", event=event, topic=None)
    [problem] = problems_of(campaign)
    assert problem.field == "event"
    assert sentence in problem.message
    assert problem.message in campaign.state.problem
    assert not PeriodicTask.objects.filter(name=schedules.task_name(campaign.pk), enabled=True).exists()


@pytest.mark.django_db
def test_the_event_of_a_scheduled_campaign_does_not_matter():
    assert problems_of(make_campaign(event="gone")) == []
