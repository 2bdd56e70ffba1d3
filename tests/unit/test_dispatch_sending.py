"""From claimed rows to mails and outcomes."""

import logging
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Page

from tests.support.backends import FaultyBackend
from tests.support.content import paragraph
from tests.support.factories import (
    make_campaign,
    make_delivery,
    make_empty_run,
    make_run,
    make_topic,
    make_user,
    make_users,
)
from wagtail_lifecycle import dispatch, signals
from wagtail_lifecycle.audiences import UserAudience
from wagtail_lifecycle.audiences.users import ActiveUsers
from wagtail_lifecycle.data_sources import DataSource
from wagtail_lifecycle.dispatch import claiming, clock, composing, durability
from wagtail_lifecycle.dispatch import editions as run_editions
from wagtail_lifecycle.exceptions import CompileError
from wagtail_lifecycle.models import Delivery, OptOut, SenderState, Suppression
from wagtail_lifecycle.models.people import hash_address
from wagtail_lifecycle.registry import audiences, data_sources
from wagtail_lifecycle.rendering import CompiledMail
from wagtail_lifecycle.rendering.substance import Substance
from wagtail_lifecycle.transport import mime

pytestmark = pytest.mark.django_db


@pytest.fixture
def backend(settings):
    settings.EMAIL_BACKEND = "tests.support.backends.FaultyBackend"
    FaultyBackend.reset()
    return FaultyBackend


def outcomes(run):
    return {d.address.partition("@")[0]: (d.status, d.reason) for d in run.deliveries.all()}


def send(run):
    more = dispatch.send_batch(run.pk)
    run.refresh_from_db()
    return more


# -- What happens to one person touches nobody else ----------------------------------------------------------


def test_everybody_planned_gets_one_mail_and_the_run_adds_up(mailoutbox):
    users = make_users(7)
    run = make_run()
    assert send(run) is False
    assert sorted(m.recipients()[0] for m in mailoutbox) == sorted(user.email for user in users)
    assert (run.status, run.totals) == ("finished", {"sent": 7})
    assert {m.extra_headers["Message-ID"] for m in mailoutbox} == set(
        run.deliveries.values_list("message_id", flat=True)
    )


def test_sending_a_finished_run_again_sends_nothing(mailoutbox):
    make_users(2)
    run = make_run()
    send(run)
    assert send(run) is False
    assert len(mailoutbox) == 2


def test_each_failure_has_its_own_state_and_reason_and_the_others_get_their_mail(backend):
    for name in ("ana", "tempfail", "permfail", "permdata", "lost", "bo"):
        make_user(f"{name}@example.org")
    run = make_run()
    send(run)
    assert outcomes(run) == {
        "ana": ("sent", ""),
        "tempfail": ("deferred", "temporary"),
        "permfail": ("failed", "refused"),
        "permdata": ("failed", "refused"),
        "lost": ("uncertain", "lost_reply"),
        "bo": ("sent", ""),
    }
    assert run.status == "sending"


def test_the_server_s_words_are_kept_without_the_address(backend):
    make_user("permfail@example.org")
    run = make_run()
    send(run)
    assert run.deliveries.get().detail == "550 5.1.1 <…@…> unknown"


def test_a_run_with_uncertain_mails_finishes_and_shows_them(backend):
    make_user("lost@example.org")
    run = make_run()
    send(run)
    assert (run.status, run.totals) == ("finished", {"uncertain": 1})


def test_a_transactional_mail_with_an_unclear_end_is_tried_again_with_the_same_message_id(backend):
    make_user("lost@example.org")
    run = make_run(make_campaign(topic=None))
    before = run.deliveries.get().message_id
    send(run)
    delivery = run.deliveries.get()
    assert (delivery.status, delivery.reason, delivery.attempts) == ("deferred", "lost_reply", 1)
    assert delivery.message_id == before


def test_a_transactional_mail_is_not_tried_for_ever(backend):
    make_user("lost@example.org")
    run = make_run(make_campaign(topic=None))
    for _ in range(7):
        run.deliveries.update(due_at=None)
        send(run)
    assert len(backend.tried) == 5
    assert outcomes(run) == {"lost": ("uncertain", "lost_reply")}


