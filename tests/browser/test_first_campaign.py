"""The journey of an editor's first campaign, from the log-in to the mails that went out."""

import contextlib
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORDS
from tests.support.factories import make_topic
from wagtail_lifecycle import dispatch
from wagtail_lifecycle.models import Campaign

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]


def log_in(page: Any, url: str, role: str) -> None:
    email, password = PASSWORDS[role]
    page.goto(f"{url}/admin/login/")
    page.locator("#id_username").fill(email)
    page.locator("#id_password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Lifecycle")).to_be_visible()


def open_menu(page: Any, entry: str) -> None:
    page.get_by_role("button", name="Lifecycle").click()
    page.get_by_role("list", name="Lifecycle").get_by_role("link", name=entry).click()
    expect(page).to_have_title(re.compile(entry))


def add_block(page: Any, label: str) -> Any:
    """Add a block at the end of the body and return it."""
    blocks = page.locator("#tab-what [data-streamfield-child]")
    before = blocks.count()
    page.locator("#tab-what button.c-sf-add-button").last.click()
    page.get_by_role("option", name=label, exact=True).click()
    expect(blocks).to_have_count(before + 1)
    return blocks.nth(before)


def write_greeting(page: Any, block: Any) -> None:
    """Type a line with a merge tag, by keyboard only."""
    editor = block.get_by_role("textbox")
    editor.click()
    page.keyboard.type("Hello ")
    page.keyboard.type("/merge")
    expect(page.get_by_text("Merge tag: a value of the reader")).to_be_visible()
    page.keyboard.press("Enter")
    picker = page.get_by_role("dialog", name="Merge tag")
    expect(picker.get_by_label("Value")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("friend")
    page.keyboard.press("Enter")
    expect(picker).to_be_hidden()
    expect(block.locator(".lifecycle-merge-tag")).to_have_text("First name")
    # The rich text editor takes the focus back a moment after the chip is there.
    expect(editor).to_be_focused()
    page.keyboard.type(", welcome.")
    expect(editor).to_have_text("Hello First name, welcome.")


def see_the_starters(page: Any, screenshot: Any) -> None:
    card = page.locator(".lifecycle-starter", has=page.get_by_role("heading", name="Announcement"))
    expect(card.frame_locator("iframe").get_by_text("Something new", exact=True)).to_be_visible()
    screenshot(page, "starters")
    card.get_by_role("button", name="Begin with this").click()
    page.wait_for_url("**/edit/**")


def see_who(page: Any, screenshot: Any) -> None:
    page.get_by_role("tab", name="Who").click()
    expect(page.locator("#id_audience")).to_have_value("active_users")
    expect(page.locator("#id_topic option:checked")).to_have_text("News")
    expect(page.locator(".lifecycle-reach")).to_contain_text("Today it would go to")
    page.set_viewport_size({"width": 1280, "height": 1150})
    screenshot(page, "campaign-who")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("tab", name="What").click()


def write_what(page: Any) -> None:
    page.locator("#id_name").fill("My first campaign")
    page.locator("#id_subject").fill("Hello, {{ recipient.first_name | friend }}")
    expect(page.locator("#id_sender")).to_have_value("news")
    page.locator("[data-streamfield-child]").first.locator("input[type=text]").first.fill("Good morning")
    write_greeting(page, add_block(page, "Text"))
    button = add_block(page, "Button")
    button.locator("input[name$=text]").fill("Read the news")
    button.locator("input[name$=url]").fill("https://wagtail.org/news")


#: What the preview has asked for and holds, for the message of a test that fails.
PREVIEW_STORY = """() => {
  const panel = document.querySelector(".w-preview");
  const find = (name) => window.wagtail.app.getControllerForElementAndIdentifier(panel, name);
  const { ready, staleValue, updatePromise } = find("w-preview");
  const asked = performance.getEntriesByType("resource").filter((entry) => entry.name.includes("/preview/"));
  return {
    classes: panel.className, ready, staleValue, updating: Boolean(updatePromise), now: performance.now(),
    asked: asked.map((entry) => [entry.initiatorType, entry.startTime, entry.responseEnd, entry.responseStatus]),
  };
}"""


def expect_in_preview(page: Any, text: str) -> None:
    """Wait for a text in the preview. What is typed while it loads, Wagtail may leave out: then type once more."""
    mail_ = page.frame_locator("iframe").last
    for _attempt in range(3):
        with contextlib.suppress(PlaywrightTimeoutError):
            mail_.get_by_text(text).wait_for(timeout=10_000)
            return
        page.locator("#id_name").press_sequentially(" ")
        expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    pytest.fail(f"The preview does not show {text!r}: {page.evaluate(PREVIEW_STORY)}")


def see_the_preview_change(page: Any, screenshot: Any) -> None:
    # The first save gives the campaign its address, and the preview with it.
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.get_by_role("button", name="Toggle preview").click()
    expect_in_preview(page, "Good morning")
    expect_in_preview(page, "Hello Ana, welcome.")
    page.locator("#id_name").scroll_into_view_if_needed()
    screenshot(page, "campaign-editor")
    page.locator("[data-streamfield-child]").first.locator("input[type=text]").first.fill("Good evening")
    expect_in_preview(page, "Good evening")
    # Of two that load at once, Wagtail keeps the one that comes last.
    expect(page.locator("[data-w-preview-target=iframe]")).to_have_count(1)
    page.locator("#id_preview_mode").select_option("text")
    expect_in_preview(page, "https://wagtail.org/news")
    page.get_by_role("button", name="Toggle preview").click()


def say_when(page: Any, screenshot: Any) -> None:
    page.get_by_role("tab", name="When").click()
    outlook = page.locator(".lifecycle-outlook")
    expect(outlook).to_contain_text("Once, a minute after publishing.")
    expect(page.locator("#id_month_day")).to_be_hidden()
    page.locator("#id_frequency").select_option("monthly")
    expect(page.locator("#id_month_day")).to_be_visible()
    page.locator("#id_month_day").select_option("31")
    page.locator("#id_time_of_day").fill("08:00")
    page.locator("#id_time_zone").select_option("Europe/Paris")
    expect(outlook).to_contain_text("On the 31st of each month at 08:00 (Europe/Paris).")
    expect(outlook).to_contain_text("In months without a 31st it goes on the last day.")
    expect(outlook.locator("time")).to_have_count(5)
    expect(outlook).to_contain_text("Reports in the first of them cover")
    page.get_by_role("tab", name="Rules").click()
    page.locator("#id_period").select_option("month")
    page.get_by_role("tab", name="When").click()
    expect(outlook).to_contain_text(re.compile(r"cover [A-Z][a-z]+ \d{4}\."))
    page.evaluate("document.activeElement.blur()")
    page.set_viewport_size({"width": 1280, "height": 980})
    screenshot(page, "campaign-when")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator("#id_frequency").select_option("now")
    expect(outlook).to_contain_text("Once, a minute after publishing.")


def publish(page: Any) -> None:
    page.locator("footer button[data-w-dropdown-target='toggle']").last.click()
    page.get_by_role("button", name="Publish").click()

    expect(page.get_by_text("updated and published")).to_be_visible()


def test_an_editor_writes_a_campaign_that_a_moderator_publishes(site, open_page, screenshot):
    with site.quiet():
        make_topic("News", slug="news")
    page = open_page()
    log_in(page, site.url, "Editor")
    open_menu(page, "Campaigns")
    expect(page.get_by_text("There are no campaigns to display.")).to_be_visible()
    screenshot(page, "campaigns-empty")
    page.get_by_role("link", name="Add campaign").first.click()
    see_the_starters(page, screenshot)
    see_who(page, screenshot)
    write_what(page)
    see_the_preview_change(page, screenshot)
    say_when(page, screenshot)
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text(re.compile("Campaign 'My first campaign' updated"))).to_be_visible()
    expect(page.locator("footer").get_by_role("button", name="Publish")).to_have_count(0)
    assert page.errors == []

    page = open_page("Moderator")
    page.goto(f"{site.url}/admin/")
    open_menu(page, "Campaigns")
    page.get_by_role("link", name="My first campaign").click()
    publish(page)
    expect(page).to_have_title(re.compile("Campaigns"))
    row = page.get_by_role("row", name="My first campaign")
    expect(row).to_contain_text("Once, a minute after publishing")
    expect(row).to_contain_text("live")
    screenshot(page, "campaigns")
    assert page.errors == []

    with site.quiet():
        campaign = Campaign.objects.get()
        slot = campaign.state.changed_at
        run = dispatch.open_run(campaign, slot, slot + timedelta(seconds=5))
        while dispatch.send_batch(run.pk):
            pass
        addresses = [address for message in mail.outbox for address in message.recipients()]
    assert any("editor@example.org" in address for address in addresses)

    open_menu(page, "Runs")
    run_link = page.get_by_role("link", name=re.compile(r", \d\d:\d\d \(Europe"))
    expect(run_link).to_be_visible()
    screenshot(page, "runs")
    run_link.click()
    expect(page.locator(".lifecycle-balance")).to_contain_text(f"{len(addresses)} accepted by the mail server")
    page.get_by_role("row", name="editor@example.org").scroll_into_view_if_needed()
    expect(page.get_by_role("row", name="editor@example.org")).to_contain_text("accepted by the mail server")
    screenshot(page, "run")
    assert page.errors == []


