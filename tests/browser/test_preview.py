"""An editor looks at a mail as the people who would get it."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from playwright.sync_api import expect

from tests.support.content import paragraph
from tests.support.factories import make_campaign, make_translation
from tests.support.publication import person

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]

HELLO = paragraph(
    'Hello <span data-merge-tag="recipient.first_name" data-fallback="friend">First name</span>, welcome.'
)


@pytest.fixture
def campaign(site) -> Any:
    with site.quiet():
        Group.objects.get(name="Editors").permissions.add(Permission.objects.get(codename="preview_people_campaign"))
        person("Bo Ek", email="bo@example.org")
        person("Boel Lindqvist", email="boel@example.org")
        heading = ("heading", {"text": "Good morning", "size": "large"})
        button = ("button", {"text": "Read the news", "url": "https://example.org/news"})
        campaign = make_campaign(heading, HELLO, button, name="News", preheader="What has happened since yesterday")
        make_translation(campaign, "de", subject="Neues für {{ recipient.first_name | dich }}")
        return campaign


def mail(page: Any) -> Any:
    # Of two that load at once, Wagtail keeps the one that comes last.
    expect(page.locator("[data-w-preview-target=iframe]")).to_have_count(1)
    return page.frame_locator("#w-preview-iframe")


def test_a_mail_is_seen_as_people_of_the_audience(site, open_page, campaign, screenshot):
    page = open_page("Editor")
    page.goto(f"{site.url}/admin/snippets/wagtail_lifecycle/campaign/edit/{campaign.pk}/")
    page.get_by_role("button", name="Toggle preview").click()
    expect(mail(page).get_by_text("Hello Ana, welcome.")).to_be_visible()
    expect(mail(page).get_by_text("of 102 kB")).to_be_visible()

    page.get_by_label("As read by").select_option("nobody")
    expect(mail(page).get_by_text("Hello friend, welcome.")).to_be_visible()

    page.get_by_label("As read by").select_option("person")
    search = page.get_by_label("Find a reader")
    search.fill("bo")
    expect(page.locator(".lifecycle-preview__people li")).to_have_count(2)
    screenshot(page, "preview-search")
    page.get_by_role("button", name="bo@example.org").press("Enter")
    expect(mail(page).get_by_text("Hello Bo, welcome.")).to_be_visible()
    page.get_by_role("button", name="Next reader").click()
    expect(mail(page).get_by_text("Hello Boel, welcome.")).to_be_visible()
    expect(mail(page).get_by_text("As Boel Lindqvist would get it.")).to_be_visible()
    screenshot(page, "preview-person")

    page.locator("#id_preview_mode").select_option("dark")
    expect(mail(page).locator("[role=note][data-dark]")).to_be_visible()
    screenshot(page, "preview-dark")
    page.get_by_label("Language").select_option("de")
    expect(mail(page).get_by_text("Neues für Boel").filter(visible=True)).to_be_visible()
    page.locator("#id_preview_mode").select_option("text")
    expect(mail(page).locator("pre")).to_contain_text("Hello Boel, welcome.")
    assert page.errors == []
