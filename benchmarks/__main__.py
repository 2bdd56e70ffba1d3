"""``python -m benchmarks [--quick] [--recipients N] [--deliveries N] [--only NAME …]``.

Prints one JSON object per line, and a table for people on standard error.
"""

import argparse
import contextlib
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import django

from benchmarks import services

NAMES = (
    "tutorial_loop",
    "ours",
    "raw_sync",
    "post_office",
    "tutorial_task_per_user",
    "ours_foreign_backend",
    "ours_20ms",
)
BASELINE = "tutorial_loop"


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    rounds: int
    #: mails of the slow contestants, of the fast ones, and of the fast ones at a slow server
    slow: int
    fast: int
    latency: int
    deliveries: int
    calls: int

    def of(self, name: str) -> int:
        if name.startswith(("tutorial", "post_office")):
            return self.slow
        return self.latency if name.endswith("ms") else self.fast


FULL = Sizes(rounds=3, slow=400, fast=4000, latency=4000, deliveries=1_000_000, calls=20_000)
QUICK = Sizes(rounds=1, slow=100, fast=1000, latency=1000, deliveries=20_000, calls=2000)


def main(arguments: Sequence[str]) -> None:
    # However it is told to end, servers, workers and databases go first.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    options = _options(arguments)
    sizes = QUICK if options.quick else FULL
    report(machine())
    with prepared() as arena:
        people(max(sizes.fast, sizes.latency, options.recipients or 0), arena)
        measure(sizes, options, arena)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, less than a minute")
    parser.add_argument(
        "--recipients", type=int, help="one run of ours to so many people instead: memory and first mail"
    )
    parser.add_argument("--deliveries", type=int, help="rows behind the admin's pages")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="these contestants")
    return parser.parse_args(arguments)


@contextlib.contextmanager
def prepared() -> Iterator:
    """Yield the arena: servers, an empty migrated database, and Django in this process."""
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        sink = enter(services.sink())
        os.environ["BENCH_DATABASE_URL"] = enter(services.database())
        os.environ["BENCH_REDIS_URL"] = enter(services.redis())
        os.environ["BENCH_SMTP_PORT"] = str(sink.port)
        os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
        directory = Path(enter(tempfile.TemporaryDirectory(prefix="lifecycle-bench-")))
        django.setup()
        from django.core.management import call_command  # noqa: PLC0415 - after setup
        from django.db import connections  # noqa: PLC0415
        from wagtail.models import Locale  # noqa: PLC0415

        from benchmarks.contestants import Arena  # noqa: PLC0415

        call_command("migrate", verbosity=0)
        arena = Arena(sink=sink, directory=directory, locale=Locale.objects.get())
        stack.callback(connections.close_all)
        stack.callback(arena.stop)
        yield arena


def people(count: int, arena) -> None:
    """Make so many users whose primary keys begin at 1, and the campaign to them."""
    from django.db import connection  # noqa: PLC0415

    from benchmarks.mail import make_campaign  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_user (id, email, name, password, is_verified, is_active, is_staff, is_superuser,"
            " date_joined) SELECT n, 'reader' || n || '@bench.example', 'Zoë Reader ' || n, '', true, true, false,"
            " false, now() FROM generate_series(1, %s) AS n",
            [count],
        )
        cursor.execute("SELECT setval(pg_get_serial_sequence('accounts_user', 'id'), %s)", [count])
        cursor.execute("ANALYZE accounts_user")
    make_campaign(count, arena.locale)


def measure(sizes: Sizes, options: argparse.Namespace, arena) -> None:
    from benchmarks import measures  # noqa: PLC0415

    if options.recipients:
        arena.start()
        many(options.recipients, arena)
        return
    report(measures.mail_cost(sizes.calls // 100))
    arena.start()
    race(sizes, options.only, arena)
    arena.stop()
    report(measures.page_view_cost(sizes.calls))
    for page in measures.admin_pages(options.deliveries or sizes.deliveries):
        report(page)


def race(sizes: Sizes, names: Sequence[str], arena) -> None:
    """Let all of them send in turn, round after round; a ratio compares within its round."""
    from benchmarks.contestants import CONTESTANTS  # noqa: PLC0415

    chosen = [contestant for contestant in CONTESTANTS if contestant.name in names]
    rounds = []
    for number in range(sizes.rounds):
        sys.stderr.write(f"Round {number + 1} of {sizes.rounds}, load {os.getloadavg()[0]:.1f}\n")
        rounds.append({contestant.name: contestant.turn(sizes.of(contestant.name), arena) for contestant in chosen})
    rows = [summary(contestant.name, rounds) for contestant in chosen]
    for row in rows:
        report(row)
    table(rows)


def summary(name: str, rounds) -> dict[str, object]:
    turns = [turns[name] for turns in rounds]

    def median(values) -> float:
        return statistics.median(values)

    def against(other: str) -> float | None:
        if other not in rounds[0]:
            return None
        return round(median(turns[name].rate / turns[other].rate for turns in rounds), 2)

    return {
        "name": name,
        "rate": round(median(turn.rate for turn in turns)),
        "ratio": against(BASELINE),
        "ratio_post_office": against("post_office"),
        "ratio_raw_sync": against("raw_sync"),
        "cpu_s_per_1000": round(median(turn.cpu_seconds / turn.messages * 1000 for turn in turns), 3),
        "rss_mb": round(max(turn.rss_mb for turn in turns)),
        "sql_per_mail": round(median(turn.statements / turn.messages for turn in turns), 2),
        "first_mail_ms": round(median(turn.first_mail_ms for turn in turns)),
        "messages": turns[0].messages,
        "rounds": len(turns),
        "doubled": sum(turn.doubled for turn in turns),
        "rates": [round(turn.rate) for turn in turns],
    }


def many(count: int, arena) -> None:
    """Send one run to everybody, after one to a thousand: what grows with the audience?"""
    from benchmarks.contestants import CONTESTANTS  # noqa: PLC0415

    ours = next(contestant for contestant in CONTESTANTS if contestant.name == "ours")
    small = ours.turn(min(1000, count), arena)
    large = ours.turn(count, arena)
    report({
        "name": "ours_many", "recipients": count, "rate": round(large.rate), "rss_mb_1000": round(small.rss_mb, 1),
        "rss_mb": round(large.rss_mb, 1), "rss_grown_mb": round(large.rss_mb - small.rss_mb, 1),
        "first_mail_ms": round(large.first_mail_ms), "cpu_s_per_1000": round(large.cpu_seconds / count * 1000, 3),
        "sql_per_mail": round(large.statements / count, 2), "doubled": large.doubled,
    })  # fmt: skip


def machine() -> dict[str, object]:
    return {
        "name": "machine", "cores": os.cpu_count(), "system": platform.platform(terse=True),
        "python": platform.python_version(), "load": [round(load, 1) for load in os.getloadavg()],
    }  # fmt: skip


def report(row: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def table(rows) -> None:
    columns = ("name", "rate", "ratio", "ratio_post_office", "ratio_raw_sync", "cpu_s_per_1000", "rss_mb",
               "sql_per_mail", "first_mail_ms")  # fmt: skip
    cells = [columns, *([str("-" if row[column] is None else row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    for line in cells:
        sys.stderr.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
