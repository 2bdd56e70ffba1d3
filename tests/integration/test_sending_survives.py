"""Real workers, a real SMTP server and a database, all of which are killed, stopped and cut off."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection

from tests.support import services
from tests.support.backends import FaultyBackend
from tests.support.factories import make_run, make_users
from wagtail_lifecycle import dispatch

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 12


def postgres_url():
    """Return the address of the test database as `demo_site.settings.test` reads it."""
    values = {
        key: quote(str(connection.settings_dict[key]), safe="") for key in ("USER", "PASSWORD", "NAME", "HOST", "PORT")
    }
    return "postgresql://{USER}:{PASSWORD}@/{NAME}?host={HOST}&port={PORT}".format(**values)


@pytest.fixture
def database(tmp_path):
    """Give the address under which other processes find what this test has put into the database."""

    def address():
        if connection.vendor == "postgresql":
            return postgres_url()
        file = tmp_path / "lifecycle.sqlite3"
        with closing(sqlite3.connect(file)) as copy:
            connection.connection.backup(copy)
        return f"sqlite:///{file}"

    return address


class Workers:
    """Starts workers on one run."""

    def __init__(self, server, address, *, lease="600", lines="1"):
        self.server = server
        self.environment = {
            **os.environ,
            "LIFECYCLE_TEST_DATABASE_URL": address,
            "SMTP_PORT": str(server.port),
            "LEASE": lease,
            "LINES": lines,
        }

    def start(self, *arguments):
        command = [sys.executable, "-m", "tests.support.dying_worker", *map(str, arguments)]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *arguments):
        with self.start(*arguments) as worker:
            output, errors = worker.communicate(timeout=120)
        return worker.returncode, output, errors

    def finish(self, run_id):
        """Do what is left, as soon as the leases of the dead are over; return the totals of the run."""
        code, output, errors = self.run("finish", run_id)
        assert code == 0, errors
        return json.loads(output)

    @property
    def copies(self):
        """How often each mail arrived, by Message-ID."""
        return Counter(event["message_id"] for event in self.server.accepted)


def assert_everybody_once(workers, totals, *, people, uncertain):
    copies = workers.copies
    assert max(copies.values()) == 1
    assert totals.get("uncertain", 0) <= uncertain
    assert totals.get("sent", 0) + totals.get("uncertain", 0) == people
    assert totals.get("sent", 0) <= len(copies) <= people


# -- A worker dies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("point", "number", "uncertain"),
    [
        ("before_intent", 1, 0),
        ("after_intent", 1, 1),
        ("before_dot", 5, 1),
        ("after_dot", 5, 1),
        ("after_outcome", 5, 1),
    ],
)
def test_a_worker_killed_at_any_point_leaves_one_mail_in_doubt_and_sends_nobody_twice(
    faulty_smtp, database, point, number, uncertain
):
    make_users(PEOPLE)
    run = make_run()
    workers = Workers(faulty_smtp, database(), lease="2")
    code, _output, errors = workers.run("send", run.pk, point, number)
    assert code == -signal.SIGKILL, errors
    totals = workers.finish(run.pk)
    assert_everybody_once(workers, totals, people=PEOPLE, uncertain=uncertain)


@pytest.mark.parametrize("point", ["before_dot", "after_dot", "after_outcome"])
def test_a_worker_with_four_lines_leaves_at_most_four_mails_in_doubt(faulty_smtp, database, point):
    faulty_smtp.configure(latency=0.05)
    make_users(140)
    run = make_run()
    workers = Workers(faulty_smtp, database(), lease="3", lines="4")
    code, _output, errors = workers.run("send", run.pk, point, 90)
    assert code == -signal.SIGKILL, errors
    totals = workers.finish(run.pk)
    assert faulty_smtp.stats["connections"] >= 4
    assert_everybody_once(workers, totals, people=140, uncertain=4)


# -- A worker is stopped for longer than its lease -----------------------------------------------------------


@pytest.mark.parametrize(("point", "uncertain"), [("stop_before_check", 1), ("stop_before_dot", 0)])
def test_a_worker_stopped_for_longer_than_its_lease_sends_nobody_twice(faulty_smtp, database, point, uncertain):
    make_users(PEOPLE)
    run = make_run()
    workers = Workers(faulty_smtp, database(), lease="2")
    with workers.start("send", run.pk, point, 5) as worker:
        _pid, status = os.waitpid(worker.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        totals = workers.finish(run.pk)
        assert totals == {"sent": PEOPLE - 1, "uncertain": 1}
        worker.send_signal(signal.SIGCONT)
        worker.communicate(timeout=60)
    assert worker.returncode == 0
    # What left after all has told so.
    totals = workers.finish(run.pk)
    assert_everybody_once(workers, totals, people=PEOPLE, uncertain=uncertain)


# -- The database is cut off, or crashes ---------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.parametrize("number", [1, 2, 30])
def test_a_cut_database_connection_costs_nobody_a_mail_and_doubles_none(settings, number):
    settings.EMAIL_BACKEND = "tests.support.backends.FaultyBackend"
    FaultyBackend.reset()
    make_users(60)
    run = make_run()

    def cut(_message):
        if len(FaultyBackend.taken) + 1 == number:
            pid = connection.connection.info.backend_pid
            with psycopg.connect(postgres_url(), autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [pid])

    FaultyBackend.before = cut
    while dispatch.send_batch(run.pk):
        pass
    run.refresh_from_db()
    assert (run.status, run.totals) == ("finished", {"sent": 60})
    assert len({message.extra_headers["Message-ID"] for message in FaultyBackend.taken}) == 60
    assert len(FaultyBackend.taken) == 60


@pytest.mark.postgres
@pytest.mark.parametrize("table", ["_optout", "accounts_user"])
def test_a_connection_cut_while_people_are_read_costs_no_claim_and_no_lease(faulty_smtp, settings, table):
    faulty_smtp.use(settings)
    make_users(5)
    run, cuts = make_run(), []

    def cut(execute, sql, params, many, context):
        if table in sql and not cuts:
            cuts.append(connection.connection.info.backend_pid)
            with psycopg.connect(postgres_url(), autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", cuts)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(cut):
        while dispatch.send_batch(run.pk):
            pass
    run.refresh_from_db()
    assert len(cuts) == 1
    assert (run.status, run.totals) == ("finished", {"sent": 5})


@pytest.fixture(scope="module")
def own_postgres():
    """A server that may be crashed."""
    with services.embedded("postgres") as url:
        yield url


@pytest.mark.postgres
def test_a_crash_of_postgresql_doubles_no_mail_whether_the_worker_survives_or_not(faulty_smtp, own_postgres):
    workers = Workers(faulty_smtp, own_postgres, lease="3")
    for round_number, point in enumerate(["database_crash", "database_crash_and_death"] * 2):
        faulty_smtp.log.write_text("")
        code, run_id, errors = workers.run("prepare", 60 if round_number == 0 else 0)
        assert code == 0, errors
        code, _output, errors = workers.run("send", run_id, point, 20 + round_number)
        survives = point == "database_crash"
        assert code == (0 if survives else -signal.SIGKILL), errors
        totals = workers.finish(run_id)
        assert_everybody_once(workers, totals, people=60, uncertain=0 if survives else 50)
