"""Runs in the admin: what became of each, and of whom, for those who may see it."""

import csv
import io
from datetime import timedelta

import openpyxl
import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.urls import reverse
from wagtail.admin.menu import admin_menu

from tests.support.admin import logged_in, words
from tests.support.factories import NOW, SLOT, make_campaign, make_delivery, make_empty_run, make_run, make_user
from wagtail_lifecycle import dispatch
from wagtail_lifecycle.models import Campaign, Delivery, Run
from wagtail_lifecycle.wagtail_admin.exports import FORMULA_BEGINS

pytestmark = pytest.mark.django_db

LIST = "/admin/lifecycle/runs/"


@pytest.fixture
def editor(db):
    """May see runs, but not whom they were for."""
    return logged_in("editor")


@pytest.fixture
def moderator(db):
    return logged_in("moderator")


def url(run):
    return reverse("lifecycle_runs:run", args=[run.pk])


def lines(response):
    return words(response, "table.listing tbody tr")


# -- The list ------------------------------------------------------------------------------------------------


def test_an_empty_list_says_when_there_will_be_something(editor):
    assert "Nothing has run yet." in words(editor.get(LIST))[0]


def test_a_run_is_one_line(editor):
    run = make_empty_run(make_campaign(name="Daily digest"))
    for status in ("sent", "sent", "failed"):
        make_delivery(run, status=status, reason="refused" if status == "failed" else "")
    make_delivery(run)
    (line,) = lines(editor.get(LIST))
    assert "Friday 20 Nov 2026, 09:00 (Europe/Berlin)" in line
    assert "Daily digest" in line
    assert "2 accepted by the mail server, 1 failed, 1 open" in line


def test_skipped_runs_say_why_and_for_how_many_they_stand(editor):
    dispatch.skip_slots(make_campaign(), SLOT - timedelta(days=6), SLOT, 7, NOW)
    (line,) = lines(editor.get(LIST))
    assert "Nothing ran at that time" in line
    assert "It stands for 7 runs, the first on Saturday 14 Nov 2026, 09:00." in line


def test_nothing_is_called_delivered(moderator):
    run = make_empty_run()
    make_delivery(run, status="sent")
    for address in (LIST, url(run)):
        assert "delivered" not in words(moderator.get(address))[0].lower()


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("status=finished", 1),
        ("status=finished&status=skipped", 2),
        ("slot_from=2026-11-20&slot_to=2026-11-20", 2),
        ("slot_from=2026-12-01", 0),
        ("campaign={campaign}", 2),
    ],
)
def test_the_list_is_filtered(editor, query, number):
    campaign = make_campaign()
    make_empty_run(campaign, status="finished")
    make_empty_run(make_campaign(), slot=SLOT - timedelta(days=400))
    make_empty_run(campaign, slot=SLOT + timedelta(hours=1), status="skipped")
    assert len(lines(editor.get(f"{LIST}?{query.format(campaign=campaign.pk)}"))) == number


@pytest.mark.parametrize("export", ["csv", "xlsx"])
def test_the_list_is_exported_without_addresses(editor, export):
    run = make_empty_run(make_campaign(name="Daily digest"))
    make_delivery(run, "ana@example.org", status="sent")
    content = editor.get(f"{LIST}?export={export}").getvalue()
    assert b"ana@example.org" not in content
    if export == "csv":
        heading, line = content.decode().splitlines()
        assert heading.startswith("Campaign,Planned for (UTC),Status,Reason")
        assert "Daily digest" in line
        assert line.count(",1,") == 1


def test_the_list_needs_as_many_queries_for_twelve_runs_as_for_three(editor, django_assert_max_num_queries):
    def count():
        with django_assert_max_num_queries(40) as captured:
            assert editor.get(LIST).status_code == 200
        return len(captured)

    def add(number):
        for _ in range(number):
            make_delivery(make_empty_run(make_campaign()))

    add(3)
    editor.get(LIST)
    few = count()
    add(9)
    assert count() == few


# -- The page of a run ---------------------------------------------------------------------------------------


