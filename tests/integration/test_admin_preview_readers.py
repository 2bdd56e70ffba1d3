"""Previews as a person: who may see whom, and what each way of looking shows."""

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wagtail.models import Locale, ModelLogEntry

from tests.support.admin import form_data, logged_in, text, url
from tests.support.content import paragraph
from tests.support.factories import make_campaign, make_translation, make_users
from tests.support.publication import person
from wagtail_lifecycle.models import OptOut
from wagtail_lifecycle.models.people import hash_address
from wagtail_lifecycle.rendering.inbox import Inbox, cut
from wagtail_lifecycle.wagtail_admin.preview_readers import LOGGED

pytestmark = pytest.mark.django_db

HELLO = paragraph('Hello <span data-merge-tag="recipient.first_name" data-fallback="friend">First name</span>, hello')


def client_of(*permissions):
    client = logged_in("editor")
    user = get_user_model().objects.get(pk=client.session["_auth_user_id"])
    user.is_verified = False
    user.save()
    user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    return client


@pytest.fixture
def editor(db):
    """Somebody who may see people, and is nobody the mails are for."""
    return client_of("preview_people_campaign")


@pytest.fixture
def campaign():
    return make_campaign(HELLO)


def choose(client, campaign, reader):
    return client.post(url("preview_reader", campaign.pk), {"reader": reader})


def shown(client, campaign, mode="html", **query):
    """The campaign as it was last saved."""
    address = url("revisions_view", campaign.pk, campaign.latest_revision.pk)
    return client.get(address, {"mode": mode, **query}).content.decode()


def words(html):
    """What stands above the mail."""
    soup = BeautifulSoup(html, "html.parser")
    return " ".join(BeautifulSoup(soup.find("template").decode_contents(), "html.parser").get_text(" ").split())


def test_a_mail_is_seen_as_each_kind_of_reader(editor, campaign):
    bo = person("Bo Ek", email="bo@example.org")
    person("Maximiliane Mustermann", email="max@example.org")
    for reader, name in {
        "example": "Ana",
        "nobody": "friend",
        "longest": "Maximiliane",
        "shortest": "Bo",
        f"user:{bo.pk}": "Bo",
        "next": "Maximiliane",
        "person": "Maximiliane",
    }.items():
        response = choose(editor, campaign, reader)
        assert response.status_code == 200
        html = shown(editor, campaign)
        assert f"Hello {name}, hello" in html, reader
        assert f"News for {name if reader != 'nobody' else 'you'}" in words(html)
        assert f"Hello {name}, hello" in shown(editor, campaign, "text")
    assert "As Maximiliane Mustermann would get it." in words(html)


def test_looking_at_people_is_written_down_without_their_address(editor, campaign):
    bo = person("Bo Ek", email="bo@example.org")
    for reader in ("example", f"user:{bo.pk}", "next"):
        choose(editor, campaign, reader)
    entries = ModelLogEntry.objects.filter(action=LOGGED)
    assert [entry.data for entry in entries] == [{"recipient": f"user:{bo.pk}"}] * 2
    assert f"user:{bo.pk}" in editor.get(url("history", campaign.pk)).content.decode()


def test_who_is_not_in_the_audience_cannot_be_chosen(editor, campaign):
    bo, outside = person("Bo Ek"), person("Cy Outside", is_verified=False)
    choose(editor, campaign, f"user:{bo.pk}")
    for forged in (f"user:{outside.pk}", "user:x", f"user:{10**40}", "guest:1", "\x00", "", "x" * 5000, "<script>"):
        response = choose(editor, campaign, forged)
        assert "Nobody like that is in the audience." in response.content.decode()
        assert "Hello Bo" in shown(editor, campaign)


def test_who_leaves_the_audience_is_shown_no_more(editor, campaign):
    bo = person("Bo Ek")
    choose(editor, campaign, f"user:{bo.pk}")
    bo.is_active = False
    bo.save()
    html = shown(editor, campaign)
    assert "Hello Ana" in html
    assert "not in the audience any more" in words(html)


def test_without_the_permission_there_is_only_the_example(editor, campaign):
    bo = person("Bo Ek", email="bo@example.org")
    client = client_of()
    for reader in ("person", "next", "longest", "shortest", f"user:{bo.pk}"):
        assert choose(client, campaign, reader).status_code == 302
    assert client.get(url("preview_people", campaign.pk), {"q": "bo"}).status_code == 302
    assert choose(client, campaign, "nobody").status_code == 200
    panel = client.get(url("edit", campaign.pk)).content.decode()
    assert "Missing data" in panel
    assert "A reader I choose" not in panel
    # A session that outlives the permission.
    session = client.session
    session["wagtail_lifecycle_preview"] = {str(campaign.translation_key): {"reader": "person", "key": f"user:{bo.pk}"}}
    session.save()
    assert "Hello Ana" in shown(client, campaign)
    assert "bo@example.org" not in client.get(url("edit", campaign.pk)).content.decode()


