"""All that beat and the workers do, in one process and without a broker: for cron, and for bad days."""

from __future__ import annotations

import logging
import select
import signal
import socket
import time
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction
from collections import Counter
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.models import Count, F
from django.utils import timezone

from wagtail_lifecycle import dispatch, page_views, rehearsing, schedules, ticking
from wagtail_lifecycle.models import Delivery, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: seconds of one pass; less than cron's minute, so that passes do not pile up
BOUND: Final = 50.0
#: Runs and faults that one line names.
SHOWN: Final = 10


class Command(BaseCommand):
    help = (
        "Do once, without Celery, what its beat and workers do: open the runs that are due, note what was missed, "
        "put right what a crash left behind, send, write down page views, publish what is scheduled. "
        "Run it every minute, by cron or with --loop. Beside Celery, or twice at once, it is harmless."
    )
    # A worker does not check either, and cron would mail the same warnings every minute.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--loop",
            type=_seconds,
            metavar="SECONDS",
            help="begin again so long after each beginning, until SIGTERM or Ctrl-C",
        )
        parser.add_argument(
            "--send",
            action=BooleanOptionalAction,
            default=True,
            help="send what is due; --no-send leaves that to workers",
        )

    def handle(self, *_args: Any, loop: float | None, send: bool, **options: Any) -> None:
        if loop is None:
            if trouble := self._pass(send=send, verbosity=options["verbosity"]):
                raise CommandError(trouble)
            return
        with Stop.on_signals() as stop:
            while not stop.asked:
                began = time.monotonic()
                if trouble := self._pass(send=send, verbosity=options["verbosity"], stop=stop):
                    # Whoever loops is needed: the next pass may fare better.
                    self.stderr.write(trouble)
                stop.wait(began + loop - time.monotonic())

    def _pass(self, *, send: bool, verbosity: int, stop: Stop | None = None) -> str:
        """Do everything once; return a sentence on what went wrong, or nothing."""
        with Troubles() as troubles:
            _drop_broken_connections()
            attempt("sync_system_tasks", schedules.sync_system_tasks, None)
            attempt("publish_scheduled", partial(call_command, "publish_scheduled", verbosity=0), None)
            views = attempt("flush_page_views", lambda: page_views.flush(timezone.now()), 0)
            deadline = time.monotonic() + BOUND

            def is_over() -> bool:
                return time.monotonic() > deadline or bool(stop and stop.asked)

            runs = work(send=send, is_over=is_over)
            # After the mails that are due: a rehearsal waits for nobody.
            attempt("rehearse", lambda: _rehearse(is_over), None)
            report = attempt("report", lambda: _report(runs, views), "")
        if verbosity and report:
            self.stdout.write(report)
            # Read as it happens, also through a pipe.
            self.stdout.flush()
        return troubles.sentence


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 1 <= seconds <= 3600:  # noqa: PLR2004 - said in the message
        raise ArgumentTypeError(f"{text!r} is not a number of seconds from 1 to 3600; 60 is what cron would do")
    return seconds


# -- What is done --------------------------------------------------------------------------------------------


def work(*, send: bool, is_over: Callable[[], bool]) -> list[int]:
    """Open what is due and send until nothing more is; return the runs that were worked on."""
    worked_on: dict[int, None] = {}
    faulty: set[int] = set()
    while True:
        ids: list[int] = attempt("recover", lambda: _urgent_first(ticking.recover(timezone.now())), [])
        worked_on |= dict.fromkeys(ids)
        if not send:
            return list(worked_on)
        more = [_send(run_id, is_over, faulty) for run_id in ids if run_id not in faulty]
        # Asked anew after each round: what became due meanwhile, perhaps urgent, does not wait for a long run.
        if not any(more):
            return list(worked_on)


def _rehearse(is_over: Callable[[], bool]) -> None:
    for campaign_id in rehearsing.waiting():
        while not is_over() and rehearsing.rehearse(campaign_id, timezone.now()):
            pass


