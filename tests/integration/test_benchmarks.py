"""The benchmark runs, ends by itself, and says what it promises to say."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from benchmarks.services import sink
from tests.support.services import find_postgres

ROOT = Path(__file__).parents[2]
NAMES = [
    "tutorial_loop",
    "ours",
    "raw_sync",
    "post_office",
    "tutorial_task_per_user",
    "ours_foreign_backend",
    "ours_20ms",
]
KEYS = {"rate", "ratio", "ratio_raw_sync", "cpu_s_per_1000", "rss_mb", "sql_per_mail", "first_mail_ms", "doubled"}


def databases(server):
    with psycopg.connect(server) as connection:
        return [
            name for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname ~ 'lifecycle_bench'")
        ]


@pytest.mark.long
@pytest.mark.services
@pytest.mark.redis
@pytest.mark.timeout(240)
def test_a_quick_benchmark_measures_everybody_and_leaves_nothing_behind():
    pytest.importorskip("post_office", reason="the extra `bench` is not installed")
    server = find_postgres()
    if not server.address:
        pytest.skip("PostgreSQL is not reachable")
    before = databases(server.address)
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, "-m", "benchmarks", "--quick"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert [name for name in rows if name in NAMES] == NAMES
    for name in NAMES:
        assert rows[name].keys() >= KEYS
        assert (rows[name]["doubled"], rows[name]["rate"] > 0) == (0, True)
    assert {"machine", "mail_cost", "page_view", "admin_runs", "admin_run", "admin_campaigns"} <= rows.keys()
    assert {row["status"] for row in rows.values() if "status" in row} == {200}
    assert rows["mail_cost"]["prepared_us"] < rows["mail_cost"]["django_message_us"]
    assert set(databases(server.address)) <= set(before)


def test_the_sink_counts_pipelined_messages_and_who_they_were_for():
    with sink() as server, socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        answers = client.makefile("rb")
        client.sendall(b"EHLO x\r\n")
        for address in (b"a", b"b", b"a"):
            client.sendall(b"MAIL FROM:<n@x>\r\nRCPT TO:<%s@x>\r\nDATA\r\n" % address)
            client.sendall(b"Subject: x\r\n\r\n..\r\nMAIL FROM is text here\r\n.")
            client.sendall(b"\r\n")
        client.sendall(b"QUIT\r\n")
        lines = answers.readlines()
        assert [line for line in lines if line.startswith(b"250 taken")] == [b"250 taken\r\n"] * 3
        assert lines[-1] == b"221 bye\r\n"
        tally = server.tally()
    assert (tally["count"], tally["distinct"]) == (3, 2)
    assert 0 < tally["first"] <= tally["last"]


def test_a_slow_sink_answers_late_and_names_the_right_recipients():
    with sink() as server:
        server.reset(latency=0.05)
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
            for address in (b"a", b"b"):
                client.sendall(b"MAIL FROM:<n@x>\r\nRCPT TO:<%s@x>\r\nDATA\r\nx\r\n.\r\n" % address)
            tally = server.wait_for(2, seconds=30)
    assert tally["distinct"] == 2