def test_a_deferred_mail_waits_and_then_goes_out_under_its_own_message_id(backend):
    make_user("tempfail@example.org")
    run = make_run()
    assert send(run) is False
    delivery = run.deliveries.get()
    assert timedelta(minutes=2) < delivery.due_at - timezone.now() < timedelta(minutes=8)
    assert send(run) is False
    assert len(backend.tried) == 1
    run.deliveries.update(due_at=timezone.now() - timedelta(seconds=1))
    backend.before = lambda message: backend.taken.append(message.extra_headers["Message-ID"])
    send(run)
    assert len(backend.tried) == 2
    assert backend.taken == [delivery.message_id]
    assert run.deliveries.get().attempts == 2


def test_a_recipient_who_is_never_ready_is_given_up_after_three_days(backend):
    make_user("tempfail@example.org")
    run = make_run()
    run.deliveries.update(created_at=timezone.now() - timedelta(hours=73))
    send(run)
    assert outcomes(run) == {"tempfail": ("failed", "temporary")}
    assert run.status == "finished"


def hand_made_run(*names):
    """Return a run whose deliveries are claimed in the order of the names."""
    run = make_empty_run(make_campaign())
    for name in names:
        user = make_user(f"{name}@example.org")
        make_delivery(run, user.email, recipient_key=f"user:{user.pk}", created_at=timezone.now())
    return run


@pytest.mark.parametrize(
    ("names", "reason"), [(("auth", "ana", "bo"), "authentication"), (("busy", "busy2", "bo"), "unreachable")]
)
def test_a_fault_that_is_nobody_s_pauses_the_sender_and_costs_nobody_an_attempt(backend, names, reason):
    run = hand_made_run(*names)
    assert send(run) is False
    assert backend.taken == []
    assert "bo@example.org" not in backend.tried
    rows = list(run.deliveries.all())
    assert {(row.status, row.attempts, row.claims) for row in rows} == {("queued", 0, 0)}
    assert all(row.token is None and row.lease_until is None for row in rows)
    assert (run.status, run.reason) == ("paused", "sender")
    state = SenderState.objects.get(key="news")
    assert state.is_paused
    assert state.reason == reason
    assert "@" not in state.detail.replace("…@…", "")
    assert timedelta(seconds=20) < state.probe_at - timezone.now() < timedelta(seconds=40)


def test_one_recipient_who_always_ends_the_session_does_not_hold_up_the_others(backend):
    run = hand_made_run("busy", "ana", "busy2", "bo")
    send(run)
    assert [message.recipients() for message in backend.taken] == [["ana@example.org"], ["bo@example.org"]]
    assert outcomes(run)["busy"] == outcomes(run)["busy2"] == ("queued", "unreachable")
    run.deliveries.update(due_at=None, created_at=timezone.now() - timedelta(days=4))
    send(run)
    assert outcomes(run)["busy"] == ("failed", "unreachable")


# -- Rechecks at the last moment ------------------------------------------------------------------------------


def test_an_opt_out_between_planning_and_sending_is_obeyed(mailoutbox):
    topic = make_topic()
    user = make_user("ana@example.org")
    run = make_run(make_campaign(topic=topic))
    OptOut.objects.create(address_hash=hash_address(user.email), topic=topic, created_at=timezone.now())
    send(run)
    assert mailoutbox == []
    assert outcomes(run) == {"ana": ("skipped", "opted_out")}
    assert (run.status, run.totals) == ("finished", {"skipped": 1})


def test_a_suppression_between_planning_and_sending_is_obeyed(mailoutbox):
    user = make_user("ana@example.org")
    run = make_run(make_campaign(topic=None))
    Suppression.objects.create(address_hash=hash_address(user.email), reason="complained", created_at=timezone.now())
    send(run)
    assert mailoutbox == []
    assert outcomes(run) == {"ana": ("skipped", "suppressed")}


