"""From a starter to a live campaign: quickly, and without a mouse."""

import contextlib
import time
from typing import Any

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from playwright.sync_api import expect

from tests.support.factories import make_topic
from wagtail_lifecycle.models import Campaign

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]

ADDRESS = "/admin/snippets/wagtail_lifecycle/campaign"
#: Counts what a hand does with the mouse, over all the pages of a journey.
COUNT_CLICKS = """addEventListener("click", (event) => {
  if (event.isTrusted && event.detail) sessionStorage.clicks = Number(sessionStorage.clicks || 0) + 1;
}, true)"""
MOST_CLICKS = 12
MOST_SECONDS = 60


@pytest.fixture(autouse=True)
def _topics(site):
    with site.quiet():
        for slug in ("reports", "reminders", "news"):
            make_topic(slug.capitalize(), slug=slug)


def test_from_a_starter_to_live_in_few_clicks(site, open_page):
    page = open_page("Moderator")
    page.add_init_script(COUNT_CLICKS)
    page.goto(f"{site.url}/admin/")
    began = time.monotonic()
    page.get_by_role("button", name="Lifecycle").click()
    page.get_by_role("list", name="Lifecycle").get_by_role("link", name="Campaigns").click()
    page.get_by_role("link", name="Add campaign").first.click()
    card = page.locator(".lifecycle-starter", has=page.get_by_role("heading", name="Announcement"))
    expect(card.frame_locator("iframe").get_by_text("Something new", exact=True)).to_be_visible()
    card.get_by_role("button", name="Begin with this").click()
    page.wait_for_url("**/edit/**")
    page.get_by_role("tab", name="Who").click()
    expect(page.locator(".lifecycle-reach")).to_contain_text("Today it would go to")
    page.get_by_role("tab", name="When").click()
    expect(page.locator(".lifecycle-outlook")).to_contain_text("Once, a minute after publishing.")
    page.locator("footer button[data-w-dropdown-target='toggle']").last.click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("updated and published")).to_be_visible()
    seconds, clicks = time.monotonic() - began, int(page.evaluate("sessionStorage.clicks"))
    assert clicks <= MOST_CLICKS
    assert seconds < MOST_SECONDS
    assert page.errors == []
    with site.quiet():
        assert Campaign.objects.get().live


def press_until(page: Any, key: str, element: Any) -> None:
    """Press a key until the element has the focus, as somebody without a mouse does."""
    for _number in range(150):
        if element.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    pytest.fail(f"{key} does not lead to {element}")


def wait_until_saved(page: Any) -> None:
    """Wait for the editor to save by itself. What is typed while it saves, Wagtail may not notice: then type on."""
    for _attempt in range(3):
        with contextlib.suppress(PlaywrightTimeoutError):
            page.get_by_text("Saved", exact=True).wait_for(timeout=10_000)
            return
        page.keyboard.press("Space")
    pytest.fail("The editor does not save by itself.")


def test_a_campaign_is_written_and_published_without_a_mouse(site, open_page):
    page = open_page("Moderator")
    page.goto(f"{site.url}{ADDRESS}/starters/")
    card = page.locator(".lifecycle-starter", has=page.get_by_role("heading", name="Welcome"))
    # The pictures are skipped: there is nothing to do in them.
    press_until(page, "Tab", card.get_by_role("button", name="Begin with this"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/edit/**")
    subject = page.locator("#id_subject")
    press_until(page, "Tab", subject)
    page.keyboard.press("End")
    page.keyboard.type(" and ")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    picker = page.get_by_role("dialog", name="Merge tag")
    expect(picker.get_by_label("Value")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("fam|ily}")
    page.keyboard.press("Enter")
    expect(subject).to_be_focused()
    expect(subject).to_have_value("Welcome, {{ recipient.first_name | friend }} and {{ recipient.name | family }}")
    expect(page.locator(".lifecycle-inbox-line")).to_contain_text("Welcome, Ana and Ana Lindqvist")
    wait_until_saved(page)
    press_until(page, "Tab", page.locator("footer button[data-w-dropdown-target='toggle']").last)
    page.keyboard.press("Enter")
    press_until(page, "Tab", page.get_by_role("button", name="Publish"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("updated and published")).to_be_visible()
    assert page.errors == []


def test_the_pickers_offer_what_the_audience_has(site, open_page):
    page = open_page("Editor")
    page.goto(f"{site.url}{ADDRESS}/add/#tab-who")
    page.locator("#id_audience").select_option("active_users")
    page.get_by_role("tab", name="What").click()
    page.locator("#id_preheader").fill("For ")
    page.locator("#id_preheader ~ .lifecycle-insert").click()
    picker = page.get_by_role("dialog", name="Merge tag")
    expect(picker.get_by_label("Value").locator("option")).to_have_text(["First name", "Full name", "E-mail address"])
    picker.get_by_role("button", name="Cancel").click()
    expect(page.locator("#id_preheader")).to_have_value("For ")
    assert page.errors == []
