"""A tick is only a wake-up: what is due is decided by the slots and the runs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError
from django_celery_beat.models import PeriodicTask
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Locale

from tests.support.campaigns import draft, live, publish
from tests.support.content import body, paragraph
from wagtail_lifecycle import registry, schedules, ticking
from wagtail_lifecycle.audiences import ActiveUsers
from wagtail_lifecycle.models import Campaign, CampaignState, Run

#: Friday, 20 November 2026, 09:00 in Paris
SLOT = datetime(2026, 11, 20, 8, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def clock(db, time_machine):
    """Friday, 07:00 in Paris."""
    time_machine.move_to(SLOT - 2 * HOUR, tick=False)
    return time_machine


def runs(campaign):
    rows = Run.objects.filter(campaign=campaign).order_by("slot")
    return list(rows.values_list("slot", "reason", "missed_count"))


def next_slot(campaign):
    return CampaignState.objects.get(campaign=campaign).next_slot


def test_a_tick_at_the_slot_opens_its_run():
    campaign = live()

    run_id = ticking.tick(campaign.pk, SLOT + timedelta(seconds=3))

    assert Run.objects.get().pk == run_id
    assert runs(campaign) == [(SLOT, "", 0)]
    assert next_slot(campaign) == SLOT + DAY


def test_a_group_deleted_since_publishing_stops_the_campaign_and_says_why():
    group = Group.objects.create(name="Readers")
    campaign = live(audience=f"group_members:{group.pk}")
    group.delete()

    assert ticking.tick(campaign.pk, SLOT) is None
    assert runs(campaign) == []
    assert "group of this audience no longer exists" in CampaignState.objects.get(campaign=campaign).problem
    assert not PeriodicTask.objects.get(name=schedules.task_name(campaign.pk)).enabled


def test_a_sender_removed_since_publishing_stops_the_campaign_and_says_why(settings):
    campaign = live()
    settings.WAGTAIL_LIFECYCLE_SENDERS = {"other": {"from": "other@example.org"}}

    assert ticking.tick(campaign.pk, SLOT) is None
    assert "is not configured any more" in CampaignState.objects.get(campaign=campaign).problem


def test_a_picture_deleted_since_publishing_stops_nothing():
    picture = get_image_model().objects.create(title="Sea", file=get_test_image_file())
    image = {"image": picture.pk, "decorative": True, "alt_text": ""}
    campaign = live(body=body(("image", {"image": image, "page": None, "url": ""}), paragraph("Hello.")))
    picture.delete()

    assert ticking.tick(campaign.pk, SLOT) is not None


def test_a_second_tick_of_the_same_slot_does_nothing():
    campaign = live()
    ticking.tick(campaign.pk, SLOT)

    assert ticking.tick(campaign.pk, SLOT) is None
    assert ticking.tick(campaign.pk, SLOT + 30 * MINUTE) is None
    assert len(runs(campaign)) == 1


def test_a_tick_two_hours_early_does_nothing():
    campaign = live()

    assert ticking.tick(campaign.pk, SLOT - HOUR) is None
    assert runs(campaign) == []


def test_a_late_tick_still_runs_the_slot_within_the_patience_of_the_campaign():
    campaign = live()

    assert ticking.tick(campaign.pk, SLOT + 59 * MINUTE)
    assert runs(campaign) == [(SLOT, "", 0)]


def test_a_tick_that_is_too_late_records_the_slot_as_missed():
    campaign = live()

    assert ticking.tick(campaign.pk, SLOT + 2 * HOUR) is None
    assert runs(campaign) == [(SLOT, "missed", 1)]


def test_a_tick_after_days_without_beat_records_them_before_it_runs_the_newest():
    campaign = live()

    ticking.tick(campaign.pk, SLOT + 3 * DAY)

    assert runs(campaign) == [(SLOT + 2 * DAY, "missed", 3), (SLOT + 3 * DAY, "", 0)]
    assert Run.objects.get(reason="missed").missed_from == SLOT


@pytest.mark.parametrize("campaign_id", [0, 12345])
def test_a_tick_for_nobody_is_harmless(campaign_id):
    assert ticking.tick(campaign_id, SLOT) is None


def test_a_tick_for_a_draft_or_a_translation_is_harmless():
    campaign = live()
    copy = campaign.copy_for_translation(Locale.objects.create(language_code="de"))
    copy.save()
    publish(copy)

    assert ticking.tick(copy.pk, SLOT) is None
    assert ticking.tick(draft().pk, SLOT) is None
    assert not Run.objects.exists()


def test_a_campaign_disabled_in_beat_does_not_run_even_if_a_tick_was_on_its_way():
    campaign = live()
    task = PeriodicTask.objects.get(name=schedules.task_name(campaign.pk))
    task.enabled = False
    task.save()

    assert ticking.tick(campaign.pk, SLOT) is None
    assert ticking.recover(SLOT + MINUTE) == []
    assert CampaignState.objects.get().pause_reason == "disabled_in_beat"

    schedules.resume(campaign.pk, SLOT + 3 * DAY + MINUTE)
    assert ticking.recover(SLOT + 3 * DAY + 2 * MINUTE) == []
    assert runs(campaign) == []


def test_now_runs_once_and_stays_quiet(clock):
    campaign = live(frequency="now")
    start = SLOT - 2 * HOUR

    assert ticking.tick(campaign.pk, start + 59 * timedelta(seconds=1)) is None
    assert ticking.tick(campaign.pk, start + MINUTE)
    clock.move_to(start + HOUR, tick=False)
    publish(campaign, subject="A typo less")

    assert ticking.recover(start + HOUR + 2 * MINUTE) in ([], [Run.objects.get().pk])
    assert len(runs(campaign)) == 1
    assert next_slot(campaign) is None


# -- Recovering -----------------------------------------------------------------------------------------------


def test_recovering_opens_what_a_lost_tick_should_have():
    campaign = live()

    assert ticking.recover(SLOT - MINUTE) == []
    assert ticking.recover(SLOT + MINUTE)
    assert runs(campaign) == [(SLOT, "", 0)]


def test_recovering_after_a_week_sends_one_and_records_the_rest_once():
    campaign = live()

    ticking.recover(SLOT + 7 * DAY + MINUTE)
    ticking.recover(SLOT + 7 * DAY + 2 * MINUTE)

    assert runs(campaign) == [(SLOT + 6 * DAY, "missed", 7), (SLOT + 7 * DAY, "", 0)]


def test_recovering_a_year_of_minutes_is_two_runs():
    campaign = live(frequency="minutes", every=1)

    ticking.recover(SLOT + 365 * DAY)

    assert [(slot, count) for slot, _reason, count in runs(campaign)] == [
        (SLOT + 365 * DAY - MINUTE, 365 * 24 * 60 + 120),
        (SLOT + 365 * DAY, 0),
    ]


def test_two_recoverers_at_once_do_what_one_does():
    campaign = live()
    standings = ticking._look(None, SLOT + 2 * DAY)

    first = list(ticking._release_all(standings, SLOT + 2 * DAY))
    second = list(ticking._release_all(standings, SLOT + 2 * DAY))

    assert first == second
    assert len(runs(campaign)) == 2


def test_recovering_heals_what_nobody_told_us(clock):
    campaign, gone = live(), live(name="Gone")
    PeriodicTask.objects.get(name=schedules.task_name(campaign.pk)).delete()
    Campaign.objects.filter(pk=gone.pk).update(live=False)
    Campaign.objects.filter(pk=campaign.pk).update(frequency="hours", every=5)
    behind = draft(live=True, name="Never published")

    ticking.recover(SLOT)

    assert PeriodicTask.objects.get(name=schedules.task_name(campaign.pk)).interval.every == 5
    assert PeriodicTask.objects.get(name=schedules.task_name(behind.pk)).enabled
    assert not PeriodicTask.objects.get(name=schedules.task_name(gone.pk)).enabled


def test_recovering_deletes_the_task_of_a_campaign_that_vanished():
    campaign = live()
    CampaignState.objects.all().delete()
    Campaign.objects.filter(pk=campaign.pk)._raw_delete("default")

    ticking.recover(SLOT)

    assert not PeriodicTask.objects.filter(name=schedules.task_name(campaign.pk)).exists()


def test_a_problem_that_went_away_is_noticed_within_a_minute():
    with registry.audiences.temporarily(Members):
        campaign = live(audience="members")
        assert CampaignState.objects.get().problem == ""
    publish(campaign)
    assert "members" in CampaignState.objects.get().problem

    with registry.audiences.temporarily(Members):
        ticking.recover(SLOT)

        assert CampaignState.objects.get().problem == ""
        assert runs(campaign) == [(SLOT, "", 0)]


class Members(ActiveUsers):
    name, label = "members", "Members"


class Broken(Members):
    name, label = "broken", "Broken"

    def pages(self, *args, **kwargs):
        raise RuntimeError


def test_one_campaign_at_fault_keeps_no_other_waiting(caplog):
    with registry.audiences.temporarily(Broken):
        live(audience="broken", name="At fault")
        campaign = live()

        ticking.recover(SLOT)

    assert runs(campaign) == [(SLOT, "", 0)]
    assert "campaign not released" in caplog.text


def test_one_campaign_that_cannot_be_synced_keeps_no_other_waiting(caplog, monkeypatch):
    stale, campaign = live(name="Stale"), live()
    PeriodicTask.objects.get(name=schedules.task_name(stale.pk)).delete()

    def fails_on_save(self, *args, **kwargs):
        raise DatabaseError

    monkeypatch.setattr(PeriodicTask, "save", fails_on_save)

    ticking.recover(SLOT)

    assert (SLOT, "", 0) in runs(campaign)
    assert "campaign not synced" in caplog.text


def test_recovering_takes_as_many_queries_for_thirty_campaigns_as_for_three(django_assert_max_num_queries):
    def queries():
        with django_assert_max_num_queries(24) as captured:
            ticking.recover(SLOT - MINUTE)
        return len(captured)

    for number in range(3):
        live(name=f"Campaign {number}")
    # The first one writes down that somebody is there; later ones only when.
    queries()
    few = queries()
    for number in range(27):
        live(name=f"More {number}")

    assert queries() == few