def test_publishing_what_cannot_be_sent_says_why(site, open_page, screenshot):
    page = open_page("Moderator")
    page.goto(f"{site.url}/admin/snippets/wagtail_lifecycle/campaign/add/")
    page.locator("#id_name").fill("Half a campaign")
    add_block(page, "Heading")
    page.locator("footer button[data-w-dropdown-target='toggle']").last.click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Write a subject: a mail without one is taken for spam.")).to_be_visible()
    expect(page.get_by_text("Choose who the mail comes from.")).to_be_visible()
    expect(page.get_by_text("Block 1 (Heading): Text: This field is required.")).to_be_visible()
    screenshot(page, "campaign-refused")
    page.get_by_role("tab", name="Who").click()
    expect(page.get_by_text("Choose who gets the mail.")).to_be_visible()
    with site.quiet():
        assert not Campaign.objects.filter(live=True).exists()


#: Whether the beginning of an element is on the screen, and nothing lies above it.
UNCOVERED = """element => {
  const box = element.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + 10, box.y + box.height / 2);
  return element === top || element.contains(top);
}"""


def test_the_blocks_at_fault_are_named_in_order_and_counted(site, open_page):
    page = open_page("Moderator")
    page.goto(f"{site.url}/admin/snippets/wagtail_lifecycle/campaign/add/")
    page.locator("#id_name").fill("Half a campaign")
    page.locator("#id_subject").fill("Half a mail")
    page.locator("#id_sender").select_option("news")
    for _number in range(3):
        add_block(page, "Heading")
    page.locator("footer button[data-w-dropdown-target='toggle']").last.click()
    page.get_by_role("button", name="Publish").click()
    errors = page.locator("#tab-what .help-critical", has_text=re.compile(r"^\s*Block"))
    expect(errors).to_have_text([re.compile(f"Block {number} ") for number in (1, 2, 3)])
    marks = page.locator("#tab-what :is(.error-message, .help-critical)").count()
    expect(page.get_by_role("tab", name="What").locator("[data-w-count-target=total]")).to_have_text(str(marks))
    # By keyboard: to click on what still moves in, Playwright would scroll the page sideways.
    page.get_by_role("button", name="Go to the first error").press("Enter")
    expect(errors.first).to_be_in_viewport()
    page.wait_for_function(UNCOVERED, arg=errors.first.element_handle())
    # The editor saves by itself, and the test must not end meanwhile.
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert page.errors == []