def test_people_who_are_gone_or_no_longer_belong_are_left_out(mailoutbox):
    deleted, inactive, kept = (make_user(f"{name}@example.org") for name in ("deleted", "inactive", "kept"))
    run = make_run()
    deleted.delete()
    inactive.is_active = False
    inactive.save()
    send(run)
    assert [m.recipients() for m in mailoutbox] == [[kept.email]]
    assert outcomes(run)["deleted"] == outcomes(run)["inactive"] == ("skipped", "gone")


def test_a_changed_address_is_the_one_that_is_mailed(mailoutbox):
    user = make_user("old@example.org")
    run = make_run()
    user.email = "new@example.org"
    user.save()
    send(run)
    assert [m.recipients() for m in mailoutbox] == [["new@example.org"]]
    delivery = run.deliveries.get()
    assert (delivery.address, delivery.address_hash) == ("new@example.org", hash_address("new@example.org"))


def test_an_address_that_became_somebody_else_s_gets_one_mail(mailoutbox):
    first, second = make_user("first@example.org"), make_user("second@example.org")
    run = make_run()
    first.email = "gone@example.org"
    first.save()
    second.email = "first@example.org"
    second.save()
    run.deliveries.filter(recipient_key=f"user:{first.pk}").update(due_at=timezone.now() + timedelta(hours=1))
    send(run)
    assert mailoutbox == []
    assert run.deliveries.get(recipient_key=f"user:{second.pk}").reason == "duplicate"


def test_an_address_that_became_unusable_is_not_mailed(mailoutbox):
    user = make_user("ana@example.org")
    run = make_run()
    type(user).objects.filter(pk=user.pk).update(email="ana@")
    send(run)
    assert mailoutbox == []
    assert outcomes(run) == {"ana": ("skipped", "no_address")}


# -- Data ------------------------------------------------------------------------------------------------------


class Visits(DataSource):
    """Visits of those the test names; asked once per batch."""

    name, label = "visits", "Visits"
    visits: dict = {}
    asked: list = []

    def load(self, recipients, period):
        self.asked.append((len(recipients), period))
        if isinstance(self.visits, Exception):
            raise self.visits
        return {r.key: self.visits[r.address] for r in recipients if r.address in self.visits}

    def example(self, period):
        return 7


@pytest.fixture
def visits(monkeypatch):
    Visits.visits, Visits.asked = {}, []
    compile_mail = run_editions.compile_mail

    def with_visits(content):
        compiled = compile_mail(content)
        object.__setattr__(compiled, "required", frozenset({"visits"}))
        shows_visits = Substance(condition=None, speaks=True, shows=("visits",))
        object.__setattr__(compiled, "substance", (*compiled.substance, shows_visits))
        return compiled

    monkeypatch.setattr(run_editions, "compile_mail", with_visits)
    with data_sources.temporarily(Visits):
        yield Visits


def test_somebody_with_nothing_to_report_gets_no_mail(visits, mailoutbox):
    for name in ("ana", "bo", "cy"):
        make_user(f"{name}@example.org")
    visits.visits = {"ana@example.org": 12, "bo@example.org": 0}
    run = make_run()
    send(run)
    assert outcomes(run) == {"ana": ("sent", ""), "bo": ("skipped", "empty"), "cy": ("skipped", "empty")}


def test_data_is_loaded_once_per_batch_for_the_run_s_own_period(visits):
    visits.visits = {user.email: 1 for user in make_users(20)}
    run = make_run(make_campaign(period="month"))
    send(run)
    [(number, period)] = visits.asked
    assert number == 20
    assert (period.start, period.end, period.kind) == (run.period_start, run.period_end, "month")


def test_a_data_source_that_fails_gives_the_group_back_and_ends_it_after_five_times(visits):
    make_user("ana@example.org")
    visits.visits = RuntimeError("no such table")
    run = make_run()
    for claims in range(1, 5):
        with pytest.raises(RuntimeError, match="no such table"):
            dispatch.send_batch(run.pk)
        row = run.deliveries.get()
        assert (row.status, row.reason, row.claims) == ("queued", "site_code", claims)
        assert row.due_at > timezone.now() + timedelta(seconds=50)
        run.deliveries.update(due_at=None)
    with pytest.raises(RuntimeError):
        dispatch.send_batch(run.pk)
    assert outcomes(run) == {"ana": ("failed", "site_code")}


