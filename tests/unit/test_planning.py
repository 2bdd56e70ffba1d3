"""Who gets a mail, and why not."""

import pytest

from tests.support.factories import NOW, make_topic
from wagtail_lifecycle import planning
from wagtail_lifecycle.audiences import Recipient
from wagtail_lifecycle.models import OptOut, Suppression
from wagtail_lifecycle.models.people import hash_address

ANA = Recipient(key="user:1", address="ana@example.org", name="Ana")


def decide(*recipients, topic_id=None, planned=None):
    decisions = planning.decide(planning.people_of(recipients), topic_id=topic_id, planned=planned or {})
    return {decision.person.recipient.key: decision.reason for decision in decisions}


def opt_out(address, topic=None):
    return OptOut.objects.create(address_hash=hash_address(address), topic=topic, created_at=NOW)


pytestmark = pytest.mark.django_db


def test_somebody_with_an_address_gets_the_mail():
    assert decide(ANA) == {"user:1": ""}


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b@c", "jürgen@example.org", "x" * 65 + "@example.org", '"\x01"@example.org']
)
def test_somebody_without_a_usable_address_is_left_out(address):
    assert decide(Recipient(key="user:1", address=address)) == {"user:1": "no_address"}


def test_two_people_without_an_address_do_not_count_as_one():
    people = [planning.identify(Recipient(key=f"user:{n}", address="")) for n in (1, 2)]
    assert people[0].address_hash != people[1].address_hash


def test_the_second_person_with_a_mailbox_is_a_duplicate_with_a_hash_of_their_own():
    other = Recipient(key="contact:9", address="ana@EXAMPLE.org")
    first, second = planning.decide(planning.people_of([ANA, other]), topic_id=None, planned={})
    assert (first.reason, second.reason) == ("", "duplicate")
    assert first.person.address_hash == hash_address("ana@example.org")
    assert second.person.address_hash == planning.hash_key("contact:9")


def test_a_local_part_in_capitals_is_another_mailbox():
    assert decide(ANA, Recipient(key="user:2", address="ANA@example.org")) == {"user:1": "", "user:2": ""}


def test_a_mailbox_planned_for_somebody_else_makes_a_duplicate_across_chunks():
    planned = {hash_address("ana@example.org"): "contact:9"}
    assert decide(ANA, planned=planned) == {"user:1": "duplicate"}


def test_whoever_is_planned_already_gets_no_second_decision():
    planned = {hash_address("ana@example.org"): "user:1"}
    assert decide(ANA, planned=planned) == {}


def test_a_person_an_audience_names_twice_is_planned_once():
    assert decide(ANA, ANA) == {"user:1": ""}


def test_an_opt_out_counts_for_its_topic_and_no_other():
    reports, news = make_topic("Reports"), make_topic("News")
    opt_out("ana@example.org", reports)
    assert decide(ANA, topic_id=reports.pk) == {"user:1": "opted_out"}
    assert decide(ANA, topic_id=news.pk) == {"user:1": ""}


def test_opting_out_of_everything_counts_for_every_topic_but_not_for_transactional_mail():
    opt_out("ana@example.org")
    assert decide(ANA, topic_id=make_topic().pk) == {"user:1": "opted_out"}
    assert decide(ANA, topic_id=None) == {"user:1": ""}


def test_a_suppressed_address_gets_nothing_at_all():
    Suppression.objects.create(address_hash=hash_address("ana@example.org"), reason="bounced", created_at=NOW)
    assert decide(ANA, topic_id=None) == {"user:1": "suppressed"}


def test_the_number_of_queries_does_not_depend_on_the_number_of_people(django_assert_num_queries):
    topic = make_topic()
    for size in (1, 400):
        people = [Recipient(key=f"user:{n}", address=f"p{n}@example.org") for n in range(size)]
        with django_assert_num_queries(2):
            decide(*people, topic_id=topic.pk)


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("de", "de"), ("DE", "de"), ("de-at", "de"), ("pt", "pt-br"), ("pt-pt", "pt-br"), ("fr", "en"), ("", "en")],
)
def test_the_language_is_the_nearest_there_is(wanted, language):
    assert planning.resolve_language(wanted, ["en", "de", "pt-br"]) == language
