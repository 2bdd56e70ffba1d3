"""The mails of a live version are made for everybody before its slot, and what is wrong with them pauses it."""

import json
import logging

import pytest

from tests.support.content import paragraph
from tests.support.factories import NOW, make_campaign, make_translation, make_user, make_users
from wagtail_lifecycle import rehearsing, schedules
from wagtail_lifecycle.models import CampaignState, Delivery, OptOut, Rehearsal
from wagtail_lifecycle.models.people import hash_address

pytestmark = pytest.mark.django_db

CHIP = '<span data-merge-tag="recipient.name">Name</span>'


def test_everybody_is_counted_and_nobody_gets_a_mail(mailoutbox):
    people = make_users(5)
    OptOut.objects.create(address_hash=hash_address(people[0].email), created_at=NOW)
    campaign = make_campaign(paragraph(f"Dear {CHIP},"))
    people[1].name = ""
    people[1].save()
    assert rehearsing.waiting() == [campaign.pk]
    assert rehearsing.rehearse(campaign.pk, NOW) is False
    rehearsal = Rehearsal.objects.get()
    assert (rehearsal.made, rehearsal.left_out, rehearsal.failed) == (4, 1, 0)
    assert rehearsal.missing == {"recipient.name": 1}
    assert rehearsal.largest > 1000
    assert rehearsal.finished_at is not None
    assert rehearsing.waiting() == []
    assert not mailoutbox
    assert not Delivery.objects.exists()


def test_it_goes_on_where_it_stopped(settings, monkeypatch):
    settings.WAGTAIL_LIFECYCLE_BATCH_SECONDS = -1
    monkeypatch.setattr(rehearsing, "PAGE", 2)
    make_users(5)
    campaign = make_campaign()
    steps = 0
    while rehearsing.rehearse(campaign.pk, NOW):
        steps += 1
    assert steps == 3
    assert Rehearsal.objects.get().made == 5


def test_a_page_that_two_tasks_took_counts_once():
    make_users(3)
    campaign = make_campaign()
    first, second = (
        Rehearsal.objects.get_or_create(
            revision=campaign.live_revision, defaults={"campaign": campaign, "started_at": NOW}
        )[0]
        for _ in range(2)
    )
    assert rehearsing._go_on(first, campaign) is False
    assert rehearsing._go_on(second, campaign) is False
    assert Rehearsal.objects.get().made == 3


def test_a_mail_that_cannot_be_made_pauses_the_campaign_before_its_slot(monkeypatch, caplog):
    make_user("ana@example.org", name="Ana Costa")
    campaign = make_campaign()
    fail_for(monkeypatch, "Ana Costa")
    with caplog.at_level(logging.INFO):
        rehearsing.rehearse(campaign.pk, NOW)
    state = CampaignState.objects.get(campaign=campaign)
    assert state.pause_reason == CampaignState.Pause.PREFLIGHT
    assert state.next_slot is None
    rehearsal = Rehearsal.objects.get()
    assert rehearsal.errors == {"ValueError": 1}
    told = caplog.text + json.dumps([rehearsal.errors, rehearsal.missing, rehearsal.cursor])
    assert "Ana" not in told
    assert "ana@example.org" not in told


def fail_for(monkeypatch, name):
    personal_mail = rehearsing.samples.personal_mail

    def personal_mail_or_not(compiled, recipient, *args, **options):
        if recipient.name == name:
            raise ValueError(f"{name} broke it")
        return personal_mail(compiled, recipient, *args, **options)

    monkeypatch.setattr(rehearsing.samples, "personal_mail", personal_mail_or_not)


def test_a_person_resumes_it_and_it_stays_resumed(monkeypatch):
    make_user(name="Ana Costa")
    campaign = make_campaign()
    fail_for(monkeypatch, "Ana Costa")
    rehearsing.rehearse(campaign.pk, NOW)
    schedules.resume(campaign.pk)
    rehearsing.rehearse(campaign.pk, NOW)
    schedules.sync(campaign.pk)
    state = CampaignState.objects.get(campaign=campaign)
    assert state.pause_reason == ""
    assert state.next_slot is not None


def test_another_version_lifts_the_pause_and_is_rehearsed_again(monkeypatch):
    make_user(name="Ana Costa")
    campaign = make_campaign()
    fail_for(monkeypatch, "Ana Costa")
    rehearsing.rehearse(campaign.pk, NOW)
    campaign.save_revision().publish()
    assert CampaignState.objects.get(campaign=campaign).pause_reason == ""
    assert rehearsing.waiting() == [campaign.pk]


def test_a_translation_that_is_published_is_rehearsed_as_well():
    make_user()
    campaign = make_campaign()
    rehearsing.rehearse(campaign.pk, NOW)
    make_translation(campaign, "de")
    assert rehearsing.waiting() == [campaign.pk]


def test_a_mail_that_kills_its_worker_is_not_made_for_ever(monkeypatch):
    make_user()
    campaign = make_campaign()

    def die(*_args, **_options):
        raise SystemExit

    monkeypatch.setattr(rehearsing.samples, "personal_mail", die)
    for _ in range(rehearsing.TRIES):
        with pytest.raises(SystemExit):
            rehearsing.rehearse(campaign.pk, NOW)
    assert rehearsing.rehearse(campaign.pk, NOW) is False
    assert Rehearsal.objects.get().errors == {rehearsing.WORKER_LOST: 1}
    assert CampaignState.objects.get(campaign=campaign).pause_reason == CampaignState.Pause.PREFLIGHT
