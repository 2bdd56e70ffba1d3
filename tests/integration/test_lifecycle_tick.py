"""`lifecycle_tick` does without Celery what Celery does, and does no harm beside it."""

import io
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from tests.support.campaigns import draft, publish
from tests.support.factories import default_locale, make_users
from wagtail_lifecycle import registry
from wagtail_lifecycle.audiences import ActiveUsers
from wagtail_lifecycle.models import Campaign, CampaignState, Delivery, Run

DAY = timedelta(days=1)


def tick(*options, **values):
    out = io.StringIO()
    call_command("lifecycle_tick", *options, stdout=out, **values)
    return out.getvalue()


def due(days=3, **fields):
    """Publish a daily campaign of which one slot is due and those of some days were missed."""
    half_a_day_ago = (timezone.now() - DAY / 2).time().replace(second=0, microsecond=0)
    values = {"time_of_day": half_a_day_ago, "time_zone": "UTC", "late_within": DAY, "locale": default_locale()}
    campaign = publish(draft(**{**values, **fields}))
    CampaignState.objects.filter(campaign=campaign).update(changed_at=timezone.now() - days * DAY)
    return campaign


class Broken(ActiveUsers):
    name, label = "broken", "Broken"

    def pages(self, *args, **kwargs):
        raise RuntimeError


# -- One pass -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_one_pass_notes_what_was_missed_and_sends_the_newest_to_everybody_once():
    users = make_users(12)
    due()

    report = tick()

    run = Run.objects.get(reason="")
    assert report == f"Runs: {run.pk} (12 sent). Page views: 0.\n"
    assert Counter(message.to[0].rpartition("<")[2].rstrip(">") for message in mail.outbox) == Counter(
        user.email for user in users
    )
    assert Run.objects.get(reason="missed").missed_count == 2
    assert tick() == "Runs: none. Page views: 0.\n"
    assert len(mail.outbox) == 12


@pytest.mark.django_db
def test_without_sending_it_leaves_that_to_workers():
    make_users(3)
    due()

    report = tick("--no-send")

    assert "(3 queued)" in report
    assert mail.outbox == []
    assert "(3 sent)" in tick()


@pytest.mark.django_db
def test_it_is_silent_when_asked_to_be():
    assert tick(verbosity=0) == ""


@pytest.mark.django_db
def test_the_report_names_nobody():
    make_users(1)
    due()

    report = tick()

    assert "@" not in report
    assert "Reader" not in report


@pytest.mark.django_db
def test_transactional_mail_goes_before_bulk_mail():
    make_users(1)
    due(subject="Bulk")
    due(subject="Transactional", topic=None)

    tick()

    assert [message.subject for message in mail.outbox] == ["Transactional", "Bulk"]


@pytest.mark.django_db
def test_it_publishes_what_is_scheduled():
    campaign = draft(locale=default_locale())
    campaign.go_live_at = timezone.now() - timedelta(minutes=2)
    campaign.save_revision(approved_go_live_at=timezone.now() - timedelta(minutes=1))

    tick()

    campaign.refresh_from_db()
    assert campaign.live


@pytest.mark.django_db
def test_one_campaign_at_fault_makes_it_fail_with_a_sentence_after_the_others_were_sent():
    make_users(2)
    with registry.audiences.temporarily(Broken):
        broken = due(audience="broken")
        due()

        with pytest.raises(CommandError, match=r"^Not everything could be done: .+\.$") as caught:
            tick()

    assert f"release campaign_id {broken.pk} RuntimeError" in str(caught.value)
    assert len(mail.outbox) == 2


@pytest.mark.django_db
def test_a_step_at_fault_keeps_no_other_from_being_done(monkeypatch):
    def fails(_now):
        raise OSError

    monkeypatch.setattr("wagtail_lifecycle.page_views.flush", fails)
    make_users(2)
    due()

    with pytest.raises(CommandError, match="flush_page_views OSError"):
        tick()

    assert len(mail.outbox) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["0", "-5", "soon", "86400", "nan"])
def test_an_impossible_pause_is_refused_in_words(given):
    with pytest.raises(CommandError, match="number of seconds from 1 to 3600"):
        tick("--loop", given)


@pytest.mark.django_db
def test_it_puts_a_system_task_right_that_waits_for_next_year():
    tasks = PeriodicTask.objects.filter(name="wagtail_lifecycle.recover")
    tasks.update(last_run_at=timezone.now() + 365 * DAY)

    tick()

    assert tasks.get().last_run_at <= timezone.now()


# -- Several processes ----------------------------------------------------------------------------------------


@pytest.fixture
def environment(transactional_db, smtp_sink, tmp_path):
    """Return a function that gives the environment of processes which use a database such as this one, now."""

    def make():
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.support.tick_settings",
            "LIFECYCLE_TEST_SMTP_PORT": str(smtp_sink.port),
            "LIFECYCLE_TEST_DATABASE_URL": address_of_database(tmp_path / "copy.sqlite3"),
        }

    return make


def address_of_database(file):
    if connection.vendor == "sqlite":
        # That of the tests is in memory, where no other process sees it.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(file)])
        return f"sqlite:///{quote(str(file))}"
    values = {
        key: quote(str(connection.settings_dict[key]), safe="") for key in ("USER", "PASSWORD", "NAME", "HOST", "PORT")
    }
    return "postgresql://{USER}:{PASSWORD}@/{NAME}?host={HOST}&port={PORT}".format(**values)


def deliveries(file):
    """Count what became of the deliveries, in the database that the processes used."""
    if connection.vendor != "sqlite":
        return Counter(Delivery.objects.values_list("status", flat=True))
    with closing(sqlite3.connect(file)) as copy:
        return Counter(status for (status,) in copy.execute("SELECT status FROM wagtail_lifecycle_delivery"))


def start(environment, *command):
    return subprocess.Popen(
        [sys.executable, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


TICK = ("manage.py", "lifecycle_tick")


def test_two_passes_and_celery_at_once_mail_everybody_exactly_once(environment, smtp_sink, tmp_path):
    users = make_users(150)
    campaign = due()
    shared = environment()

    processes = [
        start(shared, *TICK),
        start(shared, *TICK),
        start(shared, "-m", "tests.support.eager_worker", str(campaign.pk)),
    ]
    ended = [(process.communicate(timeout=150), process.returncode) for process in processes]

    assert [code for _output, code in ended] == [0, 0, 0], ended
    assert Counter(mail.recipients[0] for mail in smtp_sink.mails) == Counter(user.email for user in users)
    assert deliveries(tmp_path / "copy.sqlite3") == {"sent": 150}


def test_a_loop_goes_on_until_it_is_asked_to_end(environment, smtp_sink):
    make_users(5)
    due()

    with start(environment(), *TICK, "--loop", "1") as loop:
        first, second = loop.stdout.readline(), loop.stdout.readline()
        loop.send_signal(signal.SIGTERM)
        _output, errors = loop.communicate(timeout=60)

    assert "(5 sent)" in first
    assert second == "Runs: none. Page views: 0.\n"
    assert (loop.returncode, errors) == (0, "")
    assert len(smtp_sink.mails) == 5


def test_a_process_that_fails_says_why_in_a_sentence_and_with_its_exit(environment):
    Campaign.objects.all().delete()
    broken = {**environment(), "LIFECYCLE_TEST_DATABASE_URL": "sqlite:////nowhere/there/is/none.sqlite3"}

    with start(broken, *TICK) as process:
        _output, errors = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "CommandError: Not everything could be done: " in errors
    assert "recover OperationalError" in errors
