"""The screens in the dark, on a telephone and from right to left, with long names and with nothing to show."""

from datetime import timedelta
from typing import Any

import pytest
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import expect
from wagtail.users.models import UserProfile

from demo_site.accounts.models import User
from tests.support.factories import SLOT, make_campaign, make_delivery, make_empty_run
from wagtail_lifecycle import dispatch, schedules
from wagtail_lifecycle.models import CampaignState

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]

LONG = "A report of everything that has happened since the beginning of the publication and of what may yet come"
LOOKS: dict[str, dict[str, Any]] = {
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
    "arabic": {},
}

#: the screen of each look that the docs show
PICTURES = {"dark": "run", "phone": "run", "arabic": "editor"}


@pytest.fixture
def screens(site) -> dict[str, str]:
    """Addresses of screens that have a lot to show."""
    with site.quiet():
        campaign = make_campaign(name=LONG, subject=LONG, frequency="monthly", month_day=31, period="month")
        CampaignState.objects.filter(campaign=make_campaign(name="Broken")).update(problem="Choose who gets the mail.")
        make_campaign(name="Unfinished", publish=False)
        run = make_empty_run(campaign)
        for number in range(7):
            make_delivery(run, f"reader-{number}@{'a-very-long-domain-name.' * 3}example", status="sent")
        make_delivery(run, status="failed", reason="refused", detail="550 5.1.1 No such mailbox here, sorry. " * 3)
        make_delivery(run, status="skipped", reason="opted_out")
        make_delivery(run, status="uncertain", reason="lost_reply")
        make_delivery(run)
        dispatch.skip_slots(campaign, SLOT - timedelta(days=9), SLOT - timedelta(days=1), 9, SLOT)
        return {
            "list": "/admin/snippets/wagtail_lifecycle/campaign/",
            "editor": f"/admin/snippets/wagtail_lifecycle/campaign/edit/{campaign.pk}/#tab-when",
            "runs": "/admin/lifecycle/runs/",
            "run": f"/admin/lifecycle/runs/{run.pk}/",
        }


@pytest.mark.parametrize("look", LOOKS)
def test_the_screens_can_be_read_everywhere(site, open_page, screens, screenshot, look):
    if look == "arabic":
        with site.quiet():
            user = User.objects.get(email="moderator@example.org")
            UserProfile.objects.update_or_create(user=user, defaults={"preferred_language": "ar"})
    page = open_page("Moderator", **LOOKS[look])
    for name, path in screens.items():
        page.goto(f"{site.url}{path}")
        expect(page.locator("html")).to_have_attribute("dir", "rtl" if look == "arabic" else "ltr")
        if name == "editor":
            expect(page.locator(".lifecycle-outlook time")).to_have_count(5)
        page.wait_for_load_state("load")
        if name == PICTURES[look]:
            screenshot(page, f"{name}-{look}")
    assert page.errors == []


