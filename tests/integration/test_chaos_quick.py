"""A small round of `make chaos` keeps its promises, says so, and leaves nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.ledger import Damage, Ledger

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.services
@pytest.mark.timeout(240)
def test_a_small_round_keeps_its_promises_and_leaves_nothing_behind(tmp_path):
    results = tmp_path / "results.jsonl"
    command = [sys.executable, "-m", "tests.chaos", "--rounds=1", "--size=100", "--seed=11", "--only=sqlite"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [*command, f"--results={results}"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [line] = map(json.loads, results.read_text().splitlines())
    assert (line["people"], line["violations"]) == (100, [])
    assert line["sent"] + line["failed"] + line["skipped"] + line["uncertain"] == 100
    assert sum(line["faults"].values()) > 0
    assert [path.name for path in tmp_path.iterdir()] == ["results.jsonl"]
    again = subprocess.run(
        [*command, f"--results={results}", "--resume"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.stdout == "0 rounds, 0 violated\n"


def row(address, status="sent", **changes):
    return {"address": address, "status": status, "reason": "", "detail": "", "message_id": f"<{address}>",
            "attempts": 1, "seconds": 1.0, **changes}  # fmt: skip


def event(address, **changes):
    return {"event": "accepted", "rcpts": [address], "message_id": f"<{address}>", "acked": True, "ts": 1.0, **changes}


def judged(rows, events, *, is_transactional=False, connections=0, **changes):
    totals = {}
    for each in rows:
        totals[each["status"]] = totals.get(each["status"], 0) + 1
    facts = {"runs": 1, "status": "finished", "totals": totals, "rows": rows, **changes}
    ledger = Ledger(facts, events, [each["address"] for each in rows], Damage(connections=connections))
    return [violation.partition(":")[0] for violation in ledger.judge(is_transactional=is_transactional)]


def test_the_ledger_finds_nothing_where_everybody_has_one_mail():
    assert judged([row("a@x.test")], [event("a@x.test")]) == []


@pytest.mark.parametrize(
    ("rows", "events", "changes", "found"),
    [
        ([row("a@x.test")], [event("a@x.test")] * 2, {}, ["sent twice"]),
        ([row("a@x.test")], [], {}, ["sent but never arrived"]),
        ([row("a@x.test", "queued")], [], {}, ["without an end"]),
        ([row("a@x.test", "skipped")], [event("a@x.test")], {}, ["arrived but neither sent nor uncertain"]),
        ([row("a@x.test", "failed")], [], {}, ["failed without being refused"]),
        ([row("a@x.test")], [event("a@x.test")], {"totals": {"sent": 2}}, ["the balance is wrong"]),
        ([row("a@x.test")], [event("a@x.test")], {"status": "sending"}, ["the run is not finished"]),
        ([row("a@x.test", "uncertain")], [event("a@x.test")], {}, ["more in doubt than allowed"]),
        ([row("a@x.test")], [event("a@x.test", message_id="<b>")], {}, ["arrived under another Message-ID"]),
        ([row("a@x.test")], [event("a@x.test")] * 6, {"is_transactional": True, "connections": 9}, ["sent too often"]),
        ([row("a@x.test")], [event("a@x.test")] * 2, {"is_transactional": True}, ["more copies than doubtful mails"]),
    ],
)  # fmt: skip
def test_the_ledger_finds_every_broken_promise(rows, events, changes, found):
    assert judged(rows, events, **changes) == found


@pytest.mark.parametrize(
    ("rows", "events", "changes"),
    [
        ([row("a@x.test", "uncertain")], [event("a@x.test")], {"connections": 1}),
        ([row("a@unacked-1.test", "uncertain")], [event("a@unacked-1.test", acked=False)], {}),
        ([row("a@permfail.test", "failed", reason="refused")], [], {}),
        ([row("a@unacked-1.test")], [event("a@unacked-1.test", acked=False), event("a@unacked-1.test")],
         {"is_transactional": True}),
    ],
)  # fmt: skip
def test_the_ledger_accepts_what_was_promised(rows, events, changes):
    assert judged(rows, events, **changes) == []
