"""Some people of an audience, and their mails: bounded, repeatable, and without a link that does anything."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from tests.support.content import body, paragraph
from tests.support.factories import make_campaign, make_topic, make_translation, make_users
from tests.support.publication import home_page, person, post
from wagtail_lifecycle import links, registry, samples
from wagtail_lifecycle.audiences import Recipient, UserAudience
from wagtail_lifecycle.models import OptOut
from wagtail_lifecycle.rendering import compile_mail

NOW = datetime(2015, 5, 18, 9, tzinfo=UTC)
BASE = "https://example.org"

pytestmark = pytest.mark.django_db


def addresses(people):
    return [recipient.address for recipient in people]


@pytest.fixture
def campaign():
    return make_campaign(paragraph('Hello <span data-merge-tag="recipient.name">Name</span>'))


class Strangers(UserAudience):
    """Nothing that the database could search."""

    name, label = "strangers", "Strangers"

    def search(self, people, text):
        return None


def guests(pages):
    return {
        page.pk: [Recipient(key=f"guest:{n}", address=f"g{n}@example.org", name=f"G {n}") for n in "123"]
        for page in pages
    }


@pytest.mark.parametrize("audience", ["active_users", "strangers"])
def test_people_are_found_by_parts_of_name_and_address(campaign, audience, django_assert_num_queries):
    person("Ana Lindqvist", email="ana@example.org")
    person("Bo Lind", email="bo@example.com")
    person("Cy Lind", email="cy@example.org", is_verified=False)
    campaign.audience = audience
    with registry.audiences.temporarily(Strangers):
        for text, found in {
            "LIND": ["ana@example.org", "bo@example.com"],
            "ana lind": ["ana@example.org"],
            "@example.com": ["bo@example.com"],
            "lind ana \x00": ["ana@example.org"],
            "%": [],
            " ": [],
            "x" * 5000: [],
        }.items():
            assert addresses(samples.find(campaign, text, NOW)) == found, text
        assert len(samples.find(campaign, "lind", NOW, limit=1)) == 1


def test_a_search_takes_as_many_queries_in_a_large_audience_as_in_a_small_one(campaign, django_assert_max_num_queries):
    make_users(1500)
    with django_assert_max_num_queries(3):
        assert len(samples.find(campaign, "reader", NOW)) == 10


def test_next_goes_round_the_audience(campaign):
    first, second = person(email="a@example.org"), person(email="b@example.org")
    seen, key = [], ""
    for _step in range(3):
        found = samples.next_person(campaign, key, NOW)
        seen, key = [*seen, found.address], found.key
    assert seen == [first.email, second.email, first.email]
    for nonsense in ("user:x", "guest:1", f"user:{10**40}", "\x00", "x" * 5000):
        assert samples.next_person(campaign, nonsense, NOW).address == first.email


def test_nobody_is_next_where_nobody_belongs(campaign):
    assert samples.next_person(campaign, "", NOW) is None
    assert samples.sample(campaign, NOW) == []
    assert samples.extremes(campaign, compile_mail(campaign.content), NOW) is None


def test_only_who_belongs_is_a_person_of_the_campaign(campaign):
    inside, outside = person(), person(is_verified=False)
    assert samples.person(campaign, f"user:{inside.pk}", NOW).address == inside.email
    for key in (f"user:{outside.pk}", "", "user:x", f"user:{10**40}", f"user:{inside.pk}\x00", "x" * 5000):
        assert samples.person(campaign, key, NOW) is None


def test_a_sample_has_the_longest_and_the_shortest_names_and_is_repeatable(campaign, django_assert_max_num_queries):
    make_users(900)
    long, short = person("Maximiliane " * 10, email="long@example.org"), person("", email="short@example.org")
    with django_assert_max_num_queries(35):
        found = samples.sample(campaign, NOW)
    assert {long.email, short.email} <= set(addresses(found))
    assert len(found) == len(set(addresses(found))) == 200
    assert samples.sample(campaign, NOW) == found
    # From all over, not only from the beginning.
    numbers = sorted(int(recipient.key.partition(":")[2]) for recipient in found)
    assert numbers[150] - numbers[50] > 150


def test_a_small_audience_is_in_the_sample_as_a_whole(campaign):
    make_users(30)
    assert len(samples.sample(campaign, NOW)) == 30


def test_authors_of_the_site_s_own_callable_are_found_too(campaign, settings):
    post(home_page(), title="A page")
    settings.WAGTAIL_LIFECYCLE_AUTHORS = f"{__name__}.guests"
    campaign.audience = "page_authors"
    assert addresses(samples.find(campaign, "g 2", NOW)) == ["g2@example.org"]
    assert samples.next_person(campaign, "guest:1", NOW).key == "guest:2"
    assert len(samples.sample(campaign, NOW, size=2)) == 2
    assert samples.person(campaign, "guest:3", NOW).address == "g3@example.org"


def test_a_translation_is_for_the_people_of_its_source(campaign):
    user = person()
    translation = make_translation(campaign, "de", audience="unverified_users")
    assert samples.next_person(translation, "", NOW).address == user.email


def test_the_extremes_are_told_by_the_size_of_the_mail(campaign):
    make_users(20)
    long, short = person("Maximiliane " * 10), person("")
    found = samples.extremes(campaign, compile_mail(campaign.content), NOW)
    assert addresses(found) == [long.email, short.email]


def test_a_personal_mail_has_the_data_that_would_be_sent():
    author = person("Ana")
    post(home_page(), title="Fog signals", owner=author)
    campaign = make_campaign(("page_views", {"heading": "Your pages", "when_empty": "Nobody came"}))
    compiled, period = compile_mail(campaign.content), samples.period_of(campaign, NOW)
    [recipient] = samples.find(campaign, author.email, NOW)
    assert set(samples.data_of(compiled, [recipient], period)[recipient.key]) == compiled.required
    assert "Your pages" in samples.personal_mail(compiled, recipient, period, base=BASE).html


def test_no_link_of_a_personal_mail_does_anything(client):
    user = person("Ana", is_verified=False)
    campaign = make_campaign(
        body=body(("verify_button", {"text": "Confirm"})), topic=make_topic(), audience="unverified_users"
    )
    compiled = compile_mail(campaign.content)
    [recipient] = samples.find(campaign, user.email, NOW)
    mail = samples.personal_mail(compiled, recipient, samples.period_of(campaign, NOW), base=BASE)
    for name, url in {
        "unsubscribe": links.inert_unsubscribe_url(base=BASE),
        "verify": links.inert_verify_url(recipient.key, base=BASE),
    }.items():
        assert url in mail.html, name
        assert url in mail.text, name
        path = url.removeprefix(BASE)
        assert path.startswith(reverse(f"wagtail_lifecycle:{name}", args=["x"])[:-2])
        for response in (client.get(path), client.post(path, {"List-Unsubscribe": "One-Click"})):
            assert response.status_code == 200
            assert "nothing has happened" in response.content.decode()
    user.refresh_from_db()
    assert not user.is_verified
    assert not OptOut.objects.exists()


def test_an_inert_token_is_long_like_a_real_one_and_opens_nothing_else():
    inert = links.inert_unsubscribe_url(base=BASE)
    real = links.unsubscribe_url("ab" * 32, 7, base=BASE)
    assert len(inert) == len(real)
    token = inert.rstrip("/").rpartition("/")[2]
    assert links.is_inert(token)
    for forged in (token[:-1], "", "x" * 5000, links.unsubscribe_token("ab" * 32, 7)):
        assert not links.is_inert(forged)