def _urgent_first(run_ids: list[int]) -> list[int]:
    runs = Run.objects.filter(pk__in=run_ids)
    return list(runs.order_by(F("campaign__topic").asc(nulls_first=True), "slot", "pk").values_list("pk", flat=True))


def _send(run_id: int, is_over: Callable[[], bool], faulty: set[int]) -> bool:
    """Send for a few seconds; answer whether there is more, and time for it."""
    if is_over():
        return False
    more = attempt("send_batch", lambda: dispatch.send_batch(run_id), None, run_id=run_id)
    if more is None:
        faulty.add(run_id)
    return bool(more) and not is_over()


def attempt(action: str, step: Callable[[], T], otherwise: T, **ids: int) -> T:
    """Return what `step` does; one step at fault keeps no other from being done."""
    try:
        return step()
    except Exception:
        logger.exception("step of a tick failed", extra={"action": action, **ids})
        # The next step gets a new connection, if it was the database.
        _drop_broken_connections()
        return otherwise


def _drop_broken_connections() -> None:
    for connection in connections.all(initialized_only=True):
        # Whoever calls this within a transaction goes on with it.
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def _report(run_ids: list[int], views: int) -> str:
    """Say in one line, with ids and counts only, how the runs stand."""
    standing: dict[int, list[str]] = {run_id: [] for run_id in run_ids[:SHOWN]}
    rows = Delivery.objects.filter(run__in=standing).order_by("run", "status").values_list("run", "status")
    for run_id, status, count in rows.annotate(count=Count("pk")):
        standing[run_id].append(f"{count} {status}")
    runs = [f"{run_id} ({', '.join(counts) or 'nobody'})" for run_id, counts in standing.items()]
    more = [f"and {len(run_ids) - SHOWN} more"] if len(run_ids) > SHOWN else []
    return f"Runs: {', '.join([*runs, *more]) or 'none'}. Page views: {views}."


# -- What went wrong -----------------------------------------------------------------------------------------


class Troubles(logging.Handler):
    """What the package logs as an error while it is open: a fault of one campaign or mail stops nothing else."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self._seen: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        known = vars(record)
        ids = [f"{name} {known[name]}" for name in ("campaign_id", "run_id", "delivery_id") if name in known]
        error = record.exc_info[0] if record.exc_info else None
        told = [str(known.get("action", record.name)), *ids, *([error.__name__] if error else [])]
        self._seen[" ".join(told)] += 1

    @property
    def sentence(self) -> str:
        if not self._seen:
            return ""
        shown = [f"{told} ({count} times)" if count > 1 else told for told, count in self._seen.most_common(SHOWN)]
        more = f", and {len(self._seen) - SHOWN} other faults" if len(self._seen) > SHOWN else ""
        return (
            f"Not everything could be done: {', '.join(shown)}{more}. "
            "The log says why; everything else was done, and the next pass tries again."
        )

    def __enter__(self) -> Self:
        logging.getLogger("wagtail_lifecycle").addHandler(self)
        return self

    def __exit__(self, *_exception: object) -> None:
        logging.getLogger("wagtail_lifecycle").removeHandler(self)


class Stop:
    """A wish to end: the first signal lets the batch under way finish, the second insists."""

    def __init__(self) -> None:
        self.asked = False
        self._waiting, self._waking = socket.socketpair()

    def wait(self, seconds: float) -> None:
        """Wait so long, or until somebody asks."""
        select.select([self._waiting], [], [], max(0.0, seconds))

    @classmethod
    @contextmanager
    def on_signals(cls) -> Iterator[Stop]:
        stop = cls()
        before = {number: signal.signal(number, stop._ask) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield stop
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            stop._waiting.close()
            stop._waking.close()

    def _ask(self, number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        self.asked = True
        self._waking.send(b".")
