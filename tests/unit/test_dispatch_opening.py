"""The beginning of a run: one per slot, content pinned, people planned."""

from datetime import date, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from wagtail.models import Locale
from wagtail.users.models import UserProfile

from tests.support.content import body
from tests.support.factories import (
    NOW,
    SLOT,
    make_campaign,
    make_delivery,
    make_empty_run,
    make_run,
    make_topic,
    make_translation,
    make_user,
    make_users,
)
from wagtail_lifecycle import dispatch
from wagtail_lifecycle.audiences import Audience, AudiencePage, Recipient
from wagtail_lifecycle.dispatch import editions, opening
from wagtail_lifecycle.models import Delivery, OptOut, Run
from wagtail_lifecycle.models.people import hash_address
from wagtail_lifecycle.registry import audiences

pytestmark = pytest.mark.django_db


def statuses(run):
    return dict(run.deliveries.values_list("address", "reason"))


def test_a_slot_has_one_run_however_often_it_is_opened():
    campaign = make_campaign()
    make_users(3)
    first = make_run(campaign)
    second = make_run(campaign, now=NOW + timedelta(minutes=3))
    assert first == second
    assert Run.objects.count() == 1
    assert first.deliveries.count() == 3


def test_a_run_covers_the_period_before_its_slot():
    run = make_run(make_campaign(period="week"))
    assert (run.period_start, run.period_end) == (date(2026, 11, 9), date(2026, 11, 16))


def test_everybody_becomes_a_row_also_those_who_are_left_out():
    topic = make_topic()
    for email in ("ana@example.org", "bo@example.org", "broken@"):
        make_user(email)
    OptOut.objects.create(address_hash=hash_address("bo@example.org"), topic=topic, created_at=NOW)
    run = make_run(make_campaign(topic=topic))
    assert statuses(run) == {"ana@example.org": "", "bo@example.org": "opted_out", "": "no_address"}
    assert run.status == "sending"
    assert set(run.deliveries.values_list("status", flat=True)) == {"queued", "skipped"}


def test_a_run_for_nobody_finishes_at_once():
    run = make_run()
    assert (run.status, run.totals) == ("finished", {})
    assert run.finished_at is not None


def test_a_run_for_people_who_are_all_left_out_finishes_and_adds_up():
    make_user("broken@")
    run = make_run()
    assert (run.status, run.totals) == ("finished", {"skipped": 1})


def test_message_ids_are_opaque_unique_and_of_the_configured_domain(settings):
    settings.WAGTAIL_LIFECYCLE_MESSAGE_ID_DOMAIN = "mail.example.org"
    make_users(2)
    ids = list(make_run().deliveries.values_list("message_id", flat=True))
    assert len(set(ids)) == 2
    assert all(value.startswith("<") and value.endswith("@mail.example.org>") for value in ids)


def test_an_edit_after_the_beginning_touches_only_the_next_run(mailoutbox):
    make_user()
    campaign = make_campaign(subject="Old")
    run = make_run(campaign)
    campaign.subject = "New"
    campaign.save_revision().publish()
    dispatch.send_batch(run.pk)
    later = make_run(campaign, slot=SLOT + timedelta(days=1))
    dispatch.send_batch(later.pk)
    assert [mail.subject for mail in mailoutbox] == ["Old", "New"]


def test_each_person_gets_the_translation_in_their_language_under_the_rules_of_the_source(mailoutbox):
    campaign = make_campaign(subject="News")
    make_translation(campaign, "de", subject="Neuigkeiten", audience="", sender="", topic=None)
    profile = UserProfile.get_for_user(make_user("gabi@example.org"))
    profile.preferred_language = "de"
    profile.save()
    make_user("ana@example.org")
    run = make_run(campaign)
    dispatch.send_batch(run.pk)
    assert {mail.recipients()[0]: mail.subject for mail in mailoutbox} == {
        "gabi@example.org": "Neuigkeiten",
        "ana@example.org": "News",
    }
    assert all("List-Unsubscribe" in mail.extra_headers for mail in mailoutbox)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"subject": "{{ user.password }}"}, id="refused"),
        pytest.param({"body": body(("button", {"text": "Go", "page": "no number", "url": ""}))}, id="raises"),
    ],
)
def test_readers_of_a_broken_translation_get_the_source(mailoutbox, caplog, broken):
    campaign = make_campaign(subject="News")
    make_translation(campaign, "de", **broken)
    profile = UserProfile.get_for_user(make_user("berta@example.org"))
    profile.preferred_language = "de"
    profile.save()
    run = make_run(campaign)
    dispatch.send_batch(run.pk)
    assert {mail.subject for mail in mailoutbox} == {"News"}
    assert "A translation cannot become a mail" in caplog.text


def test_opening_a_translation_opens_the_run_of_its_source():
    campaign = make_campaign()
    translation = make_translation(campaign, "de")
    assert make_run(translation).campaign == campaign


def test_a_campaign_that_went_live_without_a_revision_gets_one_and_keeps_its_newer_draft(mailoutbox):
    make_user()
    campaign = make_campaign(publish=False, live=True, subject="Live")
    campaign.subject = "Draft"
    draft = campaign.save_revision()
    dispatch.send_batch(make_run(campaign).pk)
    campaign.refresh_from_db()
    assert [mail.subject for mail in mailoutbox] == ["Live"]
    assert campaign.latest_revision == draft
    assert campaign.live_revision.as_object().subject == "Live"