def test_the_balance_is_shown_and_balances(moderator):
    run = make_empty_run(period_start="2026-11-19", period_end="2026-11-20")
    for status, reason in [
        *[("sent", "")] * 3,
        ("failed", "refused"),
        *[("skipped", "opted_out")] * 2,
        ("cancelled", ""),
        ("uncertain", "lost_reply"),
        *[("queued", "")] * 2,
        ("sending", ""),
    ]:
        make_delivery(run, status=status, reason=reason)
    response = moderator.get(url(run))
    (balance,) = words(response, ".lifecycle-balance")
    assert balance == (
        "11 planned = 3 accepted by the mail server + 1 failed + 2 left out + 1 cancelled + 1 uncertain + 3 open"
    )
    reasons = words(response, ".lifecycle-reasons tbody tr")
    assert reasons[0] == "Left out Opted out of the topic. 2"
    assert len(reasons) == 3
    assert "Sending, 1 uncertain" in words(response)[0]
    assert "19 Nov 2026" in words(response)[0]


def test_the_page_of_a_real_run_shows_its_people(moderator):
    make_user("ana@example.org")
    run = make_run()
    dispatch.send_batch(run.pk)
    assert ["ana@example.org" in mail_.to[0] for mail_ in mail.outbox].count(True) == 1
    response = moderator.get(url(run))
    (line,) = [line for line in lines(response) if "ana@example.org" in line]
    assert "accepted by the mail server" in line.lower()


def test_people_have_names_where_they_are_still_in_the_audience(moderator):
    run = make_empty_run()
    ana = make_user("ana@example.org", name="Ana <b>Costa</b>")
    make_delivery(run, "ana@example.org", recipient_key=f"user:{ana.pk}", status="sent")
    make_delivery(run, status="skipped", reason="gone")
    response = moderator.get(url(run))
    first, second = lines(response)
    assert "Ana <b>Costa</b>" in first
    assert "person no longer in the audience" in second
    assert "user:" not in " ".join(words(response))


def test_people_without_an_address_are_named(moderator):
    run = make_empty_run()
    bo = make_user("not an address", name="Bo")
    make_delivery(run, address="", recipient_key=f"user:{bo.pk}", status="skipped", reason="no_address")
    assert "no valid address Bo not an address" in lines(moderator.get(url(run)))[0]


def test_the_people_of_an_audience_that_is_gone_are_shown_by_address(moderator):
    campaign = make_campaign()
    Campaign.objects.update(audience="gone")
    run = make_empty_run(campaign)
    make_delivery(run, "ana@example.org", status="sent")
    assert "ana@example.org person no longer in the audience" in lines(moderator.get(url(run)))[0]


def test_all_times_of_a_run_are_told_in_one_way(moderator):
    campaign = make_campaign(time_zone="Asia/Tokyo")
    run = make_empty_run(campaign)
    campaign.live_revision.created_at = NOW - timedelta(days=1)
    campaign.live_revision.save()
    make_delivery(run, status="sent", finished_at=NOW)
    (page_,) = words(moderator.get(url(run)))
    assert page_.count("Asia/Tokyo") == 1
    assert "Friday 20 Nov 2026, 17:00 (Asia/Tokyo)" in page_
    assert "version of Thursday 19 Nov 2026, 17:00" in page_
    assert "Friday 20 Nov 2026, 17:00" in lines(moderator.get(url(run)))[0]


def test_the_pinned_version_is_linked_for_those_who_may_edit(moderator):
    run = make_empty_run()
    response = moderator.get(url(run))
    pinned = run.contents.get().revision_id
    link = f"/admin/snippets/wagtail_lifecycle/campaign/history/{run.campaign_id}/revisions/{pinned}/view/"
    assert link in response.content.decode()
    assert moderator.get(link).status_code == 200


def test_people_are_searched_and_filtered(moderator):
    run = make_empty_run()
    make_delivery(run, "ana@example.org", status="sent")
    make_delivery(run, "bo@example.org", status="failed", reason="refused", detail="550 no such user")
    assert len(lines(moderator.get(f"{url(run)}?q=ana@"))) == 1
    assert len(lines(moderator.get(f"{url(run)}results/?q=nobody"))) == 0
    (line,) = lines(moderator.get(f"{url(run)}?status=failed&reason=refused"))
    assert "550 no such user" in line


def test_people_come_in_pages(moderator):
    run = make_empty_run()
    for _ in range(60):
        make_delivery(run)
    assert len(lines(moderator.get(url(run)))) == 50
    assert len(lines(moderator.get(f"{url(run)}?p=2"))) == 10