def test_the_schedule_is_set_with_the_keyboard(site, open_page):
    page = open_page("Editor")
    page.goto(f"{site.url}/admin/snippets/wagtail_lifecycle/campaign/add/#tab-when")
    frequency = page.locator("#id_frequency")
    expect(frequency).to_be_visible()
    frequency.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(frequency).to_have_value("weekly")
    weekday = page.locator("#id_weekday")
    while not weekday.evaluate("field => field === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("f")
    expect(page.locator(".lifecycle-outlook")).to_contain_text("Every Friday at 09:00")


#: How far each field of the tab When reaches beyond the panel that it is in.
OVERHANGS = """async () => {
  await Promise.all(document.getAnimations().map(animation => animation.finished.catch(() => null)));
  const end = document.querySelector(".lifecycle-outlook").getBoundingClientRect().right;
  const fields = [...document.querySelectorAll("#tab-when :is(input, select)")].filter(field => field.offsetParent);
  return Object.fromEntries(fields.map(field => [field.name, field.getBoundingClientRect().right - end]));
}"""


@pytest.mark.parametrize("width", [1400, 390])
@pytest.mark.parametrize("frequency", ["weekly", "once"])
def test_no_field_of_the_schedule_is_cut_off(site, open_page, width, frequency):
    page = open_page("Editor", viewport={"width": width, "height": 844})
    page.goto(f"{site.url}/admin/snippets/wagtail_lifecycle/campaign/add/#tab-when")
    page.locator("#id_frequency").select_option(frequency)
    page.locator("#id_time_zone").select_option("America/Argentina/ComodRivadavia")
    if width > 1000:
        page.get_by_role("button", name="Toggle preview").click()
        expect(page.locator("iframe").last).to_be_visible()
    overhangs = page.evaluate(OVERHANGS)
    assert {"frequency", "time_of_day", "time_zone"} < set(overhangs)
    assert {name: overhang for name, overhang in overhangs.items() if overhang > 1} == {}


def test_the_days_that_reports_cover_follow_the_period(site, open_page):
    page = open_page("Editor")
    page.goto(f"{site.url}/admin/snippets/wagtail_lifecycle/campaign/add/#tab-when")
    outlook = page.locator(".lifecycle-outlook")
    expect(outlook).to_contain_text("Reports in the first of them cover")
    page.get_by_role("tab", name="Rules").click()
    page.locator("#id_period").select_option("today")
    page.get_by_role("tab", name="When").click()
    expect(outlook).to_contain_text("so far. ")


def test_what_goes_now_asks_for_no_day_and_time(site, open_page):
    page = open_page("Editor")
    page.goto(f"{site.url}/admin/snippets/wagtail_lifecycle/campaign/add/#tab-when")
    day_and_time = page.get_by_role("tabpanel", name="When").get_by_text("… on this day, at this time")
    expect(day_and_time).to_be_visible()
    page.locator("#id_frequency").select_option("now")
    expect(day_and_time).to_be_hidden()
    expect(page.locator(".lifecycle-outlook time")).to_have_count(1)


def test_without_scripts_every_field_is_there(site, open_page):
    page = open_page("Editor", java_script_enabled=False)
    page.goto(f"{site.url}/admin/snippets/wagtail_lifecycle/campaign/add/")
    for name in ("every", "weekday", "month_day", "date", "time_of_day", "time_zone"):
        assert page.locator(f"#id_{name}").count() == 1
        assert not page.locator(f"[data-lifecycle-needed-by]:has(#id_{name})").get_attribute("hidden")


def test_a_chip_is_edited_and_taken_out(site, open_page):
    page = open_page("Editor")
    with site.quiet():
        stored = '<p>Hello <span data-merge-tag="recipient.first_name" data-fallback="friend">First name</span></p>'
        campaign = make_campaign(("rich_text", {"text": stored}), publish=False)
    page.goto(f"{site.url}/admin/snippets/wagtail_lifecycle/campaign/edit/{campaign.pk}/")
    chip = page.locator(".lifecycle-merge-tag")
    picker = page.get_by_role("dialog", name="Merge tag")
    chip.click()
    expect(picker.get_by_label("If there is none")).to_have_value("friend")
    picker.get_by_label("Value").select_option("recipient.name")
    picker.get_by_role("button", name="Save").click()
    expect(chip).to_have_text("Full name")
    chip.click()
    page.keyboard.press("Escape")
    expect(picker).to_be_hidden()
    expect(chip).to_have_text("Full name")
    chip.click()
    picker.get_by_role("button", name="Remove").click()
    expect(chip).to_have_count(0)
    expect(page.locator(".Draftail-Editor")).to_contain_text("Hello")
    assert page.errors == []


def test_backspace_takes_a_chip_out_at_once(site, open_page):
    page = open_page("Editor")
    with site.quiet():
        stored = '<p>Hello <span data-merge-tag="recipient.name" data-fallback="">Full name</span></p>'
        campaign = make_campaign(("rich_text", {"text": stored}), publish=False)
    page.goto(f"{site.url}/admin/snippets/wagtail_lifecycle/campaign/edit/{campaign.pk}/")
    page.locator(".Draftail-Editor [role=textbox]").focus()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.press("Backspace")
    expect(page.locator(".lifecycle-merge-tag")).to_have_count(0)
    expect(page.locator(".Draftail-Editor")).to_contain_text("Hello")


def test_a_paused_campaign_is_resumed_from_the_list(site, open_page):
    with site.quiet():
        campaign = make_campaign(name="Paused")
        task = PeriodicTask.objects.get(name=schedules.task_name(campaign.pk))
        task.enabled = False
        task.save()
        schedules.sync(campaign.pk)
    page = open_page("Moderator")
    page.goto(f"{site.url}/admin/snippets/wagtail_lifecycle/campaign/")
    row = page.get_by_role("row", name="Paused")
    expect(row).to_contain_text("Its periodic task was disabled.")
    row.get_by_role("button", name="More options for 'Paused'").click()
    page.get_by_role("button", name="Resume “Paused”").click()
    expect(page.get_by_text("The campaign “Paused” goes on at its next run.")).to_be_visible()
    expect(row).to_contain_text("live")
