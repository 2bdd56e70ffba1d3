"""Who may open what in the admin is what the reference says."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from wagtail.models import ModelLogEntry

from tests.support.factories import make_campaign, make_delivery, make_empty_run, make_topic, make_user
from wagtail_lifecycle.models import Campaign, CampaignState, Delivery, Run, SenderState

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "permissions.md"
#: address, method, and who may open it
ROWS = re.findall(r"^\| `(\S+)` \| (GET|POST) \| (.+?) \|$", REFERENCE.read_text(), re.MULTILINE)
EDITOR = ["add_campaign", "change_campaign", "view_run"]
MODERATOR = [
    *EDITOR,
    *("publish_campaign", "delete_campaign", "lock_campaign", "unlock_campaign", "view_delivery"),
    "steer_run",
    *("add_topic", "change_topic", "delete_topic"),
]
ROLES = {"visitor": [], "editor": EDITOR, "moderator": MODERATOR}

pytestmark = pytest.mark.django_db


def logged_in(permissions: list[str]) -> Client:
    user, client = make_user(), Client()
    granted = Permission.objects.filter(
        content_type__app_label__in=["wagtailadmin", "wagtail_lifecycle"], codename__in=["access_admin", *permissions]
    )
    user.user_permissions.set(granted)
    client.force_login(user)
    return client


@pytest.fixture
def objects() -> dict[str, int]:
    """What the ones in the reference's addresses stand for."""
    campaign = make_campaign()
    run = make_empty_run(campaign, status="finished", totals={"failed": 1, "uncertain": 1})
    make_delivery(run, "ana@example.org", status="failed", reason="refused")
    make_delivery(run, status="uncertain", reason="lost_reply")
    return {
        "campaign": campaign.pk,
        "campaign/delete": make_campaign(publish=False).pk,
        "topic": make_topic("Unused").pk,
        "runs": run.pk,
        "runs/1/cancel": make_empty_run(make_campaign()).pk,
        "runs/1/send-skipped": make_empty_run(make_campaign(), status="skipped", reason="missed").pk,
        "failures": campaign.pk,
    }


def address_of(row: str, objects: dict[str, int]) -> str:
    path, _question, query = row.partition("?")
    [kind] = re.findall(r"campaign/delete|campaign|topic|runs/1/cancel|runs/1/send-skipped|runs|failures", path)
    return f"/admin/{path.replace('/1/', f'/{objects[kind]}/')}{_question}{query}"


def snapshot() -> list[object]:
    models = (Campaign, CampaignState, Run, Delivery, SenderState, ModelLogEntry)
    return [list(model.objects.order_by("pk").values()) for model in models]


#: Posted because of what is asked, which is nothing for a log; they change nothing.
ANSWERS = {"snippets/wagtail_lifecycle/campaign/reach/person/"}
ASKS_FIRST = {row for row, method, _answers in ROWS if method == "GET"}


@pytest.mark.parametrize(("row", "method", "answers"), ROWS)
def test_each_role_opens_what_the_reference_says(objects, row, method, answers):
    address = address_of(row, objects)
    for role, answer in zip(ROLES, answers.split(" | "), strict=True):
        client = logged_in(ROLES[role])
        before = snapshot()
        response = client.get(address)
        # Who may, hears that what is only posted to cannot be read.
        allowed = 200 if row in ASKS_FIRST else 405
        assert response.status_code == (302 if answer == "no" else allowed), role
        assert snapshot() == before
        if answer == "yes, no people":
            assert b"ana@example.org" not in response.getvalue()
        if method == "POST":
            response = client.post(address)
            assert response.status_code == (200 if row in ANSWERS and answer != "no" else 302)
            assert (response.headers.get("Location") == "/admin/") is (answer == "no"), role
            assert answer != "no" or snapshot() == before


def test_every_address_of_the_reference_is_tried():
    assert len(ROWS) == REFERENCE.read_text().count("| GET |") + REFERENCE.read_text().count("| POST |")


def test_every_permission_of_the_reference_exists_and_can_be_given():
    named = set(re.findall(r"`(\w+_(?:campaign|topic|run|delivery))`", REFERENCE.read_text()))
    client = Client()
    client.force_login(make_user(is_superuser=True))
    offered = client.get("/admin/groups/new/").content.decode()
    permissions = Permission.objects.filter(content_type__app_label="wagtail_lifecycle", codename__in=named)
    assert {permission.codename for permission in permissions} == named
    missing = {p.codename for p in permissions if f'value="{p.pk}"' not in offered}
    assert missing == {"view_campaign"}
