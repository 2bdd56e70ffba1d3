"""What `fire` promises: one mail per occurrence, with the caller's transaction, and never at the caller's expense."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from time import monotonic
from zoneinfo import ZoneInfo

import pytest
import time_machine
from celery.contrib.testing.app import TestApp
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from tests.support.events import (
    OrderShipped,
    edit,
    failing_inserts,
    on_event,
    recipient_of,
    silent_server,
    stopped_server,
    work,
)
from tests.support.factories import make_topic, make_translation, make_user
from wagtail_lifecycle import dispatch, registry, schedules, tasks, ticking, triggers
from wagtail_lifecycle.audiences import Recipient
from wagtail_lifecycle.dispatch import days, steering
from wagtail_lifecycle.events import UserRegistered
from wagtail_lifecycle.exceptions import UnknownName
from wagtail_lifecycle.models import Delivery, Run

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ANA = Recipient(key="user:12", address="ana@example.org", name="Ana")


@pytest.fixture(autouse=True)
def fresh_broker(monkeypatch):
    """A helper that has not failed yet."""
    monkeypatch.setattr(tasks, "broker", tasks.Broker())


def fire(recipient=ANA, key="1", event="user_registered"):
    return triggers.fire(event, recipient, key)


def states():
    return list(Delivery.objects.order_by("pk").values_list("status", "reason"))


# -- The row -------------------------------------------------------------------------------------------------


def test_an_event_plans_one_mail_in_the_run_of_the_local_day():
    campaign = on_event(time_zone="Pacific/Auckland")
    with time_machine.travel(datetime(2026, 11, 20, 11, 30, tzinfo=UTC), tick=False):
        assert fire() == 1
    run = Run.objects.get()
    assert run.slot == datetime(2026, 11, 21, tzinfo=ZoneInfo("Pacific/Auckland"))
    assert (run.campaign, run.status, run.is_transactional) == (campaign, "sending", True)
    assert list(run.contents.values_list("revision", flat=True)) == [campaign.live_revision_id]
    delivery = Delivery.objects.get()
    assert (delivery.run, delivery.campaign, delivery.event_key, delivery.status) == (run, campaign, "1", "queued")
    assert (delivery.recipient_key, delivery.address, delivery.due_at) == ("user:12", "ana@example.org", None)


def test_the_mails_of_one_day_share_a_run_and_the_next_day_has_another():
    on_event()
    with time_machine.travel(datetime(2026, 11, 20, 8, tzinfo=UTC), tick=False) as clock:
        fire(key="1")
        clock.shift(HOUR)
        fire(key="2")
        assert Run.objects.count() == 1
        clock.shift(DAY)
        fire(key="3")
    assert sorted(Run.objects.values_list("deliveries__event_key", flat=True)) == ["1", "2", "3"]
    assert Run.objects.count() == 2


@pytest.mark.parametrize("event", [UserRegistered, "user_registered"])
def test_an_event_is_given_as_its_class_or_by_its_name(event):
    on_event()
    assert fire(event=event) == 1


def test_firing_twice_with_one_key_plans_once():
    on_event()
    assert (fire(), fire()) == (1, 0)
    assert Delivery.objects.count() == 1


def test_firing_again_on_another_day_plans_nothing_more():
    on_event()
    with time_machine.travel(datetime(2026, 11, 20, 8, tzinfo=UTC), tick=False) as clock:
        fire()
        clock.shift(5 * DAY)
        assert fire() == 0


def test_another_key_or_another_address_is_another_mail():
    on_event()
    fire()
    assert fire(key="2") == 1
    assert fire(Recipient(key="user:13", address="bo@example.org")) == 1


def test_every_live_campaign_on_the_event_sends_its_own_mail():
    wanted = [on_event(), on_event(topic=make_topic())]
    on_event(event="user_verified")
    on_event().unpublish()
    assert fire() == 2
    assert set(Delivery.objects.values_list("campaign", flat=True)) == {campaign.pk for campaign in wanted}
    assert sorted(Run.objects.values_list("is_transactional", flat=True)) == [False, True]


def test_a_paused_campaign_plans_nothing():
    campaign = on_event()
    PeriodicTask.objects.filter(name=schedules.task_name(campaign.pk)).update(enabled=False)
    ticking.recover(timezone.now())
    assert fire() == 0


def test_a_campaign_with_a_problem_plans_nothing(settings):
    campaign = on_event()
    settings.WAGTAIL_LIFECYCLE_SENDERS = {}
    schedules.sync(campaign.pk)
    assert fire() == 0


def test_everybody_gets_the_mail_in_their_language():
    campaign = on_event()
    make_translation(campaign, "de")
    fire(Recipient(key="user:1", address="de@example.org", language="de-at"))
    fire(Recipient(key="user:2", address="fr@example.org", language="fr"))
    assert list(Delivery.objects.order_by("pk").values_list("language", flat=True)) == ["de", "en-gb"]
    assert Run.objects.count() == 1


def test_who_has_no_usable_address_is_left_out_and_that_is_written_down():
    on_event()
    assert fire(Recipient(key="user:1", address="nonsense")) == 1
    assert states() == [("skipped", "no_address")]


def test_a_very_long_key_is_told_apart_all_the_same():
    on_event()
    keys = ["k" * 400 + "1", "k" * 400 + "2", "k" * 400 + "1"]
    assert [fire(key=key) for key in keys] == [1, 1, 0]


# -- Mistakes of the programmer are told at once -------------------------------------------------------------


def test_an_unknown_event_is_refused_with_the_known_ones():
    with pytest.raises(UnknownName, match=r"No event is called 'user_regsitered' \(known: .*user_registered"):
        triggers.fire("user_regsitered", ANA, "1")


def test_an_event_that_was_never_registered_is_refused():
    with pytest.raises(UnknownName, match="order_shipped"):
        triggers.fire(OrderShipped, ANA, "1")
    with registry.events.temporarily(OrderShipped):
        assert triggers.fire(OrderShipped, ANA, "1") == 0


def test_an_empty_key_is_refused():
    with pytest.raises(ValueError, match="key"):
        fire(key="")


# -- The caller's transaction --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_rolled_back_sends_nothing(received):
    on_event()
    with transaction.atomic():
        fire()
        assert Delivery.objects.count() == 1
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()
    assert received("quick") == []


@pytest.mark.django_db(transaction=True)
def test_nothing_is_enqueued_before_the_transaction_is_committed(received):
    on_event()
    with transaction.atomic():
        fire()
        assert received("quick") == []
    assert received("quick") == [("wagtail_lifecycle.send_batch", [Run.objects.get().pk])]


@pytest.mark.django_db(transaction=True)
def test_without_a_transaction_it_is_written_and_enqueued_at_once(received):
    on_event(topic=make_topic())
    fire()
    assert received("slow") == [("wagtail_lifecycle.send_batch", [Run.objects.get().pk])]
    fire()
    assert received("slow") == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["wagtail_lifecycle_delivery", "wagtail_lifecycle_run"])
def test_an_error_of_ours_leaves_the_callers_transaction_usable(table, caplog):
    on_event()
    with transaction.atomic():
        user = make_user("ana@example.org")
        with failing_inserts(table):
            assert fire(recipient_of(user)) == 0
        assert get_user_model().objects.filter(pk=user.pk).exists()
    assert get_user_model().objects.filter(pk=user.pk).exists()
    assert "event lost" in caplog.text
    assert "ana@" not in caplog.text


def test_an_error_is_logged_with_ids_only(caplog):
    on_event()
    with failing_inserts("wagtail_lifecycle_delivery"), caplog.at_level(logging.INFO):
        fire()
    [record] = [record for record in caplog.records if record.getMessage().startswith("event lost")]
    assert (record.action, record.event, record.recipient) == ("fire", "user_registered", "user:12")
    assert record.exc_info is None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_long_transaction_that_made_the_first_mail_of_the_day():
    on_event()
    made, done = Flag(), Flag()

    def long_import():
        try:
            with transaction.atomic():
                fire()
                made.set()
                done.wait(20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        importing = pool.submit(long_import)
        made.wait(20)
        start = monotonic()
        with transaction.atomic():
            assert fire(Recipient(key="user:13", address="bo@example.org")) == 1
            with connection.cursor() as cursor:
                cursor.execute("SHOW lock_timeout")
                assert cursor.fetchone() == ("0",)
        took = monotonic() - start
        done.set()
        importing.result()
    assert took < 1
    assert Delivery.objects.count() == 2


# -- Cheap in the request ------------------------------------------------------------------------------------


def test_an_event_that_nobody_waits_for_costs_one_query(django_assert_num_queries):
    with django_assert_num_queries(3):  # with the savepoint
        fire()


def test_the_number_of_queries_does_not_depend_on_the_number_of_campaigns():
    on_event()
    fire(key="0")
    with CaptureQueriesContext(connection) as one:
        fire(key="1")
    for _ in range(3):
        on_event()
    fire(key="2")
    with CaptureQueriesContext(connection) as four:
        assert fire(key="3") == 4
    assert len(four) == len(one)


# -- A broker out of reach -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("server", [stopped_server, silent_server])
def test_a_broker_out_of_reach_costs_half_a_second_and_no_mail(server, monkeypatch, mailoutbox):
    for _ in range(3):
        on_event()
    user = make_user()
    with server() as address:
        monkeypatch.setattr(tasks, "broker", tasks.Broker(TestApp(broker=address)))
        start = monotonic()
        with transaction.atomic():
            assert fire(recipient_of(user)) == 3
        assert monotonic() - start < 0.5 + 0.3
    assert mailoutbox == []
    work()
    assert len(mailoutbox) == 3


# -- Released ------------------------------------------------------------------------------------------------


def test_audience_is_asked_when_the_mail_is_due(mailoutbox):
    on_event()
    there, gone = make_user(), make_user()
    for user in (there, gone):
        fire(recipient_of(user))
    get_user_model().objects.filter(pk=gone.pk).update(is_active=False)
    work()
    assert [there.email in message.to[0] for message in mailoutbox] == [True]
    assert sorted(states()) == [("sent", ""), ("skipped", "gone")]


def test_a_mail_with_a_delay_waits_as_a_row_and_the_tick_releases_it(mailoutbox, received, time_machine):
    campaign, user = on_event(delay=3 * DAY), make_user()
    now = timezone.now()
    time_machine.move_to(now - 2 * DAY)
    fire(recipient_of(user))
    assert Delivery.objects.get().due_at - timezone.now() > 3 * DAY - HOUR
    time_machine.move_to(now)
    assert (days.due_runs(campaign.pk), work()) == ([], 0)

    Delivery.objects.update(due_at=now - HOUR)
    assert days.due_runs(campaign.pk) == [Run.objects.get().pk]
    assert work() == 1
    assert len(mailoutbox) == 1


@pytest.mark.django_db(transaction=True)
def test_a_tick_enqueues_what_has_come_due(received):
    campaign = on_event(delay=DAY)
    fire()
    tasks.tick(campaign.pk)
    assert received("quick") == []
    Delivery.objects.update(due_at=timezone.now() - HOUR)
    tasks.tick(campaign.pk)
    assert received("quick") == [("wagtail_lifecycle.send_batch", [Run.objects.get().pk])]


def test_an_unpublished_campaign_keeps_its_mails_until_it_is_published_again(mailoutbox):
    campaign, user = on_event(), make_user()
    fire(recipient_of(user))
    campaign.unpublish()
    assert (work(), dispatch.send_batch(Run.objects.get().pk)) == (0, False)
    assert mailoutbox == []
    campaign.refresh_from_db()
    edit(campaign)
    work()
    assert len(mailoutbox) == 1


def test_a_mail_that_could_not_be_sent_for_too_long_is_left_out(mailoutbox):
    on_event()
    fire(recipient_of(make_user()))
    with time_machine.travel(timezone.now() + 3 * DAY + HOUR):
        work()
    assert mailoutbox == []
    assert states() == [("skipped", "expired")]


def test_the_delay_does_not_count_as_waiting(mailoutbox):
    on_event(delay=30 * DAY)
    with time_machine.travel(timezone.now() - 31 * DAY):
        fire(recipient_of(make_user()))
    work()
    assert len(mailoutbox) == 1


@pytest.mark.parametrize(("age", "state"), [(29, "deferred"), (32, "deferred"), (34, "skipped")])
def test_a_mail_that_was_delayed_is_tried_again_like_any_other(settings, age, state):
    settings.EMAIL_BACKEND = "tests.support.backends.FaultyBackend"
    on_event(delay=30 * DAY)
    with time_machine.travel(timezone.now() - age * DAY):
        fire(recipient_of(make_user("tempfail@example.org")))
    Delivery.objects.update(due_at=timezone.now() - HOUR)
    work()
    assert Delivery.objects.get().status == state


# -- The run of the day --------------------------------------------------------------------------------------


def test_the_run_stays_open_while_its_day_lasts_and_is_finished_then():
    on_event()
    user = make_user()
    fire(recipient_of(user))
    work()
    run = Run.objects.get()
    assert run.status == "sending"
    fire(recipient_of(user), key="2")
    work()
    assert states() == [("sent", ""), ("sent", "")]

    with time_machine.travel(run.slot + days.DAY + HOUR):
        work()
    run.refresh_from_db()
    assert (run.status, run.totals) == ("finished", {"sent": 2})


def test_a_mail_that_is_committed_after_the_run_was_finished_is_sent(mailoutbox):
    on_event()
    fire(recipient_of(make_user()))
    Run.objects.update(status="finished", finished_at=timezone.now())
    work()
    assert len(mailoutbox) == 1


def test_an_edit_counts_from_the_next_event_on(mailoutbox):
    campaign = on_event(subject="Helo")
    fire(recipient_of(make_user()), key="1")
    edit(campaign, subject="Hello")
    fire(recipient_of(make_user()), key="2")
    fire(recipient_of(make_user()), key="3")
    work()
    assert sorted(message.subject for message in mailoutbox) == ["Hello", "Hello", "Helo"]
    assert Run.objects.count() == 2


def test_a_run_that_was_cancelled_gets_no_further_mails():
    on_event()
    fire(key="1")
    Run.objects.update(status="cancelled")
    fire(key="2")
    assert sorted(Run.objects.values_list("status", "deliveries__event_key")) == [("cancelled", "1"), ("sending", "2")]


def test_sending_to_the_rest_mails_nobody_to_whom_nothing_happened(mailoutbox):
    on_event()
    user, admin, _bystander = make_user(), make_user(), make_user()
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)
    fire(recipient_of(user))
    work()
    get_user_model().objects.filter(pk=user.pk).update(is_active=True)
    Run.objects.update(status="finished", finished_at=timezone.now())
    assert steering.send_to_rest(Run.objects.get().pk, user=admin, now=timezone.now()) == 1
    work()
    assert [user.email in message.to[0] for message in mailoutbox] == [True]


def test_a_paused_run_keeps_its_mails_until_it_goes_on(mailoutbox):
    on_event()
    fire(recipient_of(make_user()))
    Run.objects.update(status="paused")
    fire(recipient_of(make_user()), key="2")
    assert (work(), Run.objects.count()) == (0, 1)
    Run.objects.update(status="sending")
    work()
    assert len(mailoutbox) == 2
