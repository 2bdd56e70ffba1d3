"""What people do to runs, mails and senders that are under way."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tests.support.events import on_event
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
from wagtail_lifecycle import dispatch
from wagtail_lifecycle.dispatch import claiming, senders, steering
from wagtail_lifecycle.exceptions import LifecycleError
from wagtail_lifecycle.models import Run, SenderState

pytestmark = pytest.mark.django_db

BY = {"user": None, "now": NOW}


def state(run):
    run.refresh_from_db()
    return run.status, run.reason


def statuses(run):
    return sorted(run.deliveries.values_list("status", flat=True))


# -- Pause, resume, cancel -----------------------------------------------------------------------------------


def test_a_paused_run_sends_nothing_until_it_is_resumed(mailoutbox):
    make_users(3)
    run = make_run()
    assert steering.pause(run.pk, **BY) == 1
    assert steering.pause(run.pk, **BY) == 0
    assert dispatch.send_batch(run.pk) is False
    assert dispatch.recover(NOW) == []
    assert (mailoutbox, state(run)) == ([], ("paused", "person"))
    assert steering.resume(run.pk, **BY) == 1
    assert steering.resume(run.pk, **BY) == 0
    assert dispatch.recover(NOW) == [run.pk]
    dispatch.send_batch(run.pk)
    assert len(mailoutbox) == 3


def test_a_run_that_is_still_planned_goes_on_being_planned_when_it_is_resumed(mailoutbox):
    make_users(2)
    run = make_empty_run(status="preparing", planned_at=None)
    steering.pause(run.pk, **BY)
    steering.resume(run.pk, **BY)
    assert state(run) == ("preparing", "")
    dispatch.send_batch(run.pk)
    assert len(mailoutbox) == 2


def test_a_cancelled_run_has_no_open_mail_and_adds_up(mailoutbox):
    make_users(3)
    run = make_run()
    claiming.claim(run.pk, 1)
    assert steering.cancel(run.pk, **BY) == 3
    assert steering.cancel(run.pk, **BY) == 0
    run.refresh_from_db()
    assert (run.status, run.reason, run.totals) == ("cancelled", "person", {"cancelled": 3})
    assert run.finished_at is not None
    assert dispatch.send_batch(run.pk) is False
    assert mailoutbox == []


def test_a_mail_that_is_leaving_when_its_run_is_cancelled_is_decided_by_its_outcome():
    run = make_empty_run()
    leaving = make_delivery(run, status="sending")
    make_delivery(run)
    assert steering.cancel(run.pk, **BY) == 1
    run.refresh_from_db()
    assert run.finished_at is None
    run.deliveries.filter(pk=leaving.pk).update(status="sent", token=None, lease_until=None)
    dispatch.recover(NOW)
    run.refresh_from_db()
    assert (run.totals, run.finished_at is not None) == ({"sent": 1, "cancelled": 1}, True)


@pytest.mark.postgres
@pytest.mark.timeout(60)
@pytest.mark.django_db(transaction=True)
def test_cancelling_never_waits_for_rows_that_somebody_else_has_locked():
    run = make_empty_run()
    first, *_others = [make_delivery(run) for _ in range(3)]
    elsewhere = connection.copy()
    elsewhere.set_autocommit(False)
    try:
        elsewhere.cursor().execute("SELECT FROM wagtail_lifecycle_delivery WHERE id = %s FOR UPDATE", [first.pk])
        assert steering.cancel(run.pk, user=None, now=timezone.now()) == 2
        elsewhere.rollback()
    finally:
        elsewhere.close()
    dispatch.recover(timezone.now())
    run.refresh_from_db()
    assert run.totals == {"cancelled": 3}
    assert run.finished_at is not None


def test_the_rest_of_a_very_large_run_is_cancelled_by_recover(monkeypatch):
    monkeypatch.setattr(steering, "BOUND", 2)
    run = make_empty_run()
    for _ in range(5):
        make_delivery(run)
    assert steering.cancel(run.pk, **BY) == 2
    dispatch.recover(NOW)
    assert statuses(run) == ["cancelled"] * 5


@pytest.mark.parametrize("action", [steering.pause, steering.resume, steering.cancel])
def test_what_has_ended_is_not_steered_and_the_reason_is_a_sentence(action):
    run = make_empty_run(status="finished")
    with pytest.raises(LifecycleError, match=r"^The run is finished\. It has ended.*\.$"):
        action(run.pk, **BY)


def test_a_run_that_does_not_exist_is_said_so():
    with pytest.raises(LifecycleError, match="There is no run 1000000"):
        steering.resume(1_000_000, **BY)


# -- Again, and to the rest ----------------------------------------------------------------------------------


def test_failed_mails_are_tried_again_all_or_those_with_one_reason():
    run = make_empty_run(status="finished", totals={"failed": 2})
    refused = make_delivery(run, status="failed", reason="refused", attempts=1, finished_at=NOW)
    make_delivery(run, status="failed", reason="render_error", finished_at=NOW)
    make_delivery(run, status="sent", finished_at=NOW)
    assert steering.retry_failed(run.pk, reason="refused", **BY) == 1
    refused.refresh_from_db()
    assert (refused.status, refused.attempts, refused.finished_at) == ("queued", 0, None)
    run.refresh_from_db()
    assert (run.status, run.totals, run.finished_at, run.resumed_at) == ("sending", {}, None, NOW)
    assert steering.retry_failed(run.pk, **BY) == 1
    assert steering.retry_failed(run.pk, **BY) == 0
    assert statuses(run) == ["queued", "queued", "sent"]


def test_nothing_is_reopened_where_nothing_has_failed():
    run = make_empty_run(status="finished")
    make_delivery(run, status="sent")
    assert steering.retry_failed(run.pk, **BY) == 0
    assert state(run) == ("finished", "")


def test_a_retried_mail_that_is_refused_for_now_waits_however_old_it_is(settings):
    settings.EMAIL_BACKEND = "tests.support.backends.FaultyBackend"
    make_user("tempfail@example.org")
    run = make_run()
    run.deliveries.update(status="failed", reason="temporary", created_at=NOW - timedelta(days=9), finished_at=NOW)
    Run.objects.filter(pk=run.pk).update(status="finished")
    steering.retry_failed(run.pk, user=None, now=timezone.now())
    dispatch.send_batch(run.pk)
    assert statuses(run) == ["deferred"]


def test_the_rest_is_everybody_without_a_mail_also_who_came_later_but_not_the_uncertain(mailoutbox):
    sent, failed, doubtful, opted_out = make_users(4)
    run = make_run()
    for user, fields in [
        (sent, {"status": "sent"}),
        (failed, {"status": "failed", "reason": "refused"}),
        (doubtful, {"status": "uncertain", "reason": "lost_reply"}),
        (opted_out, {"status": "skipped", "reason": "opted_out"}),
    ]:
        run.deliveries.filter(address=user.email).update(finished_at=NOW, **fields)
    dispatch.close_run(run.pk)
    new = make_user("new@example.org")
    assert steering.send_to_rest(run.pk, **BY) == 2
    while dispatch.send_batch(run.pk):
        pass
    assert {mail.recipients()[0] for mail in mailoutbox} == {failed.email, opted_out.email, new.email}
    run.refresh_from_db()
    assert (run.status, run.totals) == ("finished", {"sent": 4, "uncertain": 1})


def test_a_cancelled_run_can_be_sent_to_the_rest_after_all(mailoutbox):
    make_users(2)
    run = make_run()
    steering.cancel(run.pk, **BY)
    assert steering.send_to_rest(run.pk, **BY) == 2
    dispatch.send_batch(run.pk)
    assert len(mailoutbox) == 2


def test_a_run_without_a_mail_has_none_for_the_rest():
    with pytest.raises(LifecycleError, match="It never had a mail to send"):
        steering.send_to_rest(make_empty_run(status="cancelled", reason="broken").pk, **BY)


def test_a_missed_slot_is_sent_afterwards_once(mailoutbox):
    make_users(2)
    campaign = make_campaign()
    run = dispatch.skip_slots(campaign, SLOT - timedelta(days=2), SLOT, 3, NOW)
    assert steering.send_skipped(run.pk, **BY) == 1
    assert steering.send_skipped(run.pk, **BY) == 0
    dispatch.send_batch(run.pk)
    assert len(mailoutbox) == 2
    run.refresh_from_db()
    assert (run.status, run.slot, run.totals) == ("finished", SLOT, {"sent": 2})


def test_only_what_was_missed_is_sent_afterwards():
    with pytest.raises(LifecycleError, match="It was not missed"):
        steering.send_skipped(make_empty_run(status="finished").pk, **BY)


# -- Uncertain mails -----------------------------------------------------------------------------------------


def uncertain(run):
    return make_delivery(run, status="uncertain", reason="lost_reply", finished_at=NOW, dated_at=NOW)


def test_an_uncertain_mail_that_a_person_takes_for_sent_counts_as_sent():
    run = make_empty_run(status="finished", totals={"uncertain": 2})
    first, second = uncertain(run), uncertain(run)
    assert steering.settle_uncertain([first.pk], sent=True, **BY) == 1
    assert steering.settle_uncertain([first.pk], sent=True, **BY) == 0
    run.refresh_from_db()
    assert (run.status, run.totals) == ("finished", {"sent": 1, "uncertain": 1})
    second.refresh_from_db()
    assert second.status == "uncertain"


def test_an_uncertain_mail_that_is_sent_again_keeps_its_message_id_and_date():
    run = make_empty_run(status="finished", totals={"uncertain": 1})
    mail = uncertain(run)
    assert steering.settle_uncertain([mail.pk], sent=False, **BY) == 1
    assert state(run) == ("sending", "")
    after = run.deliveries.get()
    assert (after.status, after.message_id, after.dated_at) == ("deferred", mail.message_id, NOW)


# -- Senders -------------------------------------------------------------------------------------------------


def test_a_sender_that_a_person_paused_is_not_probed_and_its_runs_wait(mailoutbox):
    make_users(2)
    run = make_run()
    assert steering.pause_sender("news", **BY) == 1
    assert steering.pause_sender("news", **BY) == 0
    assert dispatch.send_batch(run.pk) is False
    assert (mailoutbox, state(run)) == ([], ("paused", "sender"))
    assert SenderState.objects.get().probe_at is None
    assert dispatch.recover(NOW) == []
    with pytest.raises(LifecycleError, match="Its sender is paused"):
        steering.resume(run.pk, **BY)
    assert steering.resume_sender("news", **BY) == 1
    assert dispatch.recover(NOW) == [run.pk]
    dispatch.send_batch(run.pk)
    assert len(mailoutbox) == 2


def test_a_person_s_pause_outlives_a_fault_and_a_fault_s_pause_becomes_a_person_s():
    senders.pause("news", "unreachable", "ConnectionRefusedError")
    assert steering.pause_sender("news", **BY) == 1
    assert senders.pause("news", "unreachable") == 0
    assert SenderState.objects.get().reason == "person"


def test_an_unknown_sender_is_said_so():
    with pytest.raises(LifecycleError, match="No sender 'nobody'"):
        steering.pause_sender("nobody", **BY)


def test_one_of_many_workers_gets_the_probe_and_the_next_one_comes_later():
    senders.pause("news", "unreachable")
    assert senders.due_probe("news") is False
    gaps = []
    for _ in range(12):
        SenderState.objects.update(probe_at=timezone.now() - timedelta(seconds=1))
        assert (senders.due_probe("news"), senders.due_probe("news")) == (True, False)
        gaps.append((SenderState.objects.get().probe_at - timezone.now()).total_seconds())
    assert gaps[0] < gaps[1] < gaps[2]
    assert max(gaps) <= 900


def test_a_probe_goes_to_one_person_and_the_run_goes_on_after_it(mailoutbox):
    make_users(3)
    run = make_run()
    senders.pause("news", "unreachable")
    senders.make_wait(run.pk)
    SenderState.objects.update(probe_at=timezone.now() - timedelta(seconds=1))
    assert dispatch.recover(NOW) == [run.pk]
    assert dispatch.send_batch(run.pk) is True
    assert len(mailoutbox) == 1
    assert not senders.is_paused("news")
    dispatch.send_batch(run.pk)
    assert len(mailoutbox) == 3


def test_a_run_that_waits_for_a_sender_that_works_again_is_found():
    make_users(1)
    run = make_run()
    senders.make_wait(run.pk)
    assert dispatch.recover(NOW) == [run.pk]
    assert state(run) == ("sending", "")


def paused_by_a_person_and_its_sender_by_a_fault():
    make_users(2)
    run = make_run()
    steering.pause(run.pk, **BY)
    senders.pause("news", "unreachable")
    return run


def make_probe_due():
    SenderState.objects.update(probe_at=timezone.now() - timedelta(seconds=1))


def test_a_run_that_a_person_resumes_tries_its_paused_sender_at_once_where_that_is_due(mailoutbox):
    run = paused_by_a_person_and_its_sender_by_a_fault()
    make_probe_due()
    assert dispatch.recover(NOW) == []
    assert steering.resume(run.pk, **BY) == 1
    assert state(run) == ("paused", "sender")
    # What the admin has done as soon as somebody presses the button.
    assert dispatch.send_batch(run.pk) is True
    assert (len(mailoutbox), senders.is_paused("news"), state(run)) == (1, False, ("sending", ""))


def test_a_run_that_a_person_resumes_tries_its_paused_sender_when_that_is_due(mailoutbox):
    run = paused_by_a_person_and_its_sender_by_a_fault()
    assert steering.resume(run.pk, **BY) == 1
    assert dispatch.send_batch(run.pk) is False
    assert dispatch.recover(NOW) == []
    assert (mailoutbox, state(run)) == ([], ("paused", "sender"))
    make_probe_due()
    assert dispatch.recover(NOW) == [run.pk]
    dispatch.send_batch(run.pk)
    assert (len(mailoutbox), senders.is_paused("news"), state(run)) == (1, False, ("sending", ""))


def test_a_run_that_paused_itself_waits_for_its_sender_too_and_its_failures_no_longer_count():
    make_users(1)
    run = make_run()
    Run.objects.filter(pk=run.pk).update(status="paused", reason="breaker")
    steering.pause_sender("news", **BY)
    assert steering.resume(run.pk, **BY) == 1
    assert (state(run), run.resumed_at) == (("paused", "sender"), NOW)
    steering.resume_sender("news", **BY)
    assert state(run) == ("sending", "")


# -- Mails about an event that was too long ago ----------------------------------------------------------------


@pytest.fixture
def about_events():
    """A finished run about events: one failed mail is of today, two are older than a mail about it is worth."""
    run = make_empty_run(on_event(), status="finished")
    for days, reason in ((0, "refused"), (9, "refused"), (10, "temporary")):
        then = NOW - timedelta(days=days)
        make_delivery(run, status="failed", reason=reason, event_key=f"day {days}", created_at=then)
    return run


def test_only_what_is_not_too_old_is_tried_again_and_the_rest_keeps_why_it_failed(about_events):
    assert steering.too_old(about_events.pk, now=NOW) == 2
    assert steering.too_old(about_events.pk, now=NOW, reason="temporary") == 1
    assert steering.retry_failed(about_events.pk, **BY, reason="temporary") == 0
    assert state(about_events) == ("finished", "")
    assert steering.retry_failed(about_events.pk, **BY) == 1
    assert statuses(about_events) == ["failed", "failed", "queued"]
    assert steering.send_to_rest(about_events.pk, **BY) == 0


def test_mails_of_other_runs_are_never_too_old():
    run = make_empty_run(status="finished")
    make_delivery(run, status="failed", reason="refused", created_at=NOW - timedelta(days=99))
    assert steering.too_old(run.pk, now=NOW) == 0
    assert steering.retry_failed(run.pk, **BY) == 1
