"""Claimed deliveries become mails: in small groups, each announced before its first dot."""

from __future__ import annotations

import logging
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError, connection
from django.utils import timezone

from wagtail_lifecycle import links
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.dispatch import (
    claiming,
    clock,
    closing,
    composing,
    days,
    durability,
    opening,
    rechecking,
    senders,
)
from wagtail_lifecycle.dispatch import editions as run_editions
from wagtail_lifecycle.dispatch.book import GONE, Book, reconnect
from wagtail_lifecycle.dispatch.breaking import Breaker
from wagtail_lifecycle.dispatch.delivering import Crew, send_alone
from wagtail_lifecycle.dispatch.outcomes import Terms
from wagtail_lifecycle.dispatch.work import Standstill, Stopped, Work
from wagtail_lifecycle.exceptions import ClaimLost, NoLine
from wagtail_lifecycle.models import Run, SenderState
from wagtail_lifecycle.transport import Fault, Verdict, lines, take

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from wagtail_lifecycle.dispatch.composing import Desk, Job
    from wagtail_lifecycle.dispatch.editions import Editions
    from wagtail_lifecycle.dispatch.rechecking import Addressee
    from wagtail_lifecycle.models import Delivery
    from wagtail_lifecycle.transport import Line

logger = logging.getLogger(__name__)

#: What a server says to a sender that works; the others leave open whether it does.
WORKS: Final = frozenset({Verdict.ACCEPTED, Verdict.TEMPORARY, Verdict.PERMANENT})
#: A further line pays for every so many times as long as we work on a mail that it is under way.
WORTH_A_LINE: Final = 2.5
#: Rows per line of a group, so that lines seldom wait for the last one.
PER_LINE: Final = 10
#: Groups claimed together where there are several lines: all but the first are written while others travel.
AHEAD: Final = 4
#: SQLite gave no answer because somebody else was writing; the low byte of its error codes.
LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
#: Seconds before a database that gave no answer is asked again.
BREATH: Final = 0.2


def send_batch(run_id: int) -> bool:
    """Send due mails of the run for a few seconds; answer whether more of it is due at once."""
    deadline = clock.elapsed() + settings.batch_seconds
    run = _load(run_id)
    editions = _editions(run) if run else None
    if run is None or editions is None:
        return False
    is_probe = _ask_sender(run, editions.sender.key)
    run = _load(run_id)
    if run is None or run.status == Run.Status.PAUSED:
        return False
    if run.status == Run.Status.PREPARING and not claiming.due(run_id).exists():
        opening.plan(run, deadline=clock.elapsed() + opening.MOMENT)
    return _send_until(_work(run, editions, deadline, is_probe=is_probe))


def _load(run_id: int) -> Run | None:
    runs = Run.objects.select_related("campaign__locale").filter(pk=run_id).exclude(days.HELD)
    waits = runs.filter(status=Run.Status.PAUSED, reason=Run.Reason.SENDER)
    return (runs.filter(status__in=[Run.Status.PREPARING, Run.Status.SENDING]) | waits).first()


def _editions(run: Run) -> Editions | None:
    try:
        return run_editions.load(run)
    except DatabaseError:
        raise
    # Blocks are the site's own code: whatever they raise, this content will never become a mail.
    except Exception:
        logger.exception("The run has no mail", extra={"action": "run_broken", "run_id": run.pk})
        closing.break_run(run.pk)
        return None


def _ask_sender(run: Run, key: str) -> bool:
    """Bring the run into step with its sender; answer whether this task is the one that tries the sender again."""
    is_paused = senders.is_paused(key)
    if is_paused and not senders.due_probe(key):
        senders.make_wait(run.pk)
        return False
    if run.status == Run.Status.PAUSED:
        senders.let_go_on([run.pk])
    return is_paused


def _work(run: Run, editions: Editions, deadline: float, *, is_probe: bool) -> Work:
    return Work(
        run=run,
        editions=editions,
        terms=Terms.of(run, expires_after=editions.expires_after),
        form=durability.prepare(),
        breaker=Breaker(run),
        base=links.base_url(),
        deadline=deadline,
        is_probe=is_probe,
    )


def _send_until(work: Work) -> bool:
    run_id, key = work.run.pk, work.sender.key
    try:
        _send_over_lines(work)
    except Standstill as standstill:
        outcome = standstill.outcome
        fault = outcome.reason or (Fault.UNREACHABLE if outcome.verdict is Verdict.UNREACHABLE else Fault.REJECTED)
        senders.pause(key, SenderState.Reason(fault.value), outcome.detail)
        senders.make_wait(run_id)
        return False
    except Stopped:
        logger.info("The run was stopped", extra={"action": "stopped", "run_id": run_id})
    except ClaimLost as error:
        logger.warning("%s", error, extra={"action": "claim_lost", "run_id": run_id})
    except NoLine as error:
        # `recover` asks again; whoever has the lines goes on meanwhile.
        logger.info("%s", error, extra={"action": "no_line", "run_id": run_id})
        return False
    if work.is_probe and WORKS & work.seen.keys():
        senders.resume(key)
    elif work.is_probe and Verdict.CONNECTION in work.seen:
        senders.probe_again(key)
    if senders.is_paused(key):
        senders.make_wait(run_id)
        return False
    closing.sweep(run_id)
    if closing.close_run(run_id):
        return False
    status = Run.objects.values_list("status", flat=True).get(pk=run_id)
    return status == Run.Status.PREPARING or (status == Run.Status.SENDING and claiming.due(run_id).exists())