def test_who_may_not_edit_campaigns_may_not_see_people_either(campaign):
    client = logged_in("visitor")
    person("Bo Ek")
    assert choose(client, campaign, "person").status_code == 302
    assert client.get(url("preview_people", campaign.pk), {"q": "bo"}).status_code == 302


def test_people_are_found_by_what_is_typed(editor, campaign):
    person("Bo <b>Ek</b>", email="bo@example.org")
    person("Cy Ek", email="cy@example.org", is_verified=False)
    found = editor.get(url("preview_people", campaign.pk), {"q": "ek"}).content.decode()
    assert "bo@example.org" in found
    assert "<b>Ek" not in found
    assert "cy@example.org" not in found
    assert "Nobody in the audience" in editor.get(url("preview_people", campaign.pk), {"q": "zz"}).content.decode()


def test_an_audience_that_is_not_there_is_a_sentence(editor):
    campaign = make_campaign(HELLO, audience="", publish=False)
    assert "No audience is called" in choose(editor, campaign, "person").content.decode()
    assert "No audience is called" in editor.get(url("preview_people", campaign.pk), {"q": "x"}).content.decode()
    assert editor.get(url("edit", campaign.pk)).status_code == 200


def test_the_preview_says_who_would_get_no_mail(editor, campaign):
    bo = person("Bo Ek", email="bo@example.org")
    OptOut.objects.create(address_hash=hash_address("bo@example.org"), topic=None, created_at=bo.date_joined)
    choose(editor, campaign, f"user:{bo.pk}")
    assert "has opted out" in words(shown(editor, campaign))


def test_fields_that_are_not_saved_are_seen_as_the_person_too(editor, campaign):
    bo = person("Bo Ek")
    choose(editor, campaign, f"user:{bo.pk}")
    chip = text('Dear <span data-merge-tag="recipient.first_name" data-fallback="">First name</span>, hello')
    editor.post(url("preview_on_edit", campaign.pk), form_data(chip))
    assert "Dear Bo, hello" in editor.get(url("preview_on_edit", campaign.pk)).content.decode()


def test_each_language_of_a_campaign_can_be_seen(editor, campaign):
    bo = person("Bo Ek")
    make_translation(campaign, "de", subject="Neues", preheader="Guten Tag")
    Locale.objects.get_or_create(language_code="fr")
    choose(editor, campaign, f"user:{bo.pk}")
    assert "Neues" in words(shown(editor, campaign, language="de"))
    for code in ("en", "fr", "nonsense", ""):
        assert "News for Bo" in words(shown(editor, campaign, language=code))
    assert 'value="de"' in editor.get(url("edit", campaign.pk)).content.decode()


def test_the_dark_scheme_is_forced_and_so_is_the_light_one(editor, campaign):
    light, dark = shown(editor, campaign), shown(editor, campaign, "dark")
    for html in (light, dark):
        assert "prefers-color-scheme" not in html
    assert "@media (min-width:0)" in dark
    assert "@media (max-width:0)" in light
    assert "color-scheme: dark;" in dark
    assert 'name="color-scheme" content="dark"' in dark
    # What an editor writes about it stays as it is.
    written = make_campaign(paragraph("@media (prefers-color-scheme: dark)"))
    assert "(prefers-color-scheme: dark)" in shown(editor, written, "dark")


def queries(act):
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


def test_a_large_audience_takes_no_more_queries_than_a_small_one(editor, campaign):
    make_users(150)
    choose(editor, campaign, "longest")
    shown(editor, campaign)
    counts = []
    for _size in ("small", "large"):
        chosen = queries(lambda: choose(editor, campaign, "longest"))
        counts.append((queries(lambda: shown(editor, campaign)), chosen))
        make_users(300)
    assert counts[1][0] <= counts[0][0]
    assert counts[1][1] <= counts[0][1]
    assert counts[0][0] < 30


def test_an_inbox_cuts_what_does_not_fit():
    assert cut("a" * 70, 70) == "a" * 70
    assert cut("a " * 70, 70) == "a " * 34 + "a…"
    assert cut("one\n two", 70) == "one two"
    inbox = Inbox("News", "s" * 90, "p" * 90, size=61 * 1024 - 5)
    assert len(inbox.wide.subject) == 70
    assert len(inbox.wide.subject) + len(inbox.wide.preheader) == 100
    assert len(inbox.narrow.subject) == 38
    assert (inbox.kilobytes, inbox.is_large, inbox.is_cut) == (61, False, False)
    assert Inbox("News", "s", "p", size=80 * 1024).is_large
    assert Inbox("News", "s", "p", size=102 * 1024 + 1).is_cut


def test_the_size_of_the_mail_is_said(editor):
    small = make_campaign(HELLO)
    assert " of 102 kB" in words(shown(editor, small))
    assert "Gmail cuts" not in words(shown(editor, small))
    large = make_campaign(*[paragraph("word " * 2000)] * 12)
    assert "Gmail cuts a mail of this size" in words(shown(editor, large))
