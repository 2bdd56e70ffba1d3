"""Publishing in the admin: blockers stop it at the field, warnings are accepted by name on a page of their own."""

import pytest
from bs4 import BeautifulSoup
from wagtail.models import ModelLogEntry

from tests.support.admin import HEADING, form_data, logged_in, text, url, words
from tests.support.content import paragraph
from tests.support.factories import make_campaign, make_users
from wagtail_lifecycle import schedules
from wagtail_lifecycle.models import Acceptance, Campaign, CampaignState

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def editor(db):
    return logged_in("editor")


@pytest.fixture
def moderator(db):
    return logged_in("moderator")


def page_of(campaign):
    return url("preflight", campaign.pk)


def content_of(response):
    return response.context["content_key"]


def test_publishing_without_a_warning_goes_straight_through(moderator):
    response = moderator.post(url("add"), form_data(action="publish"))
    assert response.url.startswith(url("list"))
    assert Campaign.objects.get().live


def test_a_blocker_stops_publishing_at_its_field(moderator):
    link = text('<a href="prices.html">Prices</a>')
    response = moderator.post(url("add"), form_data(HEADING, link, action="publish"))
    (error,) = response.context["form"].errors["body"].as_data()
    assert "“prices.html” is no complete address" in error.as_json_data()["messages"][0]
    assert not Campaign.objects.filter(live=True).exists()


def test_a_warning_leads_to_the_page_where_it_is_accepted_by_name(moderator):
    response = moderator.post(url("add"), form_data(action="publish", preheader=""))
    campaign = Campaign.objects.get()
    assert response.url == page_of(campaign)
    assert not campaign.live
    shown = moderator.get(response.url)
    assert "There is no preheader" in words(shown)[0]
    refused = moderator.post(page_of(campaign), {"content": content_of(shown)}, follow=True)
    assert "Accept each warning" in refused.content.decode()
    moderator.post(page_of(campaign), {"content": content_of(shown), "accept": ["preheader_missing"]})
    campaign.refresh_from_db()
    assert campaign.live
    assert Acceptance.objects.get().codes == ["preheader_missing"]
    logged = ModelLogEntry.objects.get(action="wagtail_lifecycle.accept_warnings")
    assert logged.data == {"codes": ["preheader_missing"]}
    assert "Accepted the warnings: preheader_missing" in str(logged.message)


def test_what_was_accepted_holds_for_this_content_only(moderator):
    moderator.post(url("add"), form_data(action="publish", preheader=""))
    campaign = Campaign.objects.get()
    shown = moderator.get(page_of(campaign))
    moderator.post(page_of(campaign), {"content": content_of(shown), "accept": ["preheader_missing"]})
    same = form_data(action="publish", preheader="", body=form_body(campaign))
    assert moderator.post(url("edit", campaign.pk), same).url == url("list")
    other = form_data(action="publish", preheader="", subject="Another subject", body=form_body(campaign))
    assert moderator.post(url("edit", campaign.pk), other).url == page_of(campaign)


def form_body(campaign):
    """Return the body as the editor posts it, with the ids of its blocks."""
    block = campaign.body[0]
    return {
        "count": "1",
        "0": {
            "id": block.id,
            "type": "heading",
            "value": {**HEADING[1], "show_only_if": "always"},
            "deleted": "",
            "order": "0",
        },
    }


def test_nothing_is_published_that_was_changed_after_it_was_looked_at(moderator):
    campaign = make_campaign(publish=False)
    shown = moderator.get(page_of(campaign))
    campaign.subject = "Changed meanwhile"
    campaign.save_revision()
    response = moderator.post(page_of(campaign), {"content": content_of(shown), "accept": ["preheader_missing"]})
    assert response.url == page_of(campaign)
    campaign.refresh_from_db()
    assert not campaign.live


def test_the_page_ends_with_one_sentence_and_the_button_says_so_too(moderator, time_machine):
    time_machine.move_to("2026-11-20T12:00:00Z", tick=False)
    make_users(1233)
    campaign = make_campaign(
        publish=False, name="Monthly report", preheader="Words.", frequency="monthly", time_zone="Europe/Berlin"
    )
    campaign.save_revision()
    shown = moderator.get(page_of(campaign))
    (sentence,) = words(shown, ".lifecycle-preflight__departure")
    assert sentence == "On 1 Dec 2026 at 08:00 Monthly report goes to about 1,234 people."
    assert words(shown, "button[type=submit].button")[-1] == ("Publish: on 1 Dec 2026 at 08:00 to about 1,234 people")


def test_an_editor_looks_and_does_not_let_it_go(editor):
    campaign = make_campaign(publish=False)
    shown = editor.get(page_of(campaign))
    assert "You may not publish it yourself: ask somebody who may." in words(shown)[0]
    assert not words(shown, "[name=accept]")
    assert editor.post(page_of(campaign), {"content": content_of(shown)}).url == "/admin/"
    campaign.refresh_from_db()
    assert not campaign.live


def test_the_editor_shows_the_number_of_findings_and_leads_to_their_fields(editor):
    campaign = make_campaign(paragraph('Read it <a href="https://a.de/">here</a>.'), publish=False)
    shown = editor.get(url("edit", campaign.pk))
    assert page_of(campaign) in shown.content.decode()
    anchors = [link["href"].partition("#")[2] for link in links_of(shown, ".lifecycle-preflight--panel li a")]
    assert f"block-{campaign.body[0].id}-section" in anchors
    assert "panel-child-what-preheader-section" in anchors
    assert 'id="panel-child-what-preheader-section"' in shown.content.decode()


def links_of(response, selector):
    return BeautifulSoup(response.content, "html.parser").select(selector)


def test_python_and_workflows_publish_but_a_blocker_keeps_it_from_being_sent():
    campaign = make_campaign(paragraph('<a href="javascript:alert(1)">Prices</a>'))
    assert campaign.live
    assert "A link begins with “javascript:”" in campaign.state.problem
    assert campaign.state.next_slot is None


def test_a_campaign_that_was_paused_because_of_its_mails_is_resumed_by_a_person(moderator):
    campaign = make_campaign()
    schedules.pause(campaign.pk, CampaignState.Pause.PREFLIGHT)
    assert "The pre-flight says which." in words(moderator.get(url("list")))[0]
    moderator.post(url("resume", campaign.pk))
    campaign.state.refresh_from_db()
    assert campaign.state.pause_reason == ""
    assert campaign.state.next_slot is not None