def test_the_pause_of_a_group_that_could_not_be_read_is_a_setting(visits, settings):
    settings.WAGTAIL_LIFECYCLE_GROUP_REST_SECONDS = 3600
    make_user("ana@example.org")
    visits.visits = RuntimeError("no such table")
    run = make_run()
    with pytest.raises(RuntimeError):
        dispatch.send_batch(run.pk)
    assert timedelta(minutes=115) < run.deliveries.get().due_at - timezone.now() < timedelta(minutes=125)


@pytest.fixture
def locked(tmp_path):
    """What SQLite raises while somebody else is writing, as Django passes it on."""
    file = tmp_path / "locked.sqlite3"
    with closing(sqlite3.connect(file)) as writer, closing(sqlite3.connect(file, timeout=0)) as other:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as caught:
            other.execute("BEGIN IMMEDIATE")
    error = OperationalError(str(caught.value))
    error.__cause__ = caught.value
    return error


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_locked_for_a_while_costs_nobody_a_claim_and_everybody_gets_their_mail(
    visits, mailoutbox, locked
):
    counted = []

    class Busy(dict):
        """Locked while the people are read for the first time."""

        def __contains__(self, address):
            counted.append(run.deliveries.get(address=address).claims)
            if len(counted) == 1:
                raise locked
            return super().__contains__(address)

    visits.visits = Busy({user.email: 1 for user in make_users(3)})
    run = make_run()
    send(run)
    assert (run.status, run.totals) == ("finished", {"sent": 3})
    assert set(counted) == {1}
    assert len(mailoutbox) == 3


def test_mails_of_a_locked_database_go_back_as_they_were(visits, locked):
    make_user("ana@example.org")
    visits.visits = locked
    run = make_run()
    with pytest.raises(OperationalError, match="locked"):
        dispatch.send_batch(run.pk)
    row = run.deliveries.get()
    assert (row.status, row.reason, row.claims, row.due_at) == ("queued", "", 0, None)


# -- Rendering -------------------------------------------------------------------------------------------------


def test_an_error_in_one_person_s_mail_fails_that_one_without_telling_their_data(mailoutbox, monkeypatch, caplog):
    for name in ("ana", "bo"):
        make_user(f"{name}@example.org", name=name)
    personalise = CompiledMail.personalise

    def picky(self, recipient, **values):
        if recipient.name == "bo":
            raise ValueError(f"cannot write to {recipient.address}")
        return personalise(self, recipient, **values)

    monkeypatch.setattr(CompiledMail, "personalise", picky)
    run = make_run()
    with caplog.at_level(logging.INFO):
        send(run)
    assert outcomes(run) == {"ana": ("sent", ""), "bo": ("failed", "render_error")}
    assert run.deliveries.get(status="failed").detail == "ValueError"
    assert "@" not in caplog.text
    assert (run.status, run.totals) == ("finished", {"sent": 1, "failed": 1})


def test_letters_may_be_written_before_they_are_asked_for_and_an_error_waits_until_then(monkeypatch):
    written = []

    def letter(addressee, _work, _now):
        written.append(addressee.delivery)
        if addressee.delivery == "cy":
            raise DatabaseError
        return None if addressee.delivery == "bo" else addressee.delivery.upper()

    monkeypatch.setattr(composing, "_letter", letter)
    desk = composing.Desk([SimpleNamespace(delivery=name) for name in ("ana", "bo", "cy")], None)
    assert [desk.write_ahead(1), desk.write_ahead(1)] == [True, False]
    assert written == ["ana"]
    assert [job.letter for job in desk.take(2)] == ["ANA"]
    assert (desk.deliveries, desk.write_ahead(1), len(desk)) == (["cy"], True, 1)
    for _ in range(2):
        with pytest.raises(DatabaseError):
            desk.take(1)
    assert written == ["ana", "bo", "cy"]


