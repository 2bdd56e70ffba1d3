"""The `lifecycle.py` of the how-to, in a site: who is written to, and what they read."""

import sys
from contextlib import ExitStack
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from importlib import import_module

import pytest
from wagtail.models import Locale

from demo_site.accounts.models import User
from tests.support.content import content
from tests.support.factories import make_topic
from tests.support.howto import edit_files
from tests.support.publication import home_page, person, post
from wagtail_lifecycle import registry
from wagtail_lifecycle.audiences import audience_choices, get_audience
from wagtail_lifecycle.data_sources import Period
from wagtail_lifecycle.models.problems import problems_of
from wagtail_lifecycle.rendering import Links, compile_mail

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MARCH_1ST = Period(date(2026, 3, 1), date(2026, 3, 2))


@pytest.fixture
def club(tmp_path, monkeypatch, settings):
    """The module of the how-to, registered for one test."""
    edit_files("howto/extend.md", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    templates = deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"] = [*templates[0]["DIRS"], tmp_path / "club" / "templates"]
    settings.TEMPLATES = templates
    with ExitStack() as stack:
        for names in (registry.audiences, registry.data_sources, registry.blocks, registry.starters):
            stack.enter_context(names.temporarily())
        yield import_module("club.lifecycle")
    for name in ("club.lifecycle", "club"):
        sys.modules.pop(name, None)


@pytest.mark.django_db
def test_the_audience_matches_members_not_seen_for_a_month(club):
    lapsed, unverified, seen, newcomer = person(), person(is_verified=False), person(), person()
    long_ago = {"date_joined": NOW - timedelta(days=90), "last_login": None}
    User.objects.filter(pk__in=[lapsed.pk, unverified.pk]).update(**long_ago)
    User.objects.filter(pk=seen.pk).update(last_login=NOW - timedelta(days=2))
    User.objects.filter(pk=newcomer.pk).update(date_joined=NOW)
    everybody = [f"user:{user.pk}" for user in (lapsed, unverified, seen, newcomer)]
    assert ("lapsed_members", "Members not seen for 30 days") in audience_choices()
    assert list(get_audience("lapsed_members").by_key(everybody, NOW)) == everybody[:1]


@pytest.mark.django_db
def test_the_mail_tells_what_the_data_source_counted(club):
    home = home_page()
    post(home, first_published_at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    post(home, first_published_at=datetime(2026, 2, 1, 12, tzinfo=UTC))
    person("Ana Lindqvist")
    [page] = get_audience("active_users").pages(NOW)
    [recipient] = page.recipients
    compiled = compile_mail(content(("missed_pages", {"heading": "What you missed"})))
    [source] = [registry.data_sources.get(name)() for name in compiled.required]
    data = source.load([recipient], MARCH_1ST)[recipient.key]
    mail = compiled.personalise(recipient, data={source.name: data}, links=Links(unsubscribe="https://x/"))
    for part in (mail.html, mail.text):
        assert "What you missed" in part
        assert "1 new page, Ana" in part


def test_the_example_is_worth_a_mail_and_nothing_is_not(club):
    source = club.MissedPages()
    assert not source.is_empty(source.example(MARCH_1ST))
    assert source.is_empty(club.Missed(pages=0))


@pytest.mark.django_db
def test_the_starter_is_a_campaign_that_can_be_sent(club):
    make_topic("Club news", slug="club-news")
    draft = club.ComeBack().draft(Locale.get_default())
    assert draft.to_do == ()
    assert problems_of(draft.campaign) == []