def test_a_translation_made_by_a_script_is_sent_as_its_row_stands(mailoutbox):
    campaign = make_campaign(subject="News")
    german, _created = Locale.objects.get_or_create(language_code="de")
    translation = campaign.copy_for_translation(german)
    translation.subject, translation.live = "Neues", True
    translation.save()
    profile = UserProfile.get_for_user(make_user("berta@example.org"))
    profile.preferred_language = "de"
    profile.save()
    dispatch.send_batch(make_run(campaign).pk)
    translation.refresh_from_db()
    assert [mail.subject for mail in mailoutbox] == ["Neues"]
    assert translation.live_revision.object_id == str(translation.pk)
    assert translation.latest_revision == translation.live_revision


class Everybody(Audience):
    """People of any shape, in the order of their users."""

    name, label = "everybody", "Everybody"
    people: dict = {}

    def get_queryset(self, now):
        return get_user_model().objects.order_by("pk")

    def get_recipient(self, obj):
        return self.people.get(obj.pk) or Recipient(key=self.key_of(obj), address=obj.email)


@pytest.fixture
def everybody():
    Everybody.people = {}
    with audiences.temporarily(Everybody):
        yield Everybody


def test_two_people_with_one_mailbox_get_one_mail_also_across_chunks(everybody, monkeypatch):
    monkeypatch.setattr(opening, "CHUNK", 2)
    users = make_users(5)
    shared = {user.pk: Recipient(key=f"user:{user.pk}", address="Desk@Example.org") for user in users[1:]}
    everybody.people = shared
    run = make_run(make_campaign(audience="everybody"))
    reasons = list(run.deliveries.order_by("recipient_key").values_list("recipient_key", "reason"))
    assert reasons == [
        (f"user:{users[0].pk}", ""),
        (f"user:{users[1].pk}", ""),
        *((f"user:{user.pk}", "duplicate") for user in users[2:]),
    ]
    assert run.status == "sending"


def test_planning_goes_on_where_a_crash_stopped_it(monkeypatch):
    monkeypatch.setattr(opening, "CHUNK", 2)
    users = make_users(5)
    campaign = make_campaign()
    written = []

    def crash(self, page):
        if written:
            raise DatabaseError("the server has gone away")
        written.append(page)
        return write(self, page)

    write = opening.Planner.write
    with monkeypatch.context() as patch:
        patch.setattr(opening.Planner, "write", crash)
        with pytest.raises(DatabaseError):
            make_run(campaign)
    run = Run.objects.get()
    assert (run.status, run.deliveries.count()) == ("preparing", 2)
    run = make_run(campaign, now=NOW + timedelta(minutes=2))
    assert run.status == "sending"
    keys = sorted(run.deliveries.values_list("recipient_key", flat=True))
    assert keys == sorted(f"user:{user.pk}" for user in users)


def test_planning_goes_on_also_after_the_longest_key(everybody):
    everybody.people = {}
    run = make_empty_run(make_campaign(audience="everybody"), status=Run.Status.PREPARING)
    cursor = "subscriber:".ljust(Delivery._meta.get_field("recipient_key").max_length, "x")
    source = editions.source_of(run)
    assert opening.Planner(run, source).write(AudiencePage(cursor, []))
    run.refresh_from_db()
    # SQLite stores more than a column promises; PostgreSQL would have refused.
    assert run._meta.get_field("plan_cursor").clean(run.plan_cursor, run) == cursor


def test_a_planner_that_was_overtaken_writes_nothing():
    make_users(2)
    campaign = make_campaign()
    run = make_empty_run(campaign, status="preparing")
    slow = opening.Planner(Run.objects.get(pk=run.pk), campaign)
    opening.plan(Run.objects.get(pk=run.pk), deadline=float("inf"))
    page = next(iter(opening.get_audience("active_users").pages(NOW)))
    assert slow.write(page) is False
    assert run.deliveries.count() == 2


def test_planning_that_takes_long_is_left_to_the_tasks(monkeypatch):
    monkeypatch.setattr(opening, "CHUNK", 2)
    make_users(5)
    run = make_empty_run(status="preparing")
    assert opening.plan(run, deadline=0) is False
    assert run.deliveries.count() == 2
    while dispatch.send_batch(run.pk):
        pass
    run.refresh_from_db()
    assert (run.status, run.totals) == ("finished", {"sent": 5})


def test_a_chunk_is_planned_in_as_many_queries_whatever_its_size():
    counts = []
    for number in (5, 300):
        make_users(number)
        campaign = make_campaign()
        run = make_empty_run(campaign, status="preparing")
        with CaptureQueriesContext(connection) as queries:
            opening.plan(run, deadline=float("inf"))
        # SQLite takes fewer parameters per INSERT; those are not what is counted here.
        counts.append(len([q for q in queries if not q["sql"].startswith("INSERT")]))
    assert counts[0] == counts[1]


def test_a_campaign_whose_audience_is_unknown_breaks_the_run_and_mails_nobody(mailoutbox):
    make_user()
    run = make_run(make_campaign(audience="nobody_knows"))
    assert (run.status, run.reason) == ("cancelled", "broken")
    assert dispatch.send_batch(run.pk) is False
    assert mailoutbox == []


def test_missed_slots_become_one_run_that_says_how_many():
    campaign = make_campaign()
    first = SLOT - timedelta(days=4)
    for _ in range(2):
        run = dispatch.skip_slots(campaign, first, SLOT, 5, NOW)
    assert (run.status, run.reason, run.missed_from, run.missed_count) == ("skipped", "missed", first, 5)
    assert Run.objects.count() == 1
    assert make_run(campaign) == run
    assert Run.objects.get().status == "skipped"


def test_a_run_that_was_cancelled_is_not_opened_again():
    make_user()
    campaign = make_campaign()
    run = make_empty_run(campaign, status="cancelled")
    make_delivery(run, status=Delivery.Status.CANCELLED)
    assert make_run(campaign).status == "cancelled"
    assert run.deliveries.count() == 1
