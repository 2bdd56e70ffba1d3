"""A moderator's approval publishes a campaign, which activates it; and what else becomes of versions."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from wagtail.models import GroupApprovalTask, Workflow, WorkflowContentType, WorkflowTask

from tests.support.admin import logged_in, url, words
from tests.support.factories import make_campaign, make_empty_run, make_topic, make_user
from wagtail_lifecycle import schedules, tasks
from wagtail_lifecycle.models import Campaign

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def submitted():
    """A draft that waits for a moderator."""
    task = GroupApprovalTask.objects.create(name="Moderators approval")
    task.groups.add(Group.objects.get_or_create(name="Approvers")[0])
    workflow = Workflow.objects.create(name="Approval")
    WorkflowTask.objects.create(workflow=workflow, task=task)
    campaigns = ContentType.objects.get_for_model(Campaign)
    WorkflowContentType.objects.create(workflow=workflow, content_type=campaigns)
    campaign = make_campaign(name="Autumn letter", publish=False)
    campaign.save_revision()
    workflow.start(campaign, make_user())
    return campaign


def approver() -> Client:
    user, client = make_user(), logged_in("moderator")
    user = client.get("/admin/").wsgi_request.user
    user.groups.add(Group.objects.get(name="Approvers"))
    return client


def decide(client: Client, campaign: Campaign, action: str) -> None:
    state = campaign.current_workflow_state.current_task_state
    client.post(url("workflow_action", campaign.pk, action, state.pk), {"comment": ""})
    campaign.refresh_from_db()


def is_on(campaign: Campaign) -> bool:
    return PeriodicTask.objects.filter(args=f"[{campaign.pk}]", enabled=True).exists()


def test_approval_publishes_and_activates(submitted):
    client = approver()
    [line] = words(client.get(url("list")), "tbody tr")
    assert "in moderation" in line.lower()
    decide(client, submitted, "approve")
    assert submitted.live
    assert is_on(submitted)


def test_what_is_rejected_stays_a_draft(submitted):
    decide(approver(), submitted, "reject")
    assert not submitted.live
    assert not is_on(submitted)


def test_who_is_no_moderator_cannot_approve(submitted):
    decide(logged_in("editor"), submitted, "approve")
    assert not submitted.live


def test_versions_are_compared_in_words():
    campaign = make_campaign(name="Letter", subject="Old subject", month_day=1)
    campaign.subject, campaign.month_day, campaign.frequency = "New subject", -1, "monthly"
    campaign.topic, campaign.late_within, campaign.is_transactional = make_topic("Offers"), timedelta(hours=3), True
    campaign.audience = "unverified_users"
    campaign.body[0].value["text"].source = "<p>There is something else.</p>"
    campaign.save_revision()
    compared = " ".join(words(logged_in("moderator").get(url("revisions_compare", campaign.pk, "earliest", "latest"))))
    for expected in ("Old", "New", "else", "Every day", "Every month", "last day", "Reports", "Offers"):
        assert expected in compared, compared
    for expected in ("1 hour 3 hours", "no yes", "Active users", "not verified"):
        assert expected in compared, compared


def test_a_scheduled_campaign_goes_live_and_expires(time_machine):
    now = timezone.now()
    campaign = make_campaign(publish=False)
    campaign.go_live_at, campaign.expire_at = now + timedelta(days=1), now + timedelta(days=3)
    campaign.save_revision().publish()
    assert not is_on(campaign)
    for days, is_live in ((1.1, True), (3.1, False)):
        time_machine.move_to(now + timedelta(days=days), tick=False)
        tasks.publish_scheduled()
        campaign.refresh_from_db()
        assert campaign.live is is_live
        assert is_on(campaign) is is_live


def test_a_copy_is_a_draft_of_its_own():
    campaign, client = make_campaign(name="Monthly report"), logged_in("moderator")
    make_empty_run(campaign)
    page = client.get(url("copy", campaign.pk))
    assert page.context["form"]["name"].value() == "Monthly report (copy)"
    assert page.context["form"]["time_of_day"].value() == campaign.time_of_day
    assert page.context["form"].instance.pk is None
    copied = campaign.duplicate()
    copied.save()
    copied.save_revision()
    assert (copied.subject, copied.audience) == (campaign.subject, campaign.audience)
    assert copied.body == campaign.body
    assert copied.pk != campaign.pk
    assert copied.translation_key != campaign.translation_key
    assert not copied.live
    assert not copied.runs.exists()
    assert not hasattr(copied, "state")
    schedules.sync(copied.pk)
    assert not is_on(copied)