def test_a_mail_that_cannot_be_put_into_octets_is_no_doubtful_one(backend, monkeypatch):
    for name in ("ana", "bo"):
        make_user(f"{name}@example.org", name=name)
    octets = mime.octets

    def picky(letter):
        return octets(replace(letter, message_id="<ä@example.org>") if letter.name == "bo" else letter)

    monkeypatch.setattr(mime, "octets", picky)
    run = make_run()
    send(run)
    assert outcomes(run) == {"ana": ("sent", ""), "bo": ("failed", "render_error")}
    assert run.deliveries.get(status="failed").detail == "UnicodeEncodeError"
    assert (run.status, run.totals) == ("finished", {"sent": 1, "failed": 1})


def test_a_site_with_domains_in_another_alphabet_sends_mail(settings, mailoutbox):
    make_user("ana@exämple.org")
    sender = {"from": "News <news@exämple.org>", "reply_to": "desk@exämple.org", "postal_address": "1 Main St"}
    settings.WAGTAIL_LIFECYCLE_SENDERS = {"news": sender}
    settings.WAGTAIL_LIFECYCLE_BASE_URL = "https://exämple.org"
    settings.WAGTAIL_LIFECYCLE_MESSAGE_ID_DOMAIN = "exämple.org"
    run = make_run()
    send(run)
    [sent] = mailoutbox
    raw = sent.message().as_bytes()
    assert run.totals == {"sent": 1}
    assert raw.isascii()
    assert b"List-Unsubscribe: <https://xn--exmple-cua.org/lifecycle/unsubscribe/" in raw
    assert sent.recipients() == ["ana@xn--exmple-cua.org"]


def test_an_audience_that_is_no_longer_registered_cancels_the_run_for_everybody(mailoutbox):
    class Club(UserAudience):
        name, label = "club", "Club"

    make_users(3)
    with audiences.temporarily(Club):
        run = make_run(make_campaign(audience="club"))
    assert send(run) is False
    assert mailoutbox == []
    assert (run.status, run.reason, run.totals) == ("cancelled", "broken", {"cancelled": 3})


@pytest.mark.parametrize("error", [CompileError("no image"), RuntimeError("a site's own block")])
def test_content_that_is_no_mail_cancels_the_run_for_everybody(mailoutbox, monkeypatch, error):
    def refuse(_content):
        raise error

    monkeypatch.setattr(run_editions, "compile_mail", refuse)
    make_users(3)
    run = make_run()
    assert send(run) is False
    assert mailoutbox == []
    assert (run.status, run.reason, run.totals) == ("cancelled", "broken", {"cancelled": 3})


def test_a_site_without_our_urls_loses_no_mail(monkeypatch, mailoutbox):
    make_users(2)
    run = make_run()
    with monkeypatch.context() as patch:
        patch.setattr(composing.links, "reverse", lambda *_args, **_kwargs: reverse("no_such_page"))
        with pytest.raises(NoReverseMatch):
            dispatch.send_batch(run.pk)
    assert set(run.deliveries.values_list("status", "claims")) == {("queued", 0)}
    send(run)
    assert len(mailoutbox) == 2


def test_what_was_deleted_after_the_beginning_does_not_stop_the_run(mailoutbox):
    editor = make_user("editor@example.org", is_active=False)
    image = get_image_model().objects.create(title="A bridge", file=get_test_image_file())
    home = Page.objects.get(depth=2)
    page = home.add_child(instance=Page(title="A story", slug="a-story"))
    campaign = make_campaign(
        paragraph(f'Read <a linktype="page" id="{page.pk}">the story</a>.'),
        ("image", {"image": {"image": image.pk, "alt_text": "A bridge", "decorative": False}, "page": page.pk}),
        ("page_list", {"pages": [page.pk]}),
        ("button", {"text": "Read on", "page": page.pk}),
    )
    campaign.live_revision.user = editor
    campaign.live_revision.save()
    make_user("ana@example.org")
    run = make_run(campaign)
    image.delete()
    page.delete()
    editor.delete()
    send(run)
    assert (run.status, run.totals) == ("finished", {"sent": 1})
    assert "Read" in mailoutbox[0].body


