"""One round: a fresh database, thousands of recipients, everything is killed, then silence, then the ledger."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event, Timer
from typing import Any

import psutil

from tests.chaos import faults
from tests.chaos.crew import Crew, JobFailed
from tests.chaos.ledger import Damage, Ledger, is_ambiguous
from tests.chaos.servers import Sink, wait_for

#: How many of a thousand live in which domain of the faulty SMTP server; the others in example.org.
DOMAINS = {
    "tempfail-1.test": 40, "tempfail-2.test": 10, "tempdata-1.test": 30, "greylist-1.test": 20, "permfail.test": 20,
    "permdata.test": 10, "drop-1.test": 5, "unacked-1.test": 8, "slow.test": 4,
}  # fmt: skip
#: The slow ones, a handful each: every one of them occupies a line for a while.
HANGING, RESETTING = "hang-1.test", "reset.test"
SMALL = 200
TEMPLATE = "lifecycle_chaos_template"
#: Once nothing is killed any more: seconds in which something must come of the mails, and until all must have ended.
PATIENCE, LAST = 90.0, 300.0
#: Seconds between two questions to the workers whether they answer; who does not twice is restarted.
PROBE_SECONDS = 10.0


@dataclass(frozen=True)
class Plan:
    """What a round is to be; decided by its seed alone."""

    seed: int
    number: int
    database: str
    broker: str
    size: int

    @property
    def name(self) -> str:
        return f"lifecycle_chaos_{self.seed}_{self.number}"

    @property
    def is_small(self) -> bool:
        """Whether it is to be over soon."""
        return self.size < SMALL

    def dice(self) -> Random:
        return Random(f"{self.seed}-{self.number}")


@dataclass
class Round:
    """A round under way."""

    plan: Plan
    database: Any
    broker: Any
    folder: Path
    random: Random = field(init=False)
    damage: Damage = field(default_factory=Damage)
    run_id: int = 0

    def __post_init__(self) -> None:
        self.random = self.plan.dice()
        self.name = self.plan.name
        self.lines = self.random.choice([1, 2, 4])
        self.is_transactional = self.random.random() < 0.25
        self.has_crashes = self.plan.database == "postgresql" and self.random.random() < 0.3
        self.has_resets = self.random.random() < 0.15
        if self.has_resets:
            self.damage.give_up = 25.0
        self.people = self._people()
        self._timers: list[tuple[Timer, Callable[[], object]]] = []
        self._points = 0

    # -- The course of it ------------------------------------------------------------------------------------------

    def play(self) -> dict[str, Any]:
        """Run the round and answer its line of the results."""
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            stack.callback(self.broker.forget, self.name)
            stack.callback(self.database.drop, self.name)
            url = self.database.create(self.name, TEMPLATE)
            self.sink = Sink(self.folder)
            stack.callback(self.sink.stop)
            children = self.random.choice([1, 2])
            # So slow that the mails take as long as the chaos, whoever sends them.
            self.sink.configure(
                latency=min(0.2, self.random.uniform(3, 8) * 2 * children * self.lines / self.plan.size)
            )
            self.crew = Crew(self.folder, self._environment(url), self.name, children=children)
            stack.callback(self.crew.close)
            violations = self._harm_and_judge()
        return self._line(violations, round(time.monotonic() - began, 1))

    def _harm_and_judge(self) -> list[str]:
        skipped = self.random.sample(self.people, 12)
        (self.folder / "armed").touch()
        self.crew.fill()
        self.run_id = self.crew.ask(
            "prepare", seconds=120, people=self.people, opted_out=skipped[:6], suppressed=skipped[6:],
            is_transactional=self.is_transactional,
        )  # fmt: skip
        try:
            self._harm()
        finally:
            self._cease()
        ended = self._await_end()
        self.crew.finish()
        facts = self.crew.ask_patiently("facts", run_id=self.run_id)
        self.lose(self.crew.fallen * self.crew.children)
        for death in (self.folder / "died").iterdir():
            self.damage.connections += self.lines
            self.damage.deaths.append(death.stat().st_mtime)
        self.ledger = Ledger(facts, self.sink.accepted, self.people, self.damage)
        violations = self.ledger.judge(is_transactional=self.is_transactional)
        endless = f"came to a standstill for {PATIENCE:.0f} s, or was not over after {LAST:.0f} s"
        return violations if ended else [endless, *violations]

    def _harm(self) -> None:
        kinds = {
            **faults.ALWAYS,
            **({} if self.is_transactional else faults.BULK),
            **(faults.SQLITE if self.plan.database == "sqlite" else faults.POSTGRES),
            **(faults.CRASHES if self.has_crashes else {}),
        }
        pause = Event()
        if self.random.random() < 0.7:
            # Otherwise planning is harmed too.
            with contextlib.suppress(TimeoutError):
                wait_for(lambda: self.sink.accepted, seconds=10, what="the first mail")
        for _ in range(self.random.randint(5, 8) if self.plan.is_small else self.random.randint(8, 20)):
            pause.wait(self.random.uniform(0.1, 0.8))
            [fault] = self.random.choices(list(kinds), weights=list(kinds.values()))
            faults.inflict(fault, self)
            self.crew.fill()
            if self._is_over():
                return

    def _cease(self) -> None:
        """Undo what can be undone, at once."""
        (self.folder / "armed").unlink()
        for point in (self.folder / "points").iterdir():
            with contextlib.suppress(FileNotFoundError):
                point.unlink()
        for timer, action in self._timers:
            timer.cancel()
            action()
        with contextlib.suppress(JobFailed):
            self.crew.ask_patiently("resume", run_id=self.run_id)

    def _await_end(self) -> bool:
        pause, began = Event(), time.monotonic()
        probed = moved = began
        counts: object = None
        while time.monotonic() - moved < PATIENCE and time.monotonic() - began < LAST:
            self.crew.fill()
            if self._is_over():
                return True
            if counts != (counts := self._progress().get("counts")):
                moved = time.monotonic()
            if time.monotonic() - probed > PROBE_SECONDS:
                self._restart_the_deaf()
                probed = time.monotonic()
            pause.wait(0.5)
        return False

    def _restart_the_deaf(self) -> None:
        """Do what a liveness probe does: after a lost connection a Celery worker may live on and take no task."""
        for process in self.crew.deaf():
            with contextlib.suppress(psutil.NoSuchProcess):
                children = process.children()
                self.damage.deaf += self.crew.kill(process)
                self.lose(self.crew.kill(*children))

    def _is_over(self) -> bool:
        return self._progress().get("status") in {"finished", "cancelled", "skipped"}

    def _progress(self) -> dict[str, Any]:
        try:
            return dict(self.crew.ask("progress", run_id=self.run_id))
        except JobFailed:
            return {}

    # -- For the faults --------------------------------------------------------------------------------------------

    def lose(self, processes: int) -> None:
        """Each process that sends has so many connections."""
        self.damage.connections += processes * self.lines
        self.damage.deaths += [time.time()] * processes

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        self._timers.append((faults.start_timer(seconds, action), action))

    def drop_point(self, point: str, times: int) -> None:
        self._points += 1
        (self.folder / "points" / f"{self._points:03}-{point}-{times}").touch()

    # -- What it is made of ----------------------------------------------------------------------------------------

    def _people(self) -> list[str]:
        size = self.plan.size
        homes = [home for home, share in DOMAINS.items() for _ in range(max(1, share * size // 1000))]
        homes += [HANGING] * self.random.randint(0, 2) + [RESETTING] * (2 if self.has_resets else 0)
        homes += ["example.org"] * (size - len(homes))
        self.random.shuffle(homes)
        return [f"p{number}@{home}" for number, home in enumerate(homes)]

    def _environment(self, url: str) -> dict[str, str]:
        return {
            "LIFECYCLE_TEST_DATABASE_URL": url,
            "LIFECYCLE_TEST_BROKER_URL": self.broker.url,
            "CHAOS_SMTP_PORT": str(self.sink.port),
            "CHAOS_LINES": str(self.lines),
            "CHAOS_BATCH": str(self.random.choice([50, 100, 300])),
            "CHAOS_PER_CONNECTION": str(self.random.choice([20, 100])),
            "CHAOS_GIVE_UP": str(self.damage.give_up),
        }

    def _line(self, violations: list[str], seconds: float) -> dict[str, Any]:
        ledger = self.ledger
        return {
            "seed": self.plan.seed, "round": self.plan.number, "database": self.plan.database,
            "broker": self.plan.broker, "guarantee": "at least once" if self.is_transactional else "at most once",
            "people": len(self.people), **{status: ledger.counts[status] for status in ("sent", "failed", "skipped")},
            "uncertain": ledger.counts["uncertain"], "promised": ledger.promised, "allowed": ledger.allowed,
            "killed_connections": self.damage.connections, "ambiguous": sum(map(is_ambiguous, self.people)),
            "died_in_a_crash": self.damage.crashed_groups,
            "deaf": self.damage.deaf, "arrived_again": ledger.copies,
            "faults": dict(sorted(self.damage.faults.items())), "seconds": seconds, "violations": violations,
        }  # fmt: skip


@contextlib.contextmanager
def own_folder(*, keep: Path | None) -> Iterator[Path]:
    """A folder of the round; what is in it is kept where a promise was broken."""
    folder = Path(tempfile.mkdtemp(prefix="lifecycle-chaos-"))
    try:
        yield folder
        if keep is not None and (folder / "violated").exists():
            shutil.copytree(folder, keep, dirs_exist_ok=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
