"""What Celery calls, and how we call Celery."""

import json
import socket
import socketserver
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from threading import Thread
from time import monotonic

import pytest
from celery.contrib.testing.app import TestApp
from django.core import mail
from django.db import transaction

from demo_site.celery import app
from tests.support.campaigns import live
from wagtail_lifecycle import dispatch, tasks
from wagtail_lifecycle.models import Campaign, Delivery, Run

SLOT = datetime(2026, 11, 20, 8, tzinfo=UTC)
OURS = ["tick", "send_batch", "recover", "flush_page_views", "publish_scheduled"]


@pytest.fixture
def broker(monkeypatch):
    """A helper that has not failed yet."""
    fresh = tasks.Broker()
    monkeypatch.setattr(tasks, "broker", fresh)
    return fresh


def run_of(campaign, slot=SLOT):
    return Run.objects.create(
        campaign=campaign,
        slot=slot,
        status="sending",
        created_at=slot,
        is_transactional=campaign.is_transactional,
    )


@pytest.mark.parametrize("name", OURS)
def test_a_dying_worker_gives_our_messages_back_and_old_ones_expire(name):
    task = app.tasks[f"wagtail_lifecycle.{name}"]

    assert task.acks_late
    assert task.reject_on_worker_lost
    assert task.ignore_result
    assert task.expires


@pytest.mark.django_db
def test_a_run_is_enqueued_on_the_queue_of_its_mail_when_the_transaction_commits(
    broker, received, django_capture_on_commit_callbacks
):
    bulk, verification = run_of(live()), run_of(live(topic=None))

    with django_capture_on_commit_callbacks(execute=True):
        tasks.enqueue_runs([bulk.pk, verification.pk, 12345])
        assert received("slow") == []

    assert received("slow") == [("wagtail_lifecycle.send_batch", [bulk.pk])]
    assert received("quick") == [("wagtail_lifecycle.send_batch", [verification.pk])]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("people", "status", "count"), [(0, "sending", 1), (3, "sending", 1), (1001, "sending", 3), (0, "preparing", 4)]
)
def test_a_run_starts_as_many_tasks_as_it_has_work_for(
    broker, received, django_capture_on_commit_callbacks, people, status, count
):
    run = run_of(live())
    Run.objects.update(status=status)
    Delivery.objects.bulk_create(
        Delivery(run=run, recipient_key=f"x:{n}", address_hash=f"{n}", message_id=f"<{n}@x>", created_at=SLOT)
        for n in range(people)
    )
    with django_capture_on_commit_callbacks(execute=True):
        tasks.enqueue_runs([run.pk], side_by_side=True)
    assert received("slow") == [("wagtail_lifecycle.send_batch", [run.pk])] * count


@pytest.mark.django_db(transaction=True)
def test_nothing_is_enqueued_by_a_transaction_that_fails(broker, received):
    with transaction.atomic():
        tasks.enqueue(tasks.tick, 1, queue="slow")
        transaction.set_rollback(True)

    assert received("slow") == []


@pytest.mark.django_db
@pytest.mark.parametrize("task", [tasks.tick, tasks.send_batch])
@pytest.mark.parametrize("unknown", [0, 12345])
def test_an_unknown_id_is_harmless(task, unknown):
    task(unknown)

    assert mail.outbox == []


@pytest.mark.django_db
def test_a_deleted_campaign_is_harmless():
    campaign = live()
    pk = campaign.pk
    campaign.delete()

    tasks.tick(pk)

    assert not Run.objects.exists()


@pytest.mark.django_db
def test_a_tick_enqueues_the_batches_of_the_run_it_opened(
    broker, received, time_machine, django_user_model, django_capture_on_commit_callbacks
):
    time_machine.move_to(SLOT - timedelta(hours=1), tick=False)
    django_user_model.objects.create_user(email="ana@example.org", password="x", name="Ana", is_verified=True)
    campaign = live()
    time_machine.move_to(SLOT, tick=False)

    with django_capture_on_commit_callbacks(execute=True):
        tasks.tick(campaign.pk)

    run = Run.objects.get()
    assert received("slow") == [("wagtail_lifecycle.send_batch", [run.pk])]
    tasks.send_batch(run.pk)
    assert [parseaddr(message.to[0]) for message in mail.outbox] == [("Ana", "ana@example.org")]


@pytest.mark.django_db
def test_a_batch_enqueues_itself_again_as_long_as_it_leaves_work(
    broker, received, settings, time_machine, django_user_model, django_capture_on_commit_callbacks
):
    django_user_model.objects.create_user(email="ana@example.org", password="x", is_verified=True)
    time_machine.move_to(SLOT - timedelta(hours=1), tick=False)
    campaign = live()
    time_machine.move_to(SLOT, tick=False)
    run = dispatch.open_run(campaign, SLOT, SLOT)

    settings.WAGTAIL_LIFECYCLE_BATCH_SECONDS = -1  # over before it begins
    with django_capture_on_commit_callbacks(execute=True):
        tasks.send_batch(run.pk)
    assert received("slow") == [("wagtail_lifecycle.send_batch", [run.pk])]
    assert mail.outbox == []

    settings.WAGTAIL_LIFECYCLE_BATCH_SECONDS = 5
    with django_capture_on_commit_callbacks(execute=True):
        tasks.send_batch(run.pk)
    assert received("slow") == []
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_the_other_tasks_do_their_work_without_any():
    tasks.recover()
    tasks.flush_page_views()
    tasks.publish_scheduled()

    assert not Campaign.objects.exists()


# -- A broker out of reach ------------------------------------------------------------------------------------


@pytest.fixture
def silent_address():
    """A server that takes connections and never answers, as one behind a firewall that swallows packets."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture
def refused_address():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"redis://127.0.0.1:{port}/0"


class Refusing(socketserver.StreamRequestHandler):
    """Redis as it answers when it may not be written to."""

    def handle(self):
        while self.rfile.readline():
            self.wfile.write(b"-READONLY You can't write against a read only replica.\r\n")


@pytest.fixture
def refusing_address():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("address", ["silent_address", "refused_address", "refusing_address"])
def test_publishing_to_a_dead_broker_gives_up_within_half_a_second(request, address):
    elsewhere = TestApp(broker=request.getfixturevalue(address))
    helper = tasks.Broker(elsewhere)
    start = monotonic()

    assert helper.publish(tasks.tick, (1,), "slow") is False

    assert monotonic() - start < 0.5


def test_after_a_failure_nothing_is_tried_for_half_a_minute(refused_address, caplog):
    helper = tasks.Broker(TestApp(broker=refused_address))
    helper.publish(tasks.tick, (1,), "slow")
    helper.publish(tasks.tick, (1,), "slow")

    assert caplog.text.count("broker out of reach") == 1


def test_how_long_a_broker_is_left_alone_is_a_setting(refused_address, settings, caplog):
    settings.WAGTAIL_LIFECYCLE_BROKER_REST_SECONDS = 0
    helper = tasks.Broker(TestApp(broker=refused_address))
    for _ in range(2):
        helper.publish(tasks.recover, (), None)
    assert caplog.text.count("broker out of reach") == 2


@pytest.mark.redis
def test_a_broker_that_is_there_takes_the_message(broker_url):
    elsewhere = TestApp(broker=broker_url)

    assert tasks.Broker(elsewhere).publish(tasks.tick, (7,), "slow") is True

    with elsewhere.connection_for_read() as connection:
        message = connection.SimpleQueue("slow").get(timeout=5)
        assert (message.headers["task"], json.loads(message.body)[0]) == ("wagtail_lifecycle.tick", [7])
