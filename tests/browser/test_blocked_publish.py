"""What stops a campaign, in a browser: a fault and its fix, then warnings that somebody accepts."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.content import paragraph
from tests.support.factories import make_campaign
from wagtail_lifecycle.models import Campaign

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]

CAMPAIGNS = "/admin/snippets/wagtail_lifecycle/campaign/"


@pytest.fixture
def campaign(site) -> Any:
    with site.quiet():
        subject = "{{ recipient.fist_name | friend }}, this grows in October"
        campaign = make_campaign(
            paragraph("Leeks."), name="Autumn letter", subject=subject, preheader="", publish=False
        )
        campaign.save_revision()
        return campaign


def publish(page: Any) -> None:
    page.locator("footer [data-w-dropdown-target=toggle]").click()
    page.get_by_role("button", name="Publish", exact=True).click()


def test_a_blocked_publish_and_its_fix(site, open_page, campaign, screenshot):
    page = open_page("Moderator")
    page.goto(f"{site.url}{CAMPAIGNS}edit/{campaign.pk}/")
    publish(page)
    expect(page.get_by_text("could not be saved due to errors")).to_be_visible()
    subject = page.locator("#id_subject")
    expect(page.locator(".error-message")).to_contain_text("Did you mean “recipient.first_name”?")

    subject.fill("{{ recipient.first_name | friend }}, this grows in October")
    publish(page)
    page.wait_for_url("**/preflight/**")
    expect(page.get_by_text("Accept the warnings here to publish it")).to_be_visible()
    expect(page.get_by_label("There is no preheader")).not_to_be_checked()
    for box in page.get_by_label("I accept this warning").all():
        box.check()
    screenshot(page, "preflight")
    page.get_by_role("button", name="Publish:").click()
    expect(page.get_by_text("“Autumn letter” is published.")).to_be_visible()
    assert page.errors == []
    with site.quiet():
        assert Campaign.objects.get(pk=campaign.pk).live
