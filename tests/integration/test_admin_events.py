"""Campaigns on an event in the admin: the event and the delay in place of a day and time."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from tests.support.admin import form_data, logged_in, url
from tests.support.factories import make_campaign
from wagtail_lifecycle.models import Campaign

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

ON_EVENT = {"trigger": "event", "event": "user_verified", "delay": str(24 * 3600)}


@pytest.fixture
def editor(db):
    return logged_in("editor")


@pytest.fixture
def moderator(db):
    return logged_in("moderator")


def soup(response):
    return BeautifulSoup(response.content, "html.parser")


def outlook(client, **fields):
    return " ".join(soup(client.get(url("outlook"), fields)).get_text(" ").split())


def test_a_campaign_on_an_event_is_published_whatever_stands_in_the_hidden_fields(moderator):
    hidden = {"frequency": "", "every": "x", "date": "soon", "time_of_day": "", "late_within": "", "period": ""}
    response = moderator.post(url("add"), form_data(action="publish", **ON_EVENT, **hidden))
    assert response.status_code == 302, response.context["form"].errors
    campaign = Campaign.objects.get()
    assert campaign.live
    assert (campaign.trigger, campaign.event, campaign.delay) == ("event", "user_verified", timedelta(days=1))
    assert campaign.state.problem == ""
    assert campaign.state.next_slot is None


def test_an_event_has_to_be_chosen_to_publish_but_not_for_a_draft(moderator):
    data = form_data(**{**ON_EVENT, "event": ""})
    response = moderator.post(url("add"), {**data, "action-publish": "1"})
    assert response.context["form"].errors["event"] == ["Choose the event that the mail follows."]
    assert moderator.post(url("add"), data).status_code == 302


def test_what_stands_in_the_event_of_a_scheduled_campaign_does_not_matter(moderator):
    response = moderator.post(url("add"), form_data(action="publish", event="gone", delay="soon"))
    assert response.status_code == 302, response.context["form"].errors


def test_an_event_that_is_gone_stays_visible_and_is_refused(moderator):
    campaign = make_campaign(publish=False, trigger="event", event="gone")
    select = soup(moderator.get(url("edit", campaign.pk))).find("select", {"name": "event"})
    assert select.find("option", selected=True).text == "gone (not available any more)"
    data = form_data(action="publish", **{**ON_EVENT, "event": "gone"})
    response = moderator.post(url("edit", campaign.pk), data)
    assert "does not exist any more" in response.context["form"].errors["event"][0]


def test_the_editor_offers_events_and_delays_in_words(editor):
    page = soup(editor.get(url("add")))
    events = [option.text for option in page.find("select", {"name": "event"}).find_all("option")]
    delays = [option.text for option in page.find("select", {"name": "delay"}).find_all("option")]
    assert events[0] == "Choose an event"
    assert "A user verifies their address" in events
    assert {"at once", "1 hour", "7 days"} <= set(delays)


def test_each_field_says_what_needs_it(editor):
    page = soup(editor.get(url("add")))
    needed_by = {
        each.select_one("select, input")["name"]: each["data-lifecycle-needed-by"].split()
        for each in page.select("[data-lifecycle-needed-by]")
    }
    assert needed_by["event"] == needed_by["delay"] == ["event"]
    for name in ("frequency", "late_within", "period"):
        assert "event" not in needed_by[name]
        assert "daily" in needed_by[name]


def test_the_outlook_says_what_follows_what(editor):
    told = outlook(editor, **ON_EVENT)
    assert "1 day after a user verifies their address." in told
    assert "Somebody showed for the first time that they read the address of their account." in told
    assert "It has gone out" not in told
    assert "As soon as a user verifies their address." in outlook(editor, **{**ON_EVENT, "delay": "0"})


def test_the_outlook_asks_for_an_event(editor):
    assert outlook(editor, trigger="event", event="") == "Choose the event that the mail follows."
    assert "does not exist any more" in outlook(editor, trigger="event", event="gone")


def test_the_list_says_on_what_event_and_can_be_filtered_by_it(editor):
    make_campaign(name="Welcome", trigger="event", event="user_verified", delay=timedelta(days=1))
    make_campaign(name="Daily digest")
    page = editor.get(url("list")).content.decode()
    assert "1 day after a user verifies their address" in page
    shown = editor.get(f"{url('list')}?frequency=event").content.decode()
    assert "Welcome" in shown
    assert "Daily digest" not in shown
    shown = editor.get(f"{url('list')}?frequency=daily").content.decode()
    assert "Daily digest" in shown
    assert "Welcome" not in shown


def test_a_campaign_on_an_event_is_live_also_after_it_went_once(editor):
    campaign = make_campaign(name="Welcome", trigger="event", event="user_verified", frequency="now")
    campaign.runs.create(slot=campaign.state.changed_at, status="finished", created_at=campaign.state.changed_at)
    (status,) = soup(editor.get(url("list"))).select(".lifecycle-status-cell")
    assert status.get_text(strip=True).lower() == "live"
    assert "Welcome" not in editor.get(f"{url('list')}?status=sent").content.decode()