def test_content_is_compiled_once_per_run(monkeypatch, settings):
    settings.WAGTAIL_LIFECYCLE_BATCH_SIZE = 2
    compiled = []
    compile_mail = run_editions.compile_mail
    monkeypatch.setattr(run_editions, "compile_mail", lambda content: compiled.append(content) or compile_mail(content))
    make_users(5)
    send(make_run())
    assert len(compiled) == 1


# -- The claim protocol ----------------------------------------------------------------------------------------


def test_the_intent_is_written_down_before_the_mail_leaves_and_the_outcome_after(backend):
    seen = []
    make_user("ana@example.org")
    run = make_run()
    backend.before = lambda _message: seen.append(run.deliveries.get().status)
    send(run)
    assert seen == ["sending"]
    assert run.deliveries.get().status == "sent"


def test_two_claims_never_share_a_row():
    run = make_empty_run()
    for _ in range(5):
        make_delivery(run)
    first, second = claiming.claim(run.pk, 3), claiming.claim(run.pk, 3)
    assert (len(first), len(second)) == (3, 2)
    assert not {row.pk for row in first} & {row.pk for row in second}
    assert [row.pk for row in first] == sorted(row.pk for row in first)
    assert claiming.claim(run.pk, 3) == []


def test_a_lease_is_counted_by_the_database_s_clock():
    run = make_empty_run()
    make_delivery(run)
    [row] = claiming.claim(run.pk, 1)
    assert Delivery.objects.filter(pk=row.pk, lease_until__gt=Now() + timedelta(seconds=1250)).exists()
    assert Delivery.objects.filter(pk=row.pk, lease_until__lt=Now() + timedelta(seconds=1270)).exists()


def test_what_is_not_due_yet_is_not_claimed():
    run = make_empty_run()
    make_delivery(run, due_at=timezone.now() + timedelta(hours=1), status="deferred")
    due = make_delivery(run, due_at=timezone.now() - timedelta(hours=1), status="deferred")
    assert [row.pk for row in claiming.claim(run.pk, 5)] == [due.pk]


def test_a_lost_claim_stops_the_group_and_gives_the_rest_back(backend):
    for name in ("ana", "bo", "cy"):
        make_user(f"{name}@example.org")
    run = make_run()

    def steal(message):
        first = run.deliveries.filter(address=message.recipients()[0])
        first.update(status="cancelled", token=None, lease_until=None)

    backend.before = steal
    assert send(run) is True
    assert len(backend.tried) == 1
    assert sorted(run.deliveries.values_list("status", flat=True)) == ["cancelled", "queued", "queued"]


def announce(group, **changes):
    form = durability.prepare()
    return claiming.announce(group, **{"form": form, "lines": 1, "allowed": [], "now": timezone.now(), **changes})