def _send_over_lines(work: Work) -> None:
    width = 1 if work.is_probe else lines.width(work.sender)
    with lines.borrow_several(work.sender, width) as borrowed, ThreadPoolExecutor(len(borrowed)) as threads:
        Gang(work, borrowed, threads).send()


class Gang:
    """The lines of one task, and how many of them pay."""

    def __init__(self, work: Work, borrowed: Sequence[Line], threads: ThreadPoolExecutor) -> None:
        self._work, self._lines, self._threads = work, borrowed, threads
        self._width = 1

    @property
    def _size(self) -> int:
        """How many rows are announced together."""
        size = self._work.form.size
        return size if size == 1 else max(size, PER_LINE * self._width)

    def send(self) -> None:
        """Send group after group until nothing is due or the time is over."""
        work = self._work
        while not work.is_over and work.may_go_on():
            size = 1 if work.is_probe else max(settings.batch_size, self._size * (AHEAD if self._width > 1 else 1))
            claimed = claiming.claim(work.run.pk, size)
            if not claimed:
                return
            self._send_claimed(claimed)
            if work.is_probe:
                return

    def _send_claimed(self, claimed: Sequence[Delivery]) -> None:
        """Send the mails of claimed deliveries. What was not announced goes back, whatever happens."""
        is_done = False
        try:
            desk = composing.Desk(self._read(claimed), self._work)
            while desk and not self._work.is_over:
                self._send_some(desk)
            is_done = not desk
        except GONE:
            if connection.in_atomic_block:
                raise
            logger.warning(
                "The database did not answer", extra={"action": "database_gone", "run_id": self._work.run.pk}
            )
            Event().wait(BREATH)
        finally:
            if not is_done:
                _release(claimed)

    def _read(self, claimed: Sequence[Delivery]) -> list[Addressee]:
        try:
            return rechecking.addressees(claimed, self._work.editions)
        except Exception as error:
            # A lost or locked database is nobody's code; one that answers, and refuses, is.
            if not _is_unanswered(error):
                claiming.lapse(claimed)
            raise

    def _send_some(self, desk: Desk) -> None:
        """Send the next, as many as are announced together."""
        work = self._work
        grant = take(work.sender, min(self._size, len(desk)), timezone.now())
        if grant.count == 0:
            Event().wait(max(0.0, min(grant.wait_seconds, work.deadline - clock.elapsed())))
            return
        jobs = desk.take(grant.count)
        if jobs:
            self._announce_and_send(jobs, desk)

    def _announce_and_send(self, jobs: Sequence[Job], desk: Desk) -> None:
        work, since = self._work, clock.elapsed()
        rows = self._announce([job.delivery for job in jobs], desk.now)
        announced = {row.pk for row in rows}
        jobs = [job for job in jobs if job.delivery.pk in announced]
        if not jobs:
            raise Stopped
        book = Book(rows, work, waiting=desk.deliveries, since=since)
        try:
            self._deliver(jobs, book, desk)
        except GONE:
            if connection.in_atomic_block:
                raise
            book.rescue()
            return
        except BaseException:
            book.close()
            raise
        book.close()

    def _announce(self, rows: Sequence[Delivery], now: datetime) -> list[Delivery]:
        work = self._work
        try:
            return claiming.announce(rows, form=work.form, lines=self._width, allowed=work.allowed, now=now)
        except GONE:
            if not connection.in_atomic_block:
                # The database may have taken the intent, but no mail was begun.
                reconnect()
                claiming.retract(rows)
            raise

    def _deliver(self, jobs: Sequence[Job], book: Book, desk: Desk) -> None:
        began, worked = clock.elapsed(), time.process_time()
        if self._width == 1:
            send_alone(jobs, book, self._work, self._lines[0])
        else:
            # Time that the lines wait for the server is enough to write the letters of the next group.
            ahead = partial(desk.write_ahead, self._size)
            crew = Crew(jobs, book, self._work, self._lines[: self._width], ahead)
            crew.send(self._threads)
            self._lines = [line for line in self._lines if line not in crew.retired]
        took, worked = (clock.elapsed() - began) * self._width, time.process_time() - worked
        self._width = max(1, min(len(self._lines), int(took / max(worked * WORTH_A_LINE, 0.0001))))


def _is_unanswered(error: Exception) -> bool:
    """Whether the database is at fault: it is out of reach, or locked for longer than we wait."""
    if not isinstance(error, GONE):
        return False
    # Of sqlite3's own error; other databases have no such code.
    if getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF in LOCKED:
        return True
    return not (connection.in_atomic_block or connection.is_usable())


def _release(claimed: Sequence[Delivery]) -> None:
    """Give back what was not announced. Where the database is gone for good, `recover` does it."""
    try:
        claiming.release(claimed)
    except GONE:
        if connection.in_atomic_block:
            raise
        _release_again(claimed)


def _release_again(claimed: Sequence[Delivery]) -> None:
    try:
        reconnect()
        claiming.release(claimed)
    except GONE:
        connection.close()
        logger.warning("The database is gone", extra={"action": "database_gone"})
