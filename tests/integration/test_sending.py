"""Mails over a real SMTP connection, and several workers on one database."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.backends import FaultyBackend
from tests.support.factories import (
    NOW,
    SLOT,
    make_campaign,
    make_delivery,
    make_empty_run,
    make_run,
    make_user,
    make_users,
)
from tests.support.mail_checks import faults
from wagtail_lifecycle import dispatch, signals
from wagtail_lifecycle.conf import settings as app_settings
from wagtail_lifecycle.dispatch import claiming
from wagtail_lifecycle.models import Delivery, Run, SenderState, Suppression
from wagtail_lifecycle.models.people import hash_address
from wagtail_lifecycle.transport import lines


@pytest.fixture
def smtp(settings, smtp_sink):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = smtp_sink.host, smtp_sink.port, 30
    return smtp_sink


@pytest.mark.django_db
def test_what_arrives_over_smtp_is_standards_clean_whatever_people_are_called(smtp):
    names = ["Zoë Okafor", "Costa, Ana", "Bob\r\nBcc: x@y.example", "محمد", '=?utf-8?q?"x"?=', "李雷 🎉", "." * 70]
    for number, name in enumerate(names):
        make_user(f"n{number}@example.org", name=name)
    run = make_run(make_campaign(subject="News for {{ recipient.name | you }}"))
    assert dispatch.send_batch(run.pk) is False
    assert len(smtp.mails) == len(names)
    for mail in smtp.mails:
        assert faults(mail.raw, rcpts=mail.recipients) == []
    run.refresh_from_db()
    assert run.totals == {"sent": len(names)}


@pytest.mark.django_db
def test_a_transactional_mail_over_smtp_carries_nothing_of_a_list(smtp):
    make_user("ana@example.org")
    dispatch.send_batch(make_run(make_campaign(topic=None)).pk)
    [mail] = smtp.mails
    assert b"List-" not in mail.raw
    assert faults(mail.raw, rcpts=mail.recipients, profile="transactional") == []


@pytest.mark.django_db
def test_a_server_that_is_down_costs_nobody_an_attempt_and_the_run_goes_on_when_it_is_back(settings, smtp):
    make_users(3)
    run = make_run()
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    assert dispatch.send_batch(run.pk) is False
    assert set(run.deliveries.values_list("status", "attempts", "due_at")) == {("queued", 0, None)}
    assert dispatch.recover(NOW) == []
    settings.EMAIL_PORT = port
    SenderState.objects.update(probe_at=timezone.now() - timedelta(seconds=1))
    assert dispatch.recover(NOW) == [run.pk]
    assert dispatch.send_batch(run.pk) is True
    dispatch.send_batch(run.pk)
    assert len(smtp.mails) == 3


@pytest.fixture
def backend(settings):
    settings.EMAIL_BACKEND = "tests.support.backends.FaultyBackend"
    FaultyBackend.reset()
    return FaultyBackend


def at_once(*jobs):
    """Run jobs in threads that start together, each with a database connection of its own."""
    start = threading.Barrier(len(jobs))

    def run(job):
        start.wait(timeout=30)
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result(timeout=120) for future in [pool.submit(run, job) for job in jobs]]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_several_dispatchers_open_one_run_and_plan_each_person_once():
    users = make_users(1200)
    campaign = make_campaign()
    runs = at_once(*[lambda: dispatch.open_run(campaign, SLOT, NOW) for _ in range(4)])
    assert len({run.pk for run in runs}) == 1
    while Run.objects.get().status == "preparing":
        dispatch.open_run(campaign, SLOT, NOW)
    keys = list(Delivery.objects.values_list("recipient_key", flat=True))
    assert len(keys) == len(set(keys)) == len(users)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_several_workers_and_recoverers_mail_each_person_once(backend, settings):
    settings.WAGTAIL_LIFECYCLE_BATCH_SIZE = 7
    users = make_users(200)
    run = make_run()

    def work():
        while dispatch.send_batch(run.pk):
            pass

    at_once(*[work] * 4, *[lambda: dispatch.recover(timezone.now())] * 2)
    work()
    assert Counter(message.recipients()[0] for message in backend.taken) == Counter(user.email for user in users)
    run.refresh_from_db()
    assert (run.status, run.totals) == ("finished", {"sent": 200})


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_worker_does_not_wait_for_rows_another_one_has_locked():
    make_users(4)
    run = make_run()
    locked, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            ids = list(Delivery.objects.select_for_update().order_by("pk").values_list("pk", flat=True)[:2])
            locked.set()
            assert done.wait(timeout=30)
        return ids

    def claim():
        assert locked.wait(timeout=30)
        try:
            return [row.pk for row in claiming.claim(run.pk, 4)]
        finally:
            done.set()

    held, claimed = at_once(hold, claim)
    assert len(claimed) == 2
    assert not set(held) & set(claimed)


# -- Faults of the server, end to end ------------------------------------------------------------------------


@pytest.fixture
def server(faulty_smtp, settings):
    faulty_smtp.use(settings)
    settings.WAGTAIL_LIFECYCLE_CONNECTIONS = 1
    settings.WAGTAIL_LIFECYCLE_PROBE_SECONDS = 0.05
    yield faulty_smtp
    lines.close()


def go_on(run, *, until, rounds=100):
    """Do what beat and workers do, until the run is in that state."""
    pause = threading.Event()
    for _ in range(rounds):
        for run_id in dispatch.recover(timezone.now()):
            dispatch.send_batch(run_id)
        run.refresh_from_db()
        if run.status == until:
            return
        pause.wait(0.1)
    raise AssertionError(f"The run stays {run.status} {run.reason}")


FAULTS = [
    ({"mail_reply": "550 5.7.515 sender not authenticated"}, {"mail_reply": ""}, "rejected"),
    ({"mail_reply": "530 5.7.0 authentication required"}, {"mail_reply": ""}, "authentication"),
    ({"mail_reply": "451 4.7.1 too fast"}, {"mail_reply": ""}, "rejected"),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("fault", "cure", "reason"), FAULTS)
def test_a_sender_fault_in_the_middle_of_a_run_touches_no_recipient_and_ends_by_itself(server, fault, cure, reason):
    users = make_users(20)
    run = make_run()
    heard = []

    def strike(**_values):
        heard.append(1)
        if len(heard) == 6:
            server.configure(**fault)

    signals.pre_send.connect(strike)
    try:
        assert dispatch.send_batch(run.pk) is False
    finally:
        signals.pre_send.disconnect(strike)
    run.refresh_from_db()
    assert (run.status, run.reason) == ("paused", "sender")
    assert SenderState.objects.get(key="news").reason == reason
    waiting = run.deliveries.exclude(status="sent")
    assert set(waiting.values_list("status", "attempts", "claims", "due_at")) == {("queued", 0, 0, None)}
    # Probes that fail change nothing but the time of the next one, which is further off each time.
    for _probe in range(2):
        SenderState.objects.update(probe_at=timezone.now())
        go_on(run, until="paused", rounds=1)
    assert SenderState.objects.get(key="news").probes == 2
    assert set(waiting.values_list("status", "attempts")) == {("queued", 0)}
    server.configure(**cure)
    SenderState.objects.update(probe_at=timezone.now())
    go_on(run, until="finished")
    assert run.totals == {"sent": 20}
    assert not SenderState.objects.get(key="news").is_paused
    assert Counter(rcpt for mail in server.accepted for rcpt in mail["rcpts"]) == Counter(u.email for u in users)


@pytest.mark.django_db(transaction=True)
def test_two_people_whom_the_server_always_cuts_off_do_not_keep_a_sender_from_everybody_else(server):
    cut_off, others = make_empty_run(), make_empty_run(slot=SLOT + timedelta(hours=1))
    begun = timezone.now() - timedelta(hours=1)
    for run, addresses in (
        (cut_off, ["a@reset.test", "b@reset.test"]),
        (others, [f"p{n}@example.org" for n in range(3)]),
    ):
        for address in addresses:
            make_delivery(run, address, recipient_key=f"user:{make_user(address).pk}", created_at=begun)
    assert dispatch.send_batch(cut_off.pk) is False
    assert SenderState.objects.get(key="news").is_paused
    for _probe in range(4):
        cut_off.deliveries.update(due_at=None)
        SenderState.objects.update(probe_at=timezone.now())
        dispatch.send_batch(cut_off.pk)
        # The server has answered: the pauses between two probes do not grow, those of the mails do.
        soon = timezone.now() + timedelta(seconds=app_settings.probe_seconds + 1)
        assert SenderState.objects.get(key="news").probe_at < soon
    assert cut_off.deliveries.filter(due_at__gt=timezone.now() + timedelta(minutes=3)).exists()
    SenderState.objects.update(probe_at=timezone.now())
    go_on(others, until="finished")
    assert others.totals == {"sent": 3}
    assert set(cut_off.deliveries.values_list("status", "attempts")) == {("queued", 0)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lets_in", [1, 2])
def test_lines_that_are_too_many_for_the_server_are_given_up_and_cost_nobody_a_mail(server, settings, lets_in):
    settings.WAGTAIL_LIFECYCLE_CONNECTIONS = 4
    server.configure(max_conns=lets_in, latency=0.05)
    users = make_users(80)
    run = make_run()
    while dispatch.send_batch(run.pk):
        pass
    run.refresh_from_db()
    assert (run.status, run.totals) == ("finished", {"sent": 80})
    assert set(run.deliveries.values_list("attempts", "reason")) == {(1, "")}
    assert not SenderState.objects.filter(key="news", paused_at__isnull=False).exists()
    assert Counter(rcpt for mail in server.accepted for rcpt in mail["rcpts"]) == Counter(u.email for u in users)
    # Each line too many was turned away once.
    assert 1 <= len(server.events("rejected")) <= 4 - lets_in


@pytest.mark.django_db(transaction=True)
def test_a_server_that_lets_nobody_in_any_more_is_at_fault_over_several_lines_too(server, settings):
    settings.WAGTAIL_LIFECYCLE_CONNECTIONS = 3
    settings.WAGTAIL_LIFECYCLE_MESSAGES_PER_CONNECTION = 5
    server.configure(latency=0.05)
    make_users(40)
    run = make_run()

    def strike(**_values):
        if run.deliveries.filter(status="sent").count() > 20:
            server.configure(refuse=True)

    signals.post_send.connect(strike)
    try:
        assert dispatch.send_batch(run.pk) is False
    finally:
        signals.post_send.disconnect(strike)
    run.refresh_from_db()
    assert (run.status, run.reason) == ("paused", "sender")
    assert SenderState.objects.get(key="news").reason == "unreachable"
    assert set(run.deliveries.exclude(status="sent").values_list("status", "attempts")) == {("queued", 0)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fault", ["unacked-1", "hang-1"])
def test_a_mail_without_an_answer_is_sent_again_only_when_a_person_says_so_and_is_the_same_mail(
    server, settings, fault
):
    settings.WAGTAIL_LIFECYCLE_DOT_TIMEOUT_SECONDS = 0.3
    for name in ("ana@example.org", f"bo@{fault}.test", "cy@example.org"):
        make_user(name)
    run = make_run()
    dispatch.send_batch(run.pk)
    go_on(run, until="finished")
    assert run.totals == {"sent": 2, "uncertain": 1}
    dispatch.recover(timezone.now())
    assert dispatch.send_batch(run.pk) is False
    assert len(server.accepted) == 3
    doubtful = run.deliveries.get(status="uncertain")
    assert dispatch.steering.settle_uncertain([doubtful.pk], sent=False, user=None, now=timezone.now()) == 1
    go_on(run, until="finished")
    assert run.totals == {"sent": 3}
    first, second = (mail for mail in server.accepted if mail["message_id"] == doubtful.message_id)
    assert date_of(first) == date_of(second)


def date_of(mail):
    raw = mail["raw"]
    return next(line for line in raw.splitlines() if line.startswith("Date:"))


@pytest.mark.django_db(transaction=True)
def test_a_mailbox_that_does_not_exist_is_never_mailed_again_about_a_topic(server):
    gone = make_user("ana@permfail.test")
    full = make_user("bo@full.test")
    run = make_run()
    dispatch.send_batch(run.pk)
    assert dict(run.deliveries.values_list("address", "status")) == {gone.email: "failed", full.email: "deferred"}
    assert [row.address_hash for row in Suppression.objects.all()] == [hash_address(gone.email)]
    [reason] = (
        make_run(slot=SLOT + timedelta(days=1)).deliveries.filter(address=gone.email).values_list("reason", flat=True)
    )
    assert reason == "suppressed"


@pytest.mark.django_db(transaction=True)
def test_a_run_whose_first_mails_are_all_refused_for_their_content_is_paused(server, settings):
    settings.WAGTAIL_LIFECYCLE_BREAKER = {"alike": 4}
    for number in range(12):
        make_user(f"n{number}@permdata.test")
    run = make_run()
    assert dispatch.send_batch(run.pk) is False
    run.refresh_from_db()
    assert (run.status, run.reason) == ("paused", "breaker")
    assert Counter(run.deliveries.values_list("status", flat=True)) == {"failed": 4, "queued": 8}


@pytest.mark.django_db(transaction=True)
def test_a_run_of_which_too_many_fail_is_paused_and_a_person_may_let_it_go_on(server, settings):
    settings.WAGTAIL_LIFECYCLE_BREAKER = {"share": 0.5, "after": 8}
    for number in range(16):
        make_user(f"n{number}@{'permfail.test' if number % 2 else 'example.org'}")
    run = make_run()
    assert dispatch.send_batch(run.pk) is False
    run.refresh_from_db()
    assert (run.status, run.reason) == ("paused", "breaker")
    settings.WAGTAIL_LIFECYCLE_BREAKER = {"share": 0.9}
    dispatch.steering.resume(run.pk, user=None, now=timezone.now())
    go_on(run, until="finished")
    assert run.totals == {"sent": 8, "failed": 8}


@pytest.mark.django_db(transaction=True)
def test_a_run_paused_while_it_is_sent_stops_within_seconds_and_loses_nothing(server):
    server.configure(latency=0.3)
    make_users(30)
    run = make_run()

    def pause_soon():
        started.wait(timeout=30)
        dispatch.steering.pause(run.pk, user=None, now=timezone.now())

    started = threading.Event()
    signals.post_send.connect(note := lambda **_values: started.set())
    try:
        if connection.vendor == "postgresql":
            at_once(pause_soon, lambda: dispatch.send_batch(run.pk))
        else:
            signals.post_send.connect(again := lambda **_values: pause_soon())
            dispatch.send_batch(run.pk)
            signals.post_send.disconnect(again)
    finally:
        signals.post_send.disconnect(note)
    assert len(server.accepted) <= 6
    states = Counter(run.deliveries.values_list("status", flat=True))
    assert states == {"sent": len(server.accepted), "queued": 30 - len(server.accepted)}


@pytest.mark.django_db(transaction=True)
def test_outcomes_cost_one_statement_each_and_a_group_few_more(server):
    make_users(100)
    run = make_run()
    with CaptureQueriesContext(connection) as queries:
        dispatch.send_batch(run.pk)
    # Those of psycopg's own wire are not captured: they are one per mail at most.
    assert len(queries) <= 0.5 * 100 + (0 if connection.vendor == "postgresql" else 100)
    assert len(server.accepted) == 100
