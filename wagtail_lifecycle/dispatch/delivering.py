"""An announced group goes out: over one line in this thread, or over several with a thread each.

Rows are begun in id order, and a line begins its next row only when the outcome of its last one is written down. So at
most one row per line is in doubt, and those are the first ones of the group without an outcome.
"""

from __future__ import annotations

import logging
import random
from collections import deque
from contextlib import suppress
from functools import partial
from itertools import zip_longest
from queue import Empty, SimpleQueue
from threading import Event, Lock
from typing import TYPE_CHECKING, Final

from django.db import connection

from wagtail_lifecycle import signals
from wagtail_lifecycle.dispatch.book import GONE, LOOK
from wagtail_lifecycle.dispatch.work import Standstill, Stopped
from wagtail_lifecycle.exceptions import ClaimLost
from wagtail_lifecycle.transport import Fault, Outcome, Scope, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from wagtail_lifecycle.dispatch.book import Book
    from wagtail_lifecycle.dispatch.composing import Job
    from wagtail_lifecycle.dispatch.work import Work
    from wagtail_lifecycle.models import Delivery
    from wagtail_lifecycle.transport import Line

logger = logging.getLogger(__name__)

#: A mail whose session the server ended is tried so often again before it rests.
RECONNECTS: Final = 2
#: Seconds before the first of these; doubled.
BACKOFF: Final = 0.2
#: Seconds without news in which something can be done for the next group; the lines need the interpreter meanwhile.
MOMENT: Final = 0.0005
#: So many mails in a row whose every session the server ended, and it is the server.
CLOSED_IN_A_ROW: Final = 2


def send_alone(jobs: Sequence[Job], book: Book, work: Work, line: Line) -> None:
    """Send a group over one line. While a mail travels, the outcome of the one before is written down."""
    closed, pause = 0, Event()

    def gate(delivery: Delivery) -> None:
        book.settle()
        book.hold()
        book.begin(delivery)

    with connection.execute_wrapper(book.guard):
        for job, following in zip_longest(jobs, jobs[1:]):
            if work.is_over:
                break
            work.tell(signals.pre_send, job.delivery)
            ahead = following.letter.address if following else ""
            outcome = deliver(job, line, partial(gate, job.delivery), pause, following=ahead)
            closed = closed + 1 if outcome.verdict is Verdict.CONNECTION else 0
            is_shut = work.is_probe and line.is_turned_away
            book.note([(job.delivery, _judged(outcome, closed, is_shut=is_shut))])
        book.settle()


