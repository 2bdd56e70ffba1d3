"""The gallery of starters, and the drafts that are begun with them."""

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from wagtail.log_actions import registry as log_registry
from wagtail.models import Locale
from wagtail.users.models import UserProfile

from tests.support.admin import logged_in, url, words
from tests.support.factories import make_topic
from wagtail_lifecycle import registry
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.models.problems import problems_of
from wagtail_lifecycle.rendering.preview import preview_mail
from wagtail_lifecycle.starters import Starter

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def topics():
    for slug in ("reports", "reminders", "news"):
        make_topic(slug.capitalize(), slug=slug)


def begin(client, name, **query):
    return client.post(f"{url('begin', name)}?{'&'.join(f'{key}={value}' for key, value in query.items())}")


def begun(client, name):
    begin(client, name)
    return Campaign.objects.latest("pk")


def sentences_of(campaign):
    """Return what the mail says, without the names in it."""
    mail = preview_mail(campaign.content)
    found = BeautifulSoup(mail.html, "html.parser").stripped_strings
    names = {"The Quick Publisher", "The Quick Publisher, 1 Main St, Springfield"}
    return {mail.subject, campaign.preheader, *(words for words in found if " " in words)} - names


def speak(client, language):
    person = get_user_model().objects.get(pk=client.session["_auth_user_id"])
    UserProfile.objects.update_or_create(user=person, defaults={"preferred_language": language})


@pytest.mark.parametrize("name", registry.starters.names())
def test_every_starter_can_be_published_as_it_is(topics, name):
    Group.objects.get_or_create(name="Owners")
    draft = registry.starters.get(name)().draft(Locale.get_default())
    assert draft.to_do == ()
    assert problems_of(draft.campaign) == []
    assert "{{ recipient.first_name | " in draft.campaign.subject


def test_the_list_leads_to_the_gallery_and_the_gallery_to_every_starter(topics):
    client = logged_in("editor")
    assert url("starters") in client.get(url("list")).content.decode()
    page = client.get(url("starters"))
    labels = words(page, ".lifecycle-starter h2")
    assert labels == [str(starter.label) for starter in registry.starters] + ["Blank"]
    assert url("add") in page.content.decode()


def test_choosing_one_makes_a_draft_that_the_history_knows(topics):
    response = begin(logged_in("editor"), "views_digest")
    campaign = Campaign.objects.get()
    assert response.url == url("edit", campaign.pk)
    assert (campaign.live, campaign.audience, campaign.topic.slug) == (False, "page_authors", "reports")
    assert [entry.action for entry in log_registry.get_logs_for_instance(campaign)] == ["wagtail.create"]
    assert campaign.latest_revision.as_object().subject == campaign.subject


def test_what_the_site_does_not_have_stays_empty_and_is_said(settings):
    client = logged_in("editor")
    page = client.post(url("begin", "monthly_report"), follow=True)
    assert "no topic of this site fits" in page.content.decode()
    assert Campaign.objects.get().topic is None


def test_a_draft_is_in_the_locale_that_was_asked_for(topics):
    german = Locale.objects.create(language_code="de")
    assert begin(logged_in("editor"), "announcement", locale="de").status_code == 302
    campaign = Campaign.objects.get()
    assert (campaign.locale, campaign.subject.partition("}}")[2]) == (german, ", es gibt Neues")


@pytest.mark.parametrize("language", ["de", "ar"])
def test_drafts_are_wholly_in_the_language_of_who_begins_them(topics, settings, language):
    settings.WAGTAIL_CONTENT_LANGUAGES = [("en-gb", "English"), (language, language)]
    Locale.objects.create(language_code=language)
    client = logged_in("editor")
    english = {name: sentences_of(begun(client, name)) for name in registry.starters.names()}
    speak(client, language)
    for name in registry.starters.names():
        campaign = begun(client, name)
        assert campaign.locale.language_code == language
        assert not english[name] & sentences_of(campaign)
    editor = BeautifulSoup(client.get(url("edit", campaign.pk)).content, "html.parser")
    assert editor.select_one('[name="subject"]')["dir"] == {"de": "ltr", "ar": "rtl"}[language]


def test_a_picture_is_a_mail_that_runs_nothing(topics):
    response = logged_in("editor").get(url("starter_picture", "welcome"))
    assert "Good to have you" in response.content.decode()
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize(
    ("role", "method", "name", "expected"),
    [
        ("visitor", "get", "starters", 302),
        ("visitor", "post", "begin", 302),
        ("visitor", "get", "starter_picture", 302),
        ("editor", "get", "begin", 405),
        ("editor", "post", "begin", 404),
        ("editor", "get", "starter_picture", 404),
    ],
)
def test_nobody_else_gets_in_and_nothing_else_is_found(role, method, name, expected):
    args = [] if name == "starters" else ["nothing"]
    assert getattr(logged_in(role), method)(url(name, *args)).status_code == expected
    assert not Campaign.objects.exists()


def test_a_site_has_starters_of_its_own(topics):
    class Birthday(Starter):
        name = "birthday"
        label = "Happy birthday"
        audiences = ("born_today", "active_users")

        def body(self, site):
            return [("heading", {"text": "Many happy returns", "size": "large"}), ("confetti", {})]

    with registry.starters.temporarily(Birthday):
        assert "Happy birthday" in words(logged_in("editor").get(url("starters")), ".lifecycle-starter h2")
        campaign = Birthday().draft(Locale.get_default()).campaign
    assert campaign.audience == "active_users"
    # A block that the site does not have is left out.
    assert [block.block_type for block in campaign.body] == ["heading"]
