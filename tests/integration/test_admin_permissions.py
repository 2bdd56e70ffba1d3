"""Who may open what in the admin is what the reference says: every address, as everybody, with GET and POST."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone
from wagtail.models import GroupApprovalTask, GroupSitePermission, Site, Workflow, WorkflowContentType, WorkflowTask

from tests.support.admin import form_data
from tests.support.admin_urls import own_urls
from tests.support.factories import make_campaign, make_delivery, make_empty_run, make_topic, make_user
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.wagtail_admin.access_groups import PERMISSIONS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "permissions.md"


class Row(NamedTuple):
    """A line of the table in the reference."""

    address: str
    method: str
    answers: dict[str, str]

    @property
    def view(self) -> str:
        return str(resolve(f"/admin/{self.address.partition('?')[0]}").view_name)


VIEWER = ["view_run"]
EDITOR = ["add_campaign", "change_campaign", "view_run"]
MODERATOR = [
    *EDITOR,
    *("publish_campaign", "delete_campaign", "lock_campaign", "unlock_campaign", "send_test_campaign"),
    *("preview_people_campaign", "steer_run", "view_delivery", "add_topic", "change_topic", "delete_topic"),
]
#: the columns of the table
COLUMNS = {"visitor": [], "viewer": VIEWER, "editor": EDITOR, "moderator": MODERATOR}
#: what one site's moderators may not: these belong to all sites
SHARED = (
    "snippets/wagtail_lifecycle/topic/",
    "snippets/choose/wagtail_lifecycle/topic/",
    "snippets/wagtail_lifecycle/campaign/reach/person/",
    "snippets/wagtail_lifecycle/campaign/preview/1/people/",
    "lifecycle/failures/senders/",
)
#: everybody the table tells about, and the column or rule that holds for them
ROLES = ("anonymous", *COLUMNS, "moderator of this site", "moderator of another site", "superuser")
ROWS = [
    Row(address, method, dict(zip(COLUMNS, answers.split(" | "), strict=True)))
    for address, method, answers in re.findall(
        r"^\| `(\S+)` \| (GET|POST) \| (.+?) \|$", REFERENCE.read_text(), re.MULTILINE
    )
]
NAME, PERSON = "Letter to our readers", "somebody.else@example.org"

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def test_every_address_has_its_row():
    told = {row.view for row in ROWS}
    missing = [
        f"| `{re.sub(r'<.*?>|[(].*?[)]', '1', route)}` | GET | no | no | no | yes |   <- {name}"
        for name, route in own_urls().items()
        if name not in told
    ]
    assert not missing, (
        "An address of the admin is not in the table of docs/reference/permissions.md, “Who may open what”. Add a row "
        "for each of its methods that does something (a number in an address is 1), with who may:\n"
        + "\n".join(["| address | method | visitor | viewer | editor | moderator |", *missing])
    )


@pytest.mark.parametrize("role", ROLES)
def test_everybody_opens_what_the_reference_says(role):
    things, client = Things(), log_in(role)
    methods: dict[str, dict[str, Row]] = {}
    for row in ROWS:
        methods.setdefault(row.address, {})[row.method] = row
    wrong = []
    for rows in methods.values():
        for method in ("GET", "POST"):
            row = rows.get(method)
            wrong += list(_faults(role, client, row or next(iter(rows.values())), method, things, is_told=bool(row)))
    assert not wrong, "docs/reference/permissions.md tells something else:\n" + "\n".join(wrong)


def _faults(role: str, client: Client, row: Row, method: str, things: "Things", *, is_told: bool) -> Iterator[str]:
    answer, address = expected(role, row), things.address_of(row)
    with rolled_back(), changes() as written:
        response = client.get(address) if method == "GET" else client.post(address, form_data())
    is_refused = response.status_code == 302 and (response.url == "/admin/" or response.url.startswith("/admin/login/"))
    told = f"{role}: {method} {row.address} answers {response.status_code} {getattr(response, 'url', '')}"
    if answer == "no" and not (is_refused or response.status_code in {404, 405}):
        yield f"{told}, but has to refuse"
    if answer != "no" and is_told and (is_refused or response.status_code in {403, 404, 405}):
        yield f"{told}, but is allowed"
    if written and (answer == "no" or method == "GET" or not is_told):
        yield f"{told}, and writes: {written[0]}. Where this is right, it needs a row of its own for {method}."
    content = response.getvalue().decode(errors="replace") if response.status_code == 200 else ""
    if role == "moderator of another site" and (NAME in content or PERSON in content):
        yield f"{told}, and shows what belongs to another site"
    if answer == "yes, no people" and PERSON in content:
        yield f"{told}, and shows people"


def expected(role: str, row: Row) -> str:
    if role in COLUMNS:
        return row.answers[role]
    if role in {"superuser", "anonymous"}:
        return "yes" if role == "superuser" else "no"
    if row.address.startswith(SHARED):
        return row.answers["visitor"]
    is_about_one = set(resolve(f"/admin/{row.address.partition('?')[0]}").kwargs) & {"pk", "campaign"}
    return "no" if is_about_one and role == "moderator of another site" else row.answers["moderator"]


def log_in(role: str) -> Client:
    client = Client()
    if role == "anonymous":
        return client
    user = make_user(is_superuser=role == "superuser")
    names = ["access_admin", *COLUMNS.get(role, [])]
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label__in=["wagtailadmin", "wagtail_lifecycle"], codename__in=names)
    )
    if role.startswith("moderator"):
        user.groups.add(Group.objects.get(name="Approvers"))
    if role.endswith("site"):
        site = Site.objects.get(is_default_site=role == "moderator of this site")
        user.groups.add(group_of(site))
    client.force_login(user)
    return client


def group_of(site: Site) -> Group:
    """Return a group that may do for one site what can be given for one site."""
    group = Group.objects.create(name=f"Moderators of {site}")
    for permission in Permission.objects.filter(content_type__app_label="wagtail_lifecycle", codename__in=PERMISSIONS):
        GroupSitePermission.objects.create(group=group, site=site, permission=permission)
    return group


class Things:
    """What the ones in the reference's addresses stand for. All of it belongs to the default site."""

    def __init__(self) -> None:
        root = Site.objects.get().root_page
        Site.objects.create(hostname="other.example.org", site_name="Other", root_page=root)
        approvers = Group.objects.create(name="Approvers")
        self.campaign = make_campaign(name=NAME)
        self.draft = make_campaign(name=NAME, publish=False)
        self.paused = make_empty_run(self.campaign, status="paused", reason="person", totals={"failed": 1})
        run = make_empty_run(make_campaign(name=NAME), status="finished", totals={"failed": 1, "uncertain": 1})
        make_delivery(run, PERSON, status="failed", reason="refused")
        make_delivery(run, status="uncertain", reason="lost_reply")
        self.ended, self.topic = run, make_topic("Unused")
        self.going = make_empty_run(make_campaign(name=NAME))
        self.skipped = make_empty_run(make_campaign(name=NAME), status="skipped", reason="missed")
        self.moderated = self._submit(approvers)
        self.scheduled = make_campaign(name=NAME)
        self.scheduled.go_live_at = timezone.now() + timedelta(days=1)
        self.scheduled.save_revision().publish()

    def _submit(self, approvers: Group) -> Campaign:
        task = GroupApprovalTask.objects.create(name="Approval")
        task.groups.add(approvers)
        workflow = Workflow.objects.create(name="Approval")
        WorkflowTask.objects.create(workflow=workflow, task=task)
        WorkflowContentType.objects.create(workflow=workflow, content_type=ContentType.objects.get_for_model(Campaign))
        campaign = make_campaign(name=NAME, publish=False)
        campaign.save_revision()
        workflow.start(campaign, make_user())
        return campaign

    def campaign_for(self, address: str) -> Campaign:
        kinds = {"/delete/": self.draft, "workflow": self.moderated, "unschedule": self.scheduled}
        return next((campaign for part, campaign in kinds.items() if part in address), self.campaign)

    def run_for(self, address: str) -> Any:
        kinds = {"cancel": self.going, "pause": self.going, "resume": self.paused, "send-skipped": self.skipped}
        return next((run for part, run in kinds.items() if part in address), self.ended)

    def address_of(self, row: Row) -> str:
        """Return the address with the keys of what it is about."""
        path, question, query = row.address.partition("?")
        match, campaign = resolve(f"/admin/{path}"), self.campaign_for(path)
        state = self.moderated.current_workflow_state
        latest = campaign.revisions.order_by("pk").last()
        keys = {
            "pk": self.topic.pk if "/topic/" in path else self.run_for(path).pk if "/runs/" in path else campaign.pk,
            "campaign": self.ended.campaign_id,
            "revision_id": latest.pk if latest else 0,
            "task_state_id": state.current_task_state.pk,
            "task_id": state.current_task_state.task_id,
            "workflow_state_id": state.pk,
        }
        kwargs = {name: keys.get(name, value) for name, value in match.kwargs.items()}
        return f"{reverse(match.view_name, kwargs=kwargs)}{question}{query}"


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undo what a request did, for the next one."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def changes() -> Iterator[list[str]]:
    """Collect what is written into tables that matter: not who is editing, nor what a preview shows."""
    written: list[str] = []
    private = ("django_session", "wagtailadmin_editingsession", "wagtailadmin_formstate", "accounts_user")

    def watch(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")) and not any(table in sql for table in private):
            written.append(sql[:100])
        return execute(sql, *args)

    with connection.execute_wrapper(watch):
        yield written


def test_nothing_is_posted_without_a_csrf_token():
    things, client = Things(), Client(enforce_csrf_checks=True)
    client.force_login(make_user(is_superuser=True))
    posted = [row for row in ROWS if row.method == "POST"]
    answers = {row.address: client.post(things.address_of(row)).status_code for row in posted}
    assert posted
    assert set(answers.values()) == {403}, answers


def test_every_permission_of_the_reference_exists_and_can_be_given():
    named = set(re.findall(r"`(\w+_(?:campaign|topic|run|delivery))`", REFERENCE.read_text()))
    client = Client()
    client.force_login(make_user(is_superuser=True))
    offered = client.get("/admin/groups/new/").content.decode()
    permissions = Permission.objects.filter(content_type__app_label="wagtail_lifecycle", codename__in=named)
    assert {permission.codename for permission in permissions} == named
    missing = {p.codename for p in permissions if f'value="{p.pk}"' not in offered}
    assert missing == {"view_campaign"}