def test_a_mail_taken_from_us_before_the_intent_is_not_announced():
    run = make_empty_run()
    for _ in range(3):
        make_delivery(run)
    first, second, third = group = claiming.claim(run.pk, 3)
    run.deliveries.filter(pk=first.pk).update(status="cancelled", token=None, lease_until=None)
    run.deliveries.filter(pk=third.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert announce(group) == [second]


def test_nothing_is_announced_once_the_run_is_paused(backend):
    make_users(2)

    class Interrupted(ActiveUsers):
        """Somebody pauses the run while the people of a claimed group are read."""

        name, label = "interrupted", "Interrupted"

        def by_key(self, keys, now):
            dispatch.steering.pause(run.pk, user=None, now=now)
            return super().by_key(keys, now)

    with audiences.temporarily(Interrupted):
        run = make_run(make_campaign(audience="interrupted"))
        assert send(run) is False
    assert backend.tried == []
    assert set(run.deliveries.values_list("status", "claims")) == {("queued", 0)}


def test_a_late_answer_still_resolves_what_was_given_up_as_uncertain(backend):
    make_user("ana@example.org")
    run = make_run()

    def give_up(_message):
        run.deliveries.update(lease_until=timezone.now() - timedelta(hours=1))
        dispatch.recover(timezone.now())
        assert run.deliveries.get().status == "uncertain"

    backend.before = give_up
    send(run)
    assert outcomes(run) == {"ana": ("sent", "")}
    assert (run.status, run.totals) == ("finished", {"sent": 1})


def test_a_late_answer_with_another_worker_s_token_changes_nothing(backend):
    make_user("ana@example.org")
    run = make_run()
    backend.before = lambda _message: run.deliveries.update(token=uuid4())
    send(run)
    assert outcomes(run) == {"ana": ("sending", "")}


def test_when_the_time_is_over_the_rest_goes_back_and_more_is_due(settings, backend):
    make_users(5)
    run = make_run()
    settings.WAGTAIL_LIFECYCLE_BATCH_SECONDS = 0.2
    backend.before = lambda _message: settings.__setattr__("WAGTAIL_LIFECYCLE_BATCH_SECONDS", 0)
    started = timezone.now()
    while timezone.now() - started < timedelta(seconds=30) and send(run):
        pass
    assert run.deliveries.exclude(claims=0).exclude(status="sent").count() == 0
    settings.WAGTAIL_LIFECYCLE_BATCH_SECONDS = 5
    send(run)
    assert (run.status, run.totals) == ("finished", {"sent": 5})


@pytest.mark.parametrize("status", ["paused", "cancelled", "finished", "skipped"])
def test_a_run_that_is_not_sending_sends_nothing(status, mailoutbox):
    run = make_empty_run(status=status)
    make_delivery(run)
    assert dispatch.send_batch(run.pk) is False
    assert mailoutbox == []


def test_a_run_that_does_not_exist_is_nobody_s_work():
    assert dispatch.send_batch(10**9) is False


def test_claims_are_counted_until_an_intent_and_an_orderly_return_does_not_count():
    run = make_empty_run()
    make_delivery(run)
    group = claiming.claim(run.pk, 1)
    assert group[0].claims == 1
    claiming.release(group)
    assert run.deliveries.get().claims == 0
    announce(claiming.claim(run.pk, 1))
    assert (run.deliveries.get().status, run.deliveries.get().claims) == ("sending", 0)


# -- Signals, queries -------------------------------------------------------------------------------------------


def test_observers_hear_ids_and_cannot_stop_a_mail(mailoutbox):
    heard = []

    def broken(**_values):
        raise RuntimeError

    def note(signal, sender, **values):
        heard.append(values)

    make_user()
    run = make_run()
    for signal in (signals.pre_send, signals.post_send):
        signal.connect(broken)
        signal.connect(note)
    try:
        send(run)
    finally:
        for signal in (signals.pre_send, signals.post_send):
            signal.disconnect(broken)
            signal.disconnect(note)
    delivery = run.deliveries.get()
    ids = {"delivery_id": delivery.pk, "run_id": run.pk, "campaign_id": run.campaign_id}
    assert heard == [ids, {**ids, "status": "sent", "reason": ""}]
    assert len(mailoutbox) == 1


def test_a_batch_of_100_costs_few_queries_more_than_one_of_10_apart_from_the_outcome_of_each_mail(
    mailoutbox, monkeypatch
):
    # Whether somebody paused the run is looked up once a second.
    monkeypatch.setattr(clock, "elapsed", lambda: 0.0)
    counts = {}
    durability.prepare()
    for number in (10, 100):
        Delivery.objects.all().delete()
        run = make_empty_run(make_campaign())
        for user in make_users(number):
            make_delivery(run, user.email, recipient_key=f"user:{user.pk}")
        with CaptureQueriesContext(connection) as queries:
            dispatch.send_batch(run.pk)
        counts[number] = len(queries) - number
    assert len(mailoutbox) == 110
    # Two groups were announced instead of one.
    assert counts[100] - counts[10] == 1
    assert counts[10] < 45
