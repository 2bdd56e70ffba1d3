"""What crashed or got lost is put right by looking at the rows alone."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.factories import NOW, make_campaign, make_delivery, make_empty_run, make_run, make_topic, make_users
from wagtail_lifecycle import dispatch
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.dispatch import claiming, closing, durability, opening, outcomes
from wagtail_lifecycle.models import Delivery, Run

pytestmark = pytest.mark.django_db

Status = Delivery.Status


def expired(run, status, **fields):
    delivery = make_delivery(run, status=status, **fields)
    Delivery.objects.filter(pk=delivery.pk).update(lease_until=timezone.now() - timedelta(seconds=5))
    return delivery


def state(delivery):
    delivery.refresh_from_db()
    return delivery.status, delivery.reason


def test_a_claim_whose_lease_is_over_goes_back():
    run = make_empty_run()
    lapsed, held = expired(run, Status.CLAIMED, claims=1), make_delivery(run, status=Status.CLAIMED)
    assert dispatch.recover(NOW) == []
    assert state(lapsed) == ("queued", "")
    assert state(held) == ("claimed", "")


def test_a_mail_that_nobody_survived_preparing_is_given_up_after_five_claims():
    run = make_empty_run()
    assert state(expired(run, Status.CLAIMED, claims=5)) == ("claimed", "")
    dispatch.recover(NOW)
    assert run.deliveries.get().reason == "poison"
    run.refresh_from_db()
    assert (run.status, run.totals) == ("finished", {"failed": 1})


def test_a_bulk_mail_without_an_outcome_is_uncertain_and_never_sent_again(mailoutbox):
    run = make_empty_run()
    delivery = expired(run, Status.SENDING)
    assert dispatch.recover(NOW) == []
    assert state(delivery) == ("uncertain", "lost_reply")
    run.refresh_from_db()
    assert (run.status, run.totals) == ("finished", {"uncertain": 1})
    assert dispatch.send_batch(run.pk) is False
    assert mailoutbox == []


def test_a_transactional_mail_without_an_outcome_is_sent_again_under_its_message_id():
    run = make_empty_run(make_campaign(topic=None))
    delivery = expired(run, Status.SENDING)
    message_id = delivery.message_id
    assert dispatch.recover(NOW) == [run.pk]
    assert state(delivery) == ("deferred", "lost_reply")
    assert (delivery.attempts, delivery.message_id) == (1, message_id)


def test_a_transactional_mail_is_not_sent_again_for_ever():
    run = make_empty_run(make_campaign(topic=None))
    delivery = expired(run, Status.SENDING, attempts=outcomes.MAX_UNCERTAIN_ATTEMPTS - 1)
    dispatch.recover(NOW)
    assert state(delivery) == ("uncertain", "lost_reply")


def test_a_run_with_due_mails_and_no_worker_is_named():
    run = make_empty_run()
    make_delivery(run)
    assert dispatch.recover(NOW) == [run.pk]


def test_a_run_somebody_claims_from_is_left_alone_for_a_minute():
    run = make_empty_run()
    make_delivery(run)
    make_delivery(run)
    [row] = claiming.claim(run.pk, 1)
    assert dispatch.recover(NOW) == []
    Delivery.objects.filter(pk=row.pk).update(lease_until=timezone.now() + settings.lease - timedelta(seconds=61))
    assert dispatch.recover(NOW) == [run.pk]


def test_a_run_whose_mails_are_not_due_is_not_named():
    run = make_empty_run()
    make_delivery(run, status=Status.DEFERRED, due_at=timezone.now() + timedelta(hours=1))
    assert dispatch.recover(NOW) == []


def test_a_run_that_was_left_while_preparing_is_named_and_its_planning_goes_on(mailoutbox):
    make_users(3)
    run = make_empty_run(status="preparing")
    assert dispatch.recover(NOW) == [run.pk]
    dispatch.send_batch(run.pk)
    run.refresh_from_db()
    assert (run.status, run.totals) == ("finished", {"sent": 3})


@pytest.mark.parametrize("status", ["paused", "cancelled"])
def test_a_run_that_rests_is_not_named(status):
    make_delivery(make_empty_run(status=status))
    assert dispatch.recover(NOW) == []


def test_a_run_with_nothing_open_is_closed():
    run = make_empty_run()
    make_delivery(run, status=Status.SENT)
    make_delivery(run, status=Status.SKIPPED, reason="opted_out")
    dispatch.recover(NOW)
    run.refresh_from_db()
    assert (run.status, run.totals, run.finished_at) == ("finished", {"sent": 1, "skipped": 1}, NOW)


def test_a_run_that_waits_for_its_sender_is_closed_when_its_last_mail_ended_as_a_probe():
    run = make_empty_run()
    dispatch.senders.pause("news", "unreachable")
    dispatch.senders.make_wait(run.pk)
    make_delivery(run, status=Status.FAILED, reason="refused")
    dispatch.recover(NOW)
    run.refresh_from_db()
    assert (run.status, run.reason, run.totals) == ("finished", "", {"failed": 1})


def test_a_run_with_something_open_is_not_closed():
    run = make_empty_run()
    make_delivery(run, status=Status.DEFERRED, due_at=timezone.now() + timedelta(hours=1))
    assert dispatch.close_run(run.pk) is False
    assert Run.objects.get().status == "sending"


@pytest.mark.parametrize(
    ("end", "totals"),
    [
        ({"status": Status.SENT}, {"sent": 1, "cancelled": 1}),
        ({"status": Status.DEFERRED, "reason": "temporary"}, {"cancelled": 2}),
    ],
)
def test_what_was_on_its_way_when_its_run_was_cancelled_is_counted_once_it_has_ended(end, totals):
    run = make_empty_run()
    delivery, _queued = make_delivery(run, status=Status.SENDING), make_delivery(run)
    closing.break_run(run.pk)
    dispatch.recover(NOW)
    run.refresh_from_db()
    assert run.totals == {"sending": 1, "cancelled": 1}
    claiming.change(delivery, [Status.SENDING], **end, token=None, lease_until=None)
    dispatch.recover(NOW)
    run.refresh_from_db()
    assert (run.status, run.reason, run.totals) == ("cancelled", "broken", totals)


def test_recovering_twice_does_nothing_more():
    run = make_empty_run()
    expired(run, Status.SENDING)
    expired(run, Status.CLAIMED, claims=1)
    assert dispatch.recover(NOW) == dispatch.recover(NOW) == [run.pk]
    assert sorted(run.deliveries.values_list("status", flat=True)) == ["queued", "uncertain"]


def test_recovering_costs_as_many_queries_for_many_rows():
    counts = []
    durability.ensure_epoch()
    for number in (2, 200):
        run = make_empty_run()
        make_delivery(run)
        rows = [
            Delivery(
                run=run,
                recipient_key=f"user:{n}",
                address_hash=uuid4().hex,
                message_id=uuid4().hex,
                status=Status.CLAIMED if n % 2 else Status.SENDING,
                token=uuid4(),
                lease_until=timezone.now() - timedelta(minutes=1),
                created_at=NOW,
            )
            for n in range(number)
        ]
        Delivery.objects.bulk_create(rows)
        with CaptureQueriesContext(connection) as queries:
            dispatch.recover(NOW)
        counts.append(len(queries))
    assert counts[0] == counts[1] < 22


@pytest.mark.parametrize(
    ("attempts", "transactional", "shortest", "longest"),
    [(0, False, 150, 450), (1, False, 300, 900), (19, False, 7200, 21600), (0, True, 15, 45), (19, True, 300, 900)],
)
def test_the_pause_doubles_up_to_a_cap_and_is_spread(attempts, transactional, shortest, longest):
    terms = outcomes.Terms.of(Run(is_transactional=transactional))
    delays = [terms.delay(attempts + 1).total_seconds() for _ in range(200)]
    assert shortest <= min(delays)
    assert max(delays) <= longest
    assert max(delays) > min(delays)


def test_opening_sending_and_recovering_at_once_mails_each_person_once(mailoutbox):
    make_users(4)
    campaign = make_campaign()
    runs = [make_run(campaign) for _ in range(3)]
    dispatch.recover(NOW)
    for run in runs:
        dispatch.send_batch(run.pk)
        dispatch.recover(NOW)
    assert len(mailoutbox) == 4


# -- What the missing outcomes of a group prove --------------------------------------------------------------


def announced_group(run, number, *, mark, lines=1):
    """Return rows that one worker announced together, its lease over."""
    token, over = uuid4(), timezone.now() - timedelta(seconds=5)
    return [
        make_delivery(run, status=Status.SENDING, token=token, lease_until=over, crash_epoch=mark, lines=lines)
        for _ in range(number)
    ]


def states(rows):
    return [state(row)[0] for row in rows]


@pytest.mark.parametrize("lines", [1, 3])
def test_only_the_first_rows_of_a_group_without_an_outcome_are_in_doubt_one_per_line(lines):
    run = make_empty_run()
    groups = [announced_group(run, 5, mark=durability.DURABLE, lines=lines) for _ in range(2)]
    dispatch.recover(NOW)
    for group in groups:
        assert states(group) == ["uncertain"] * lines + ["queued"] * (5 - lines)


def test_a_row_of_a_group_that_has_its_outcome_is_not_counted():
    run = make_empty_run()
    first, *others = announced_group(run, 3, mark=durability.DURABLE)
    Delivery.objects.filter(pk=first.pk).update(status=Status.SENT, token=None, lease_until=None)
    dispatch.recover(NOW)
    assert states([first, *others]) == ["sent", "uncertain", "queued"]


@pytest.mark.parametrize("mark", [durability.UNKNOWN, "an-epoch-that-has-ended"])
def test_where_outcomes_may_be_missing_every_row_of_the_group_is_in_doubt(mark):
    run = make_empty_run()
    group = announced_group(run, 3, mark=mark)
    dispatch.recover(NOW)
    assert states(group) == ["uncertain"] * 3


def test_in_doubt_a_transactional_mail_is_sent_again_and_what_was_not_begun_costs_no_attempt():
    run = make_empty_run(make_campaign(topic=None))
    first, second = announced_group(run, 2, mark=durability.DURABLE)
    dispatch.recover(NOW)
    assert states([first, second]) == ["deferred", "queued"]
    assert (first.attempts, second.attempts) == (1, 0)


def test_whether_a_mail_may_be_sent_twice_is_the_run_s_not_what_the_campaign_became():
    campaign = make_campaign(topic=None)
    run = make_run(campaign)
    campaign.topic = make_topic()
    campaign.save_revision().publish()
    run.refresh_from_db()
    assert run.is_transactional
    delivery = expired(run, Status.SENDING)
    dispatch.recover(NOW)
    assert state(delivery) == ("deferred", "lost_reply")


@pytest.mark.postgres
def test_rows_of_this_epoch_are_told_apart_and_a_crash_brings_a_new_epoch():
    run = make_empty_run()
    epoch = durability.ensure_epoch()
    before = announced_group(run, 3, mark=epoch)
    dispatch.recover(NOW)
    assert states(before) == ["uncertain", "queued", "queued"]
    crashed = announced_group(run, 3, mark=epoch)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE wagtail_lifecycle_crash_epoch")
    dispatch.recover(NOW)
    assert states(crashed) == ["uncertain"] * 3
    assert durability.current_epoch() not in {"", epoch}


def test_a_mail_that_workers_did_not_survive_twice_is_claimed_alone():
    run = make_empty_run()
    rows = [make_delivery(run, claims=claims) for claims in (0, 2, 0, 0)]
    pks = [row.pk for row in rows]
    claimed = [[row.pk for row in claiming.claim(run.pk, 10)] for _ in range(4)]
    assert claimed == [pks[:1], pks[1:2], pks[2:], []]


def test_the_lease_of_rows_is_renewed_unless_it_is_over():
    run = make_empty_run()
    held, lapsed = make_delivery(run, status=Status.SENDING), expired(run, Status.SENDING)
    Delivery.objects.filter(pk=held.pk).update(lease_until=timezone.now() + timedelta(seconds=5))
    assert claiming.renew([held, lapsed], Status.SENDING) == 1
    held.refresh_from_db()
    assert held.lease_until > timezone.now() + timedelta(seconds=60)


def test_the_first_of_a_large_audience_get_their_mail_before_the_last_are_planned(mailoutbox, monkeypatch):
    monkeypatch.setattr(opening, "MOMENT", 0)
    monkeypatch.setattr(opening, "CHUNK", 2)
    make_users(7)
    run = make_run()
    assert (run.status, run.deliveries.count()) == ("preparing", 2)
    assert dispatch.send_batch(run.pk) is True
    run.refresh_from_db()
    assert (run.status, len(mailoutbox), run.deliveries.count()) == ("preparing", 2, 2)
    while dispatch.send_batch(run.pk):
        pass
    run.refresh_from_db()
    assert (run.status, run.totals) == ("finished", {"sent": 7})