def deliver(
    job: Job,
    line: Line,
    gate: Callable[[], None],
    pause: Event,
    *,
    following: str = "",
    retire: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Hand over one mail; where the server ends the session, wait a little and try the same one again.

    `retire` is asked whether a line that the server did not let in can be spared; then it is not tried again.
    """
    outcome = line.send(job.letter, before_dot=gate, following=following)
    for attempt in range(RECONNECTS):
        if outcome.verdict is not Verdict.CONNECTION or (line.is_turned_away and retire()):
            break
        if pause.wait(BACKOFF * 2**attempt * random.uniform(0.5, 1.5)):  # noqa: S311 - spreading load
            break
        outcome = line.send(job.letter, before_dot=gate, following=following)
    if outcome.verdict is not Verdict.ACCEPTED:
        extra = {"action": "not_sent", "delivery_id": job.delivery.pk, "verdict": outcome.verdict.value}
        logger.info("Delivery %s was not sent: %s", job.delivery.pk, outcome.detail, extra=extra)
    return outcome


def _judged(outcome: Outcome, closed: int, *, is_shut: bool = False) -> Outcome:
    """One recipient whose mail always ends the session must not stop the others; several, and it is the server.

    So is a server that does not even let a probe in: no mail had anything to do with that.
    """
    if closed < CLOSED_IN_A_ROW and not (is_shut and outcome.verdict is Verdict.CONNECTION):
        return outcome
    return Outcome(Verdict.UNREACHABLE, outcome.detail, Scope.SENDER, Fault.UNREACHABLE)


class Retired(Exception):
    """The server has enough connections of ours without this line; another one takes its mail."""


class Report:
    """What a line tells the thread that owns the database connection, and waits for."""

    def __init__(self, delivery: Delivery | None = None, outcome: Outcome | None = None) -> None:
        self.delivery, self.outcome = delivery, outcome
        self.answered = Event()


class Crew:
    """Several lines that share one group. Only this thread speaks to the database."""

    def __init__(
        self, jobs: Sequence[Job], book: Book, work: Work, lines: Sequence[Line], ahead: Callable[[], bool]
    ) -> None:
        #: prepares a little of what comes after this group; answers whether there was anything to do
        self._ahead = ahead
        self._has_time = True
        self._jobs = deque(jobs)
        self._book, self._work, self._lines = book, work, lines
        self._inbox: SimpleQueue[Report | None] = SimpleQueue()
        self._stop = Event()
        self._error: BaseException | None = None
        self._closed = 0
        self._is_listening = True
        self._retiring = Lock()
        #: lines that the server did not let in while it served others
        self.retired: list[Line] = []

    def send(self, threads: Executor) -> None:
        """Send the group. Raises what stopped it, when every line has come to rest."""
        for job in self._jobs:
            self._work.tell(signals.pre_send, job.delivery)
        for line in self._lines:
            threads.submit(self._serve, line)
        try:
            self._listen()
        finally:
            # Also where this thread was interrupted: nobody would answer the others any more.
            self._stop.set()
            self._is_listening = False
        if self._error is not None:
            raise self._error

    def _listen(self) -> None:
        at_work = len(self._lines)
        while at_work:
            news = self._news()
            at_work -= news.count(None)
            self._answer([report for report in news if report is not None])

    # -- The thread of the database ----------------------------------------------------------------------------

    def _news(self) -> list[Report | None]:
        """Return what has come in; nothing if that takes long, so that the lease is looked after."""
        news: list[Report | None] = []
        with suppress(Empty):
            news.append(self._inbox.get(timeout=MOMENT if self._has_time else LOOK))
            while True:
                news.append(self._inbox.get_nowait())
        if not news:
            self._has_time = self._has_time and self._ahead()
        return news

    def _answer(self, reports: Sequence[Report]) -> None:
        try:
            self._write(reports)
        except (ClaimLost, Standstill, Stopped, *GONE) as error:
            # A lost database outweighs the others: after it everything has to be written again.
            if self._error is None or isinstance(error, GONE):
                self._error = error
            self._stop.set()
        finally:
            for report in reports:
                report.answered.set()

    def _write(self, reports: Sequence[Report]) -> None:
        ends = [self._judge(end.delivery, end.outcome) for end in reports if end.delivery and end.outcome]
        if isinstance(self._error, GONE):
            self._book.remember(ends)
            return
        if ends:
            self._book.note(ends)
            self._book.settle()
        if self._error is None:
            self._book.hold()

    def _judge(self, delivery: Delivery, outcome: Outcome) -> tuple[Delivery, Outcome]:
        self._closed = self._closed + 1 if outcome.verdict is Verdict.CONNECTION else 0
        return delivery, _judged(outcome, self._closed)

    # -- The thread of a line ----------------------------------------------------------------------------------

    def _serve(self, line: Line) -> None:
        try:
            while self._jobs and not self._stop.is_set() and not self._work.is_over:
                self._send_next(line)
        except (Stopped, Retired, IndexError):
            pass
        except BaseException as error:  # noqa: BLE001 - raised by the thread that waits for us
            self._error = self._error or error
            self._stop.set()
        finally:
            connection.close()
            self._inbox.put(None)

    def _send_next(self, line: Line) -> None:
        job = self._jobs.popleft()
        outcome = deliver(job, line, partial(self._gate, job.delivery), self._stop, retire=partial(self._retire, line))
        if line in self.retired:
            # Certainly not begun. Where nobody is left to take it, the book gives it back.
            self._jobs.appendleft(job)
            raise Retired
        self._ask(Report(job.delivery, outcome))

    def _retire(self, line: Line) -> bool:
        """Whether the group can do without this line: the last one tells what is wrong with the server."""
        with self._retiring:
            if len(self.retired) + 1 >= len(self._lines):
                return False
            self.retired.append(line)
            return True

    def _gate(self, delivery: Delivery) -> None:
        while not self._stop.is_set() and not self._book.is_fresh:
            self._ask(Report())
        if self._stop.is_set():
            raise Stopped
        self._book.begin(delivery)

    def _ask(self, report: Report) -> None:
        self._inbox.put(report)
        while self._is_listening and not report.answered.wait(LOOK):
            pass
