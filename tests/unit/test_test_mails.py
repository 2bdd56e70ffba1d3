"""Test mails: to whom, as whom, how often, and that nothing comes of them."""

import re
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import override_settings
from wagtail.models import Locale

from tests.support.factories import NOW, make_campaign, make_topic, make_user
from wagtail_lifecycle import samples, test_mails
from wagtail_lifecycle.models import Delivery, OptOut, Run
from wagtail_lifecycle.test_mails import RefusedTest, send_test
from wagtail_lifecycle.transport import Verdict

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def editor():
    cache.clear()
    return make_user(email="editor@example.org", name="Ed Itor")


def send(campaign, editor, address="editor@example.org", recipient=None):
    return send_test(campaign, address, user=editor, recipient=recipient, now=NOW)


def test_a_test_goes_to_the_editor_as_a_person_of_the_audience_and_says_that_it_is_a_test(editor, mailoutbox):
    reader = make_user(email="reader@example.net", name="Ana <b>Costa</b>")
    campaign = make_campaign(subject="Good morning {{ recipient.first_name | friend }}", topic=make_topic())
    person = samples.person(campaign, f"user:{reader.pk}", NOW)
    assert send(campaign, editor, recipient=person).verdict is Verdict.ACCEPTED
    [mail] = mailoutbox
    assert mail.recipients() == ["editor@example.org"]
    assert mail.subject == "[Test] Good morning Ana"
    html = mail.alternatives[0][0]
    assert "as Ana &lt;b&gt;Costa&lt;/b&gt; would get it" in html
    assert "as Ana <b>Costa</b> would get it" in mail.body
    assert "reader@example.net" not in mail.message().as_string()


def test_nothing_in_a_test_does_anything(editor, mailoutbox, client):
    campaign = make_campaign(topic=make_topic())
    send(campaign, editor, recipient=samples.person(campaign, f"user:{editor.pk}", NOW))
    [mail] = mailoutbox
    assert not {"List-Unsubscribe", "List-Id", "Feedback-ID"} & set(mail.extra_headers)
    [link] = re.findall(r"https?://\S+/unsubscribe/\S+", mail.body)
    assert client.post(urlsplit(link).path).status_code == 200
    assert (Run.objects.count(), Delivery.objects.count(), OptOut.objects.count()) == (0, 0, 0)


def test_without_a_person_it_is_the_example_person(editor, mailoutbox):
    send(make_campaign(subject="Hello {{ recipient.first_name | friend }}"), editor)
    assert mailoutbox[0].subject == "[Test] Hello Ana"


@override_settings(WAGTAIL_LIFECYCLE_TEST_ADDRESSES=["desk@example.org"])
def test_a_test_goes_to_nobody_but_oneself_and_those_the_site_has_named(editor, mailoutbox):
    assert test_mails.addresses_for(editor) == ["editor@example.org", "desk@example.org"]
    send(make_campaign(), editor, "desk@example.org")
    with pytest.raises(RefusedTest, match="your own address"):
        send(make_campaign(), editor, "stranger@example.com")
    assert [mail.recipients() for mail in mailoutbox] == [["desk@example.org"]]


@override_settings(WAGTAIL_LIFECYCLE_TEST_LIMIT=1)
def test_an_editor_may_send_so_many_tests_an_hour(editor, mailoutbox):
    send(make_campaign(), editor)
    with pytest.raises(RefusedTest, match="1 test within"):
        send(make_campaign(), editor)
    assert len(mailoutbox) == 1


def test_a_translation_is_sent_under_the_rules_of_its_source(editor, mailoutbox):
    campaign = make_campaign(topic=make_topic())
    translation = campaign.copy_for_translation(Locale.objects.get_or_create(language_code="de")[0])
    translation.sender, translation.audience, translation.subject = "", "", "Guten Morgen"
    translation.save()
    send(translation, editor)
    assert mailoutbox[0].subject == "[Test] Guten Morgen"
