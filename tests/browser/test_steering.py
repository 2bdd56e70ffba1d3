"""Steering in a browser: buttons, questions and the screen of failed mails, in every look."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from wagtail.users.models import UserProfile

from demo_site.accounts.models import User
from tests.support.factories import make_campaign, make_delivery, make_empty_run
from wagtail_lifecycle.dispatch import senders
from wagtail_lifecycle.models import Run

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]

LOOKS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 1000}},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
    "arabic": {},
}
FAILURES = "/admin/lifecycle/failures/"
CAMPAIGNS = "/admin/snippets/wagtail_lifecycle/campaign/"
LIST = "/admin/lifecycle/runs/"


@pytest.fixture
def run(site) -> Run:
    """Of a campaign some of whose mails went, some failed and some are in doubt."""
    with site.quiet():
        now = timezone.now()
        run = make_empty_run(make_campaign(name="Daily digest"), slot=now - timedelta(hours=2))
        for _ in range(12):
            make_delivery(run, status="sent", finished_at=now)
        for _ in range(2):
            make_delivery(run, status="uncertain", reason="lost_reply", finished_at=now)
            words = "550 5.7.1 Message refused: too many links"
            make_delivery(run, status="failed", reason="refused", detail=words, finished_at=now)
        later = now + timedelta(minutes=40)
        make_delivery(run, status="deferred", reason="temporary", detail="451 4.7.1 Greylisted", due_at=later)
        make_delivery(run)
        return run


@pytest.fixture
def paused_sender(site, run) -> None:
    with site.quiet():
        other = make_empty_run(make_campaign(name="Monthly report"), slot=timezone.now() - timedelta(hours=1))
        make_delivery(other)
        senders.pause("news", "authentication", "535 5.7.8 Error: authentication failed")
        senders.make_wait(other.pk)


def url(run: Run) -> str:
    return f"/admin/lifecycle/runs/{run.pk}/"


def does_not_scroll_sideways(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.usefixtures("paused_sender")
def test_steering_can_be_read_everywhere(site, open_page, run, screenshot, look):
    if look == "arabic":
        with site.quiet():
            user = User.objects.get(email="moderator@example.org")
            UserProfile.objects.update_or_create(user=user, defaults={"preferred_language": "ar"})
    page = open_page("Moderator", **LOOKS[look])
    screens = {
        "run-steering": url(run),
        "failed-mails": FAILURES,
        "run-cancel": f"{url(run)}cancel/",
        "runs": LIST,
        "campaigns": CAMPAIGNS,
        "event": f"{CAMPAIGNS}add/#tab-when",
    }
    for name, path in screens.items():
        page.goto(f"{site.url}{path}")
        expect(page.locator("html")).to_have_attribute("dir", "rtl" if look == "arabic" else "ltr")
        page.wait_for_load_state("load")
        if name == "event":
            page.locator("#id_trigger").select_option("event")
            page.locator("#id_event").select_option("user_verified")
            expect(page.locator(".lifecycle-outlook")).not_to_contain_text("09:00")
        if name not in {"runs", "campaigns"}:
            assert does_not_scroll_sideways(page), name
        if look == "desktop" and name in {"run-steering", "failed-mails"}:
            screenshot(page, name)
    assert page.errors == []


def test_a_run_is_paused_resumed_and_cancelled(site, open_page, run):
    page = open_page("Moderator")
    page.goto(f"{site.url}{url(run)}")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_text("The run is paused.")).to_be_visible()
    expect(page.get_by_text("Nothing more goes until a person resumes it.")).to_be_visible()
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.get_by_text("The run goes on.")).to_be_visible()
    page.get_by_role("link", name="Cancel the run").click()
    expect(page.get_by_text("Cancel this run? 2 mails that are still open will not go.")).to_be_visible()
    page.get_by_role("link", name="No, change nothing").click()
    page.get_by_role("link", name="Cancel the run").click()
    page.get_by_role("button", name="Yes: Cancel the run").click()
    expect(page.get_by_text("The run is cancelled: 2 mails do not go.")).to_be_visible()
    expect(page.locator(".lifecycle-entries li")).to_have_count(3)
    assert page.errors == []


def test_a_run_is_paused_from_the_list(site, open_page, run):
    page = open_page("Moderator")
    page.goto(f"{site.url}{LIST}")
    row = page.get_by_role("row", name="Daily digest")
    row.get_by_role("button", name="More options").click()
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_text("The run is paused.")).to_be_visible()
    expect(row).to_contain_text("A person paused it.")
    assert page.url == f"{site.url}{LIST}"


def test_a_cause_is_dealt_with_for_all_its_mails(site, open_page, run):
    page = open_page("Moderator")
    page.goto(f"{site.url}{FAILURES}")
    page.get_by_role("link", name="Treat as sent").click()
    page.get_by_role("button", name="Yes: Treat as sent").click()
    expect(page.get_by_text("2 uncertain mails count as sent.")).to_be_visible()
    page.get_by_role("link", name="Retry failed").click()
    page.get_by_role("button", name="Yes: Retry failed").click()
    expect(page.get_by_text("2 failed mails are tried again.")).to_be_visible()
    expect(page.locator(".lifecycle-failure")).to_have_count(1)


@pytest.mark.usefixtures("paused_sender")
def test_a_sender_is_resumed_where_a_campaign_says_it_is_paused(site, open_page):
    page = open_page("Moderator")
    page.goto(f"{site.url}{CAMPAIGNS}")
    page.get_by_role("link", name="What happens next").click()
    page.get_by_role("button", name="Resume “").click()
    expect(page.get_by_text("works again, and 1 run goes on.")).to_be_visible()
    page.get_by_role("button", name="Pause “").first.click()
    expect(page.get_by_text("nothing goes from it until somebody resumes it.")).to_be_visible()


def test_an_event_takes_the_place_of_day_and_time(site, open_page):
    page = open_page("Editor")
    page.goto(f"{site.url}{CAMPAIGNS}add/#tab-when")
    expect(page.locator("#id_event")).to_be_hidden()
    page.locator("#id_trigger").select_option("event")
    for name in ("frequency", "time_of_day", "time_zone"):
        expect(page.locator(f"#id_{name}")).to_be_hidden()
    page.locator("#id_event").select_option("user_verified")
    page.locator("#id_delay").select_option("86400")
    expect(page.locator(".lifecycle-outlook")).to_contain_text("1 day after a user verifies their address.")
    page.get_by_role("tab", name="Rules").click()
    expect(page.locator("#id_late_within")).to_be_hidden()
    expect(page.locator("#id_period")).to_be_hidden()
    page.get_by_role("tab", name="When").click()
    page.locator("#id_trigger").select_option("schedule")
    expect(page.locator("#id_frequency")).to_be_visible()
    expect(page.locator("#id_event")).to_be_hidden()
    expect(page.locator(".lifecycle-outlook time")).to_have_count(5)
    assert page.errors == []
