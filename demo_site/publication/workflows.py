"""How what an editor writes gets published: a moderator approves it, posts and campaigns alike."""

from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from wagtail.models import GroupApprovalTask, Page, Workflow, WorkflowContentType, WorkflowPage, WorkflowTask

from wagtail_lifecycle.models import Campaign

NAME = "Moderators approval"


def ensure_workflows() -> None:
    """Assign the workflow where there is none; another choice of the site's admin stays."""
    workflow = ensure_workflow()
    WorkflowPage.objects.get_or_create(page=Page.get_first_root_node(), defaults={"workflow": workflow})
    campaign = ContentType.objects.get_for_model(Campaign)
    WorkflowContentType.objects.get_or_create(content_type=campaign, defaults={"workflow": workflow})


def ensure_workflow() -> Workflow:
    """Return Wagtail's own workflow of this name, or one like it where it was removed."""
    workflow = Workflow.objects.active().filter(name=NAME).first()
    if workflow is None:
        workflow = Workflow.objects.create(name=NAME)
        WorkflowTask.objects.create(workflow=workflow, task=ensure_task(), sort_order=0)
    return workflow


def ensure_task() -> GroupApprovalTask:
    task = GroupApprovalTask.objects.filter(active=True, name=NAME).first()
    if task is None:
        task = GroupApprovalTask.objects.create(name=NAME)
        task.groups.add(Group.objects.get(name="Moderators"))
    return task
