"""``make chaos``: rounds of killing, bounded in number and time. Every round adds a line to the results.

python -m tests.chaos                          ten rounds with a new seed
python -m tests.chaos --rounds 200 --seed 7    the rounds of seed 7
python -m tests.chaos --seed 7 --resume        go on behind the last round of seed 7 that the results have
python -m tests.chaos --quick                  two small rounds, a minute or two; the results stay as they are
"""

import argparse
import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.chaos.crew import Crew
from tests.chaos.rounds import TEMPLATE, Plan, Round, own_folder
from tests.chaos.servers import Postgres, Rabbit, Redis, Sqlite

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "explanation" / "chaos-results.jsonl"
COMBINATIONS = [("postgresql", "redis"), ("sqlite", "rabbitmq"), ("postgresql", "rabbitmq"), ("sqlite", "redis")]
SERVERS = {"postgresql": Postgres, "sqlite": Sqlite, "redis": Redis, "rabbitmq": Rabbit}


class Stage:
    """The servers, each started when a round first needs it."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._servers: dict[str, Any] = {}

    def server(self, title: str) -> Any:
        if title not in self._servers:
            server = SERVERS[title](self._folder)
            self._stack.callback(server.stop)
            self._servers[title] = server
            if title in {"postgresql", "sqlite"}:
                self._make_template(server)
        return self._servers[title]

    @cached_property
    def has_rabbit(self) -> bool:
        try:
            self.server("rabbitmq")
        except OSError:
            return False
        return True

    def _make_template(self, server: Any) -> None:
        folder = self._folder / f"template-{server.title}"
        folder.mkdir()
        if server.title == "postgresql":
            server.administer(f'CREATE DATABASE "{TEMPLATE}"')
        crew = Crew(folder, {"LIFECYCLE_TEST_DATABASE_URL": server.url(TEMPLATE)}, "none", children=1)
        try:
            crew.ask("migrate", seconds=240)
        finally:
            crew.close()


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Also where a shell has told its background jobs to ignore Ctrl-C. Everything is put away on the way out.
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    results = None if options.quick else Path(options.results)
    deadline = time.monotonic() + options.minutes * 60
    violated = played = 0
    with temporary_folder() as folder, contextlib.ExitStack() as stack:
        stage = Stage(folder, stack)
        for number in numbers(options, results):
            if time.monotonic() > deadline:
                break
            line = play(stage, plan_of(options, number, has_rabbit=stage.has_rabbit), options)
            played += 1
            violated += bool(line["violations"])
            tell(line)
            if results is not None:
                with results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"commit": commit(), **line}) + "\n")
            if violated and not options.go_on:
                break
    sys.stdout.write(f"{played} rounds, {violated} violated\n")
    return 1 if violated else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos ARGS=…", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="at most so many (%(default)s)")
    parser.add_argument("--minutes", type=float, default=60, help="begin no further round after this (%(default)s)")
    parser.add_argument("--seed", type=int, help="decides what the rounds are made of; a new one unless given")
    parser.add_argument("--resume", action="store_true", help="leave out rounds of this seed that the results have")
    parser.add_argument("--quick", action="store_true", help="two small rounds, a minute or two, not written down")
    parser.add_argument("--size", type=int, help="so many recipients; otherwise hundreds to thousands by the seed")
    parser.add_argument("--go-on", action="store_true", help="do not end with the first round that breaks a promise")
    parser.add_argument("--only", choices=["postgresql", "sqlite"], help="one database only")
    parser.add_argument("--results", default=RESULTS, help=argparse.SUPPRESS)
    parser.add_argument("--keep", type=Path, help="folder for the logs of rounds that broke a promise")
    options = parser.parse_args(arguments)
    if options.resume and options.seed is None:
        parser.error("--resume needs the --seed it is to go on with")
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1, 1_000_000)
    if options.quick:
        options.rounds, options.size = 2, 150
    return options


def numbers(options: argparse.Namespace, results: Path | None) -> Iterator[int]:
    """The numbers of the rounds to play."""
    done = set()
    if options.resume and results is not None and results.exists():
        lines = [json.loads(line) for line in results.read_text().splitlines()]
        done = {line["round"] for line in lines if line["seed"] == options.seed}
    return (number for number in range(1, options.rounds + 1) if number not in done)


def plan_of(options: argparse.Namespace, number: int, *, has_rabbit: bool) -> Plan:
    combinations = [pair for pair in COMBINATIONS if options.only in {None, pair[0]}]
    database, broker = combinations[(number - 1) % len(combinations)]
    dice = random.Random(f"size-{options.seed}-{number}")
    size = options.size or dice.choice([300, 500, 800, 1200, 2000])
    return Plan(options.seed, number, database, broker if has_rabbit else "redis", size)


def play(stage: Stage, plan: Plan, options: argparse.Namespace) -> dict[str, Any]:
    keep = options.keep / plan.name if options.keep else None
    with own_folder(keep=keep) as folder:
        one = Round(plan, stage.server(plan.database), stage.server(plan.broker), folder)
        line = one.play()
        if line["violations"]:
            (folder / "violated").touch()
        return line


def tell(line: dict[str, Any]) -> None:
    counts = ", ".join(f"{line[status]} {status}" for status in ("sent", "failed", "skipped", "uncertain"))
    what = f"seed {line['seed']} round {line['round']}: {line['database']}, {line['broker']}, {line['guarantee']}"
    doubt = f"(promised {line['promised']}, allowed {line['allowed']})"
    head = (
        f"{what}: {line['people']} people, {counts} {doubt}, {sum(line['faults'].values())} faults, {line['seconds']} s"
    )
    parts = [head, *(f"  VIOLATED {violation}" for violation in line["violations"])]
    sys.stdout.write("\n".join(parts) + "\n")
    sys.stdout.flush()


def commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lifecycle-chaos-") as temporary:
        folder = Path(temporary)
        # PostgreSQL runs as nobody where we are root.
        folder.chmod(0o755)
        yield folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
