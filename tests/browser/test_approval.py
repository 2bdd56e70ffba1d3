"""Approval in a browser: an editor submits, a moderator approves, and the campaign is live."""

from typing import Any

import pytest
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import expect

from demo_site.publication.workflows import ensure_workflows
from tests.support.factories import make_campaign

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]

CAMPAIGNS = "/admin/snippets/wagtail_lifecycle/campaign/"


@pytest.fixture
def campaign(site) -> Any:
    with site.quiet():
        ensure_workflows()
        campaign = make_campaign(name="Autumn letter", subject="What grows in October", publish=False)
        campaign.save_revision()
        return campaign


def choose(page: Any, action: str) -> None:
    """Choose what to do in the footer of the editor."""
    page.locator("footer [data-w-dropdown-target=toggle]").click()
    page.get_by_role("button", name=action, exact=True).click()


def status_of(page: Any, url: str) -> Any:
    page.goto(f"{url}{CAMPAIGNS}")
    return page.locator("tr", has_text="Autumn letter").locator(".lifecycle-status-cell")


def test_a_moderator_approves_what_an_editor_submits(site, open_page, campaign, screenshot):
    editor = open_page("Editor")
    editor.goto(f"{site.url}{CAMPAIGNS}edit/{campaign.pk}/")
    choose(editor, "Submit to Moderators approval")
    expect(status_of(editor, site.url)).to_have_text("in moderation")

    moderator = open_page("Moderator")
    moderator.goto(f"{site.url}{CAMPAIGNS}edit/{campaign.pk}/")
    moderator.locator("footer [data-w-dropdown-target=toggle]").click()
    expect(moderator.get_by_role("button", name="Approve and Publish", exact=True)).to_be_visible()
    screenshot(moderator, "campaign-approval")
    moderator.get_by_role("button", name="Approve and Publish", exact=True).click()
    expect(status_of(moderator, site.url)).to_have_text("live")
    with site.quiet():
        assert PeriodicTask.objects.get(args=f"[{campaign.pk}]").enabled
    assert editor.errors + moderator.errors == []
