"""Sending a test from the admin: to whom, as whom, and what it says."""

import pytest
from django.core.cache import cache
from django.test import override_settings
from wagtail.models import ModelLogEntry

from tests.support.admin import logged_in, url, words
from tests.support.backends import FaultyBackend
from tests.support.factories import make_campaign, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture(autouse=True)
def _nothing_counted():
    cache.clear()


@pytest.fixture
def campaign():
    return make_campaign(name="Monthly report", subject="Hello {{ recipient.first_name | friend }}")


def own_address(client):
    from django.contrib.auth import get_user_model  # noqa: PLC0415

    return get_user_model().objects.get(pk=client.session["_auth_user_id"]).email


def test_an_editor_who_may_sends_a_test_to_themselves(campaign, mailoutbox):
    client = logged_in("moderator")
    page = url("test", campaign.pk)
    assert own_address(client) in words(client.get(page))[0]
    response = client.post(page, {"address": own_address(client)}, follow=True)
    assert "The test is on its way" in words(response, ".messages")[0]
    assert [mail.subject for mail in mailoutbox] == ["[Test] Hello Ana"]
    entry = ModelLogEntry.objects.get(action="wagtail_lifecycle.test_mail")
    assert entry.data == {"person": "", "verdict": "accepted"}


def test_the_mail_is_as_the_person_of_the_preview_would_get_it(campaign, mailoutbox):
    reader, client = make_user(name="Bea Reader"), logged_in("moderator")
    client.post(url("preview_reader", campaign.pk), {"reader": f"user:{reader.pk}"})
    page = url("test", campaign.pk)
    assert "Bea Reader" in words(client.get(page))[0]
    client.post(page, {"address": own_address(client), "person": f"user:{reader.pk}"})
    assert mailoutbox[0].subject == "[Test] Hello Bea"
    assert ModelLogEntry.objects.get(action="wagtail_lifecycle.test_mail").data["person"] == f"user:{reader.pk}"


def test_a_forged_person_or_address_is_refused(campaign, mailoutbox):
    client, page = logged_in("moderator"), url("test", campaign.pk)
    client.post(page, {"address": own_address(client), "person": f"user:{make_user(name='Bea Reader').pk}"})
    assert "Hello Ana" in mailoutbox[0].subject
    response = client.post(page, {"address": "stranger@example.com"})
    assert "not one of the available choices" in words(response)[0]
    assert len(mailoutbox) == 1


def test_who_may_not_send_tests_has_no_button_and_no_page(campaign, mailoutbox):
    client = logged_in("editor")
    assert b"Send a test" not in client.get(url("edit", campaign.pk)).content
    assert client.post(url("test", campaign.pk), {"address": own_address(client)}).status_code == 302
    assert b"Send a test" in logged_in("moderator").get(url("edit", campaign.pk)).content
    assert mailoutbox == []


@override_settings(
    EMAIL_BACKEND="tests.support.backends.FaultyBackend", WAGTAIL_LIFECYCLE_TEST_ADDRESSES=["permfail@example.org"]
)
def test_what_the_server_says_is_told(campaign):
    FaultyBackend.reset()
    client = logged_in("moderator")
    response = client.post(url("test", campaign.pk), {"address": "permfail@example.org"})
    assert "The test was not sent; the mail server answered" in words(response)[0]