@pytest.mark.parametrize("export", ["csv", "xlsx"])
def test_people_are_exported(moderator, export):
    run = make_empty_run()
    make_delivery(run, "ana@example.org", status="sent")
    content = moderator.get(f"{url(run)}?export={export}").getvalue()
    if export == "csv":
        assert "ana@example.org" in content.decode()
        assert "accepted by the mail server" in content.decode()
    else:
        assert content.startswith(b"PK")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@"])
def test_no_cell_of_an_export_is_a_formula(moderator, begin):
    run = make_empty_run(make_campaign(name=f"{begin}cmd|' /C calc'!A0"))
    make_delivery(run, address=f"{begin}1+1@example.org", detail="\t=1+1", status="sent", attempts=1)
    for address in (url(run), LIST):
        rows = list(csv.reader(moderator.get(f"{address}?export=csv").getvalue().decode().splitlines()))
        assert [cell for row in rows for cell in row if cell.startswith(FORMULA_BEGINS)] == []
    people = moderator.get(f"{url(run)}?export=xlsx").getvalue()
    sheet = openpyxl.load_workbook(io.BytesIO(people)).active
    cells = [cell.value for row in sheet.iter_rows() for cell in row]
    assert f"'{begin}1+1@example.org" in cells
    assert 1 in cells


def test_the_page_needs_as_many_queries_for_forty_people_as_for_four(moderator, django_assert_max_num_queries):
    run = make_empty_run()

    def count():
        with django_assert_max_num_queries(40) as captured:
            assert moderator.get(url(run)).status_code == 200
        return len(captured)

    for _ in range(4):
        make_delivery(run)
    moderator.get(url(run))
    few = count()
    for _ in range(36):
        make_delivery(run)
    assert count() == few


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("skipped", "The run was skipped"),
        ("preparing", "The audience is being read."),
        ("finished", "The audience was empty"),
    ],
)
def test_a_run_without_people_says_why(moderator, status, sentence):
    assert sentence in words(moderator.get(url(make_empty_run(status=status))))[0]


# -- Who may what --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "status"), [("stranger", 302), ("visitor", 302), ("editor", 200), ("moderator", 200)])
def test_who_may_look_at_runs(role, status):
    run = make_empty_run()
    client = logged_in(role)
    assert client.get(LIST).status_code == status
    assert client.get(url(run)).status_code == status


def test_addresses_are_for_those_with_the_permission(editor):
    run = make_empty_run()
    make_delivery(run, "ana@example.org", status="sent")
    for query in ("", "?q=ana", "?status=sent"):
        response = editor.get(f"{url(run)}{query}")
        assert "ana@example.org" not in response.content.decode()
    assert "You may see the numbers of runs" in words(response)[0]
    assert "1 planned" in words(response)[0]
    for hidden in ("?export=csv", "?export=xlsx", "results/"):
        assert editor.get(f"{url(run)}{hidden}").status_code == 302


def test_nothing_of_a_run_can_be_changed(moderator):
    run = make_empty_run()
    delivery = make_delivery(run)
    for address in (LIST, url(run), f"{url(run)}results/"):
        assert moderator.post(address).status_code == 405
        assert moderator.delete(address).status_code == 405
    assert Run.objects.filter(pk=run.pk).exists()
    assert Delivery.objects.filter(pk=delivery.pk, status="queued").exists()


def test_groups_can_be_given_the_permissions():
    client = Client()
    client.force_login(make_user(is_superuser=True))
    content = client.get("/admin/groups/new/").content.decode()
    offered = Permission.objects.filter(codename__in=["view_run", "view_delivery", "publish_campaign"])
    assert offered.count() == 3
    for permission in offered:
        assert f'value="{permission.pk}"' in content


@pytest.mark.parametrize(
    ("role", "entries"), [("visitor", []), ("editor", ["Campaigns", "Runs", "Failed mails", "Topics"])]
)
def test_the_menu_shows_what_one_may_see(role, entries):
    client = logged_in(role)
    request = client.get("/admin/").wsgi_request
    found = [item for item in admin_menu.menu_items_for_request(request) if item.name == "lifecycle"]
    shown = [item.label for menu in found for item in menu.menu.menu_items_for_request(request)]
    assert [str(label) for label in shown] == entries
