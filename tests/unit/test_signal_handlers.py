"""Publishing, unpublishing and deleting bring beat into step; nothing else does."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import transaction
from django.db.models import ProtectedError
from django_celery_beat.models import PeriodicTask, PeriodicTasks
from wagtail.models import Locale

from tests.support.campaigns import draft, live, publish
from wagtail_lifecycle import signal_handlers
from wagtail_lifecycle.models import Campaign, CampaignState, Topic

pytestmark = pytest.mark.django_db

PREFIX = "wagtail_lifecycle.campaign."


def names():
    return sorted(PeriodicTask.objects.filter(name__startswith=PREFIX).values_list("name", flat=True))


@pytest.fixture
def german():
    return Locale.objects.create(language_code="de")


def translated(campaign, locale):
    copy = campaign.copy_for_translation(locale)
    copy.save()
    return publish(copy)


def test_publishing_through_a_revision_creates_the_task():
    campaign = live()

    assert names() == [f"{PREFIX}{campaign.pk}"]


def test_wagtails_scheduled_publishing_creates_the_task():
    campaign = draft()
    campaign.go_live_at = datetime.now(UTC) + timedelta(minutes=1)
    campaign.save_revision().publish()
    assert names() == []

    Campaign.objects.update(go_live_at=datetime.now(UTC) - timedelta(minutes=1))
    revision = Campaign.objects.get().latest_revision
    revision.approved_go_live_at = datetime.now(UTC) - timedelta(minutes=1)
    revision.content["go_live_at"] = None
    revision.save()
    call_command("publish_scheduled", verbosity=0)

    assert names() == [f"{PREFIX}{campaign.pk}"]


def test_many_saves_of_a_draft_leave_beat_alone():
    campaign = live()
    before = PeriodicTasks.objects.get(ident=1).last_update

    for hour in range(10, 20):
        campaign.time_of_day = time(hour)
        campaign.save_revision()

    assert PeriodicTasks.objects.get(ident=1).last_update == before
    assert PeriodicTask.objects.get(name__startswith=PREFIX).crontab.hour == "9"


def test_a_translation_is_content_only(german):
    campaign = live()
    before = PeriodicTasks.objects.get(ident=1).last_update

    translated(campaign, german)

    assert names() == [f"{PREFIX}{campaign.pk}"]
    assert PeriodicTasks.objects.get(ident=1).last_update == before


def test_unpublishing_a_translation_does_not_stop_the_campaign(german):
    campaign = live()

    translated(campaign, german).unpublish()

    assert PeriodicTask.objects.get(name__startswith=PREFIX).enabled


def test_deleting_a_translation_does_not_stop_the_campaign(german):
    campaign = live()

    translated(campaign, german).delete()

    assert names() == [f"{PREFIX}{campaign.pk}"]


def test_deleting_the_campaign_deletes_its_translations_and_its_task(german):
    campaign, other = live(), live(name="Other")
    translated(campaign, german)

    campaign.delete()

    assert list(Campaign.objects.all()) == [other]
    assert names() == [f"{PREFIX}{other.pk}"]


def test_deleting_all_at_once_works_too(german):
    translated(live(), german)

    Campaign.objects.all().delete()

    assert names() == []
    assert not CampaignState.objects.exists()


def test_a_transaction_that_fails_leaves_no_task():
    campaign = draft()

    with transaction.atomic():
        publish(campaign)
        transaction.set_rollback(True)

    assert names() == []


def test_migrating_creates_the_own_tasks():
    PeriodicTask.objects.all().delete()

    signal_handlers.sync_system_tasks(using="default", sender=apps.get_app_config("wagtail_lifecycle"))

    assert PeriodicTask.objects.filter(name="wagtail_lifecycle.recover").exists()


def test_connecting_twice_handles_once():
    signal_handlers.connect()
    signal_handlers.connect()

    campaign = live()

    assert names() == [f"{PREFIX}{campaign.pk}"]


def test_a_topic_that_only_a_version_names_is_kept():
    campaign = live()
    old = campaign.topic
    publish(campaign, topic=Topic.objects.create(name="Other", slug="other"))

    with pytest.raises(ProtectedError, match="earlier version"), transaction.atomic():
        old.delete()
    assert Topic.objects.filter(pk=old.pk).exists()


def test_a_topic_that_nothing_names_can_go():
    Topic.objects.create(name="Unused", slug="unused").delete()
    assert not Topic.objects.filter(slug="unused").exists()
