"""The tab Who: how many people a mail would reach, and whether it would reach one."""

from datetime import UTC, datetime

import pytest
from django.core.cache import cache

from tests.support.admin import logged_in, url, words
from tests.support.factories import make_topic, make_user, make_users
from wagtail_lifecycle import reach, registry
from wagtail_lifecycle.audiences import ActiveUsers
from wagtail_lifecycle.models import OptOut, Suppression
from wagtail_lifecycle.models.people import hash_address

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_remembered():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def topic():
    return make_topic("Reports")


def opt_out(address, topic):
    OptOut.objects.create(address_hash=hash_address(address), topic=topic, created_at=NOW)


def suppress(address):
    Suppression.objects.create(address_hash=hash_address(address), reason="bounced", created_at=NOW)


def person(client, address, topic, **fields):
    data = {"address": address, "audience": "active_users", "topic": topic.pk, **fields}
    return words(client.post(url("reach_person"), data), "p")


def test_the_funnel_takes_off_everybody_who_gets_nothing(topic):
    for address in (
        "ana@bücher.example",
        "ana@xn--bcher-kva.example",
        "bo@example.org",
        "cy@example.org",
        "no address",
    ):
        make_user(address)
    opt_out("bo@example.org", topic)
    suppress("cy@example.org")
    found = reach.reach_of("active_users", topic.pk, NOW)
    assert found == reach.Reach(matched=5, opted_out=1, suppressed=1, no_address=1, duplicate=1)
    assert found.reached == 1
    # Nobody can opt out of what is transactional.
    assert reach.reach_of("active_users", None, NOW).opted_out == 0


def test_of_a_large_audience_a_sample_is_asked(topic, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(reach, "EXACT", 50)
    monkeypatch.setattr(reach, "SAMPLE", 20)
    for user in make_users(100):
        opt_out(user.email, topic)
    with django_assert_max_num_queries(30):
        found = reach.reach_of("active_users", topic.pk, NOW)
    assert (found.matched, found.opted_out, found.reached, found.is_about) == (100, 100, 0, True)


def test_the_same_question_is_answered_once_a_minute(topic, django_assert_num_queries):
    first = reach.reach_of("active_users", topic.pk, NOW)
    make_user()
    with django_assert_num_queries(0):
        assert reach.reach_of("active_users", topic.pk, NOW) == first


def test_an_editor_reads_numbers_and_no_names(topic):
    editor = logged_in("editor")
    make_user("ana@example.org")
    page = editor.get(url("reach"), {"audience": "active_users", "topic": topic.pk})
    assert "Today it would go to 2 people." in words(page, "p")
    assert "ana@example.org" not in page.content.decode()
    assert words(editor.get(url("reach"), {"audience": "nobody:1"}), "p") == ["Choose who gets the mail."]


def test_an_audience_of_the_site_that_raises_is_a_sentence(caplog):
    class Raising(ActiveUsers):
        name = "raising"

        def count(self, now):
            raise KeyError("oops")

    with registry.audiences.temporarily(Raising):
        page = logged_in("editor").get(url("reach"), {"audience": "raising"})
    assert words(page, "p") == ["This audience cannot be read. The site's log says why."]
    assert "reach failed" in caplog.text


def test_one_person_is_told_about(topic, caplog):
    client = logged_in("moderator")
    make_user("ana@example.org", name="Ana Costa")
    make_user("bo@example.org")
    make_user("maria-ana@example.org")
    opt_out("bo@example.org", topic)
    assert person(client, " ana@EXAMPLE.org", topic) == ["Yes. By today\u2019s data, Ana Costa gets it."]
    assert person(client, "bo@example.org", topic) == ["No. Opted out of the topic."]
    assert person(client, "bo@example.org", topic, is_transactional="on")[0].startswith("Yes.")
    assert person(client, "cy@example.org", topic) == ["No. Nobody with this address was found in the audience."]
    assert person(client, "nonsense", topic) == ["This is no address that mail can be sent to."]
    assert "@" not in caplog.text
