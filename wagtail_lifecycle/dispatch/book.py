"""The rows of one announced group: which still are open, what is known of the others, and until when they are ours."""

from __future__ import annotations

import logging
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from django.db import InterfaceError, OperationalError, connection

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.dispatch import claiming, clock, closing, durability, outcomes, pipe
from wagtail_lifecycle.dispatch.work import Standstill, Stopped
from wagtail_lifecycle.exceptions import ClaimLost
from wagtail_lifecycle.models import Delivery
from wagtail_lifecycle.transport import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from wagtail_lifecycle.dispatch.work import Work
    from wagtail_lifecycle.transport import Outcome

logger = logging.getLogger(__name__)

Status = Delivery.Status

#: What Django raises when the connection to the database is gone.
GONE: Final = (OperationalError, InterfaceError)
#: Seconds between two looks at whether somebody paused the run.
LOOK: Final = 1.0
#: Seconds a database may take to come back before its rows are left to `recover`.
COMEBACK: Final = 60.0


class Book:
    """Keeps one group. Only the thread that made it may call it, but for `is_fresh` and `begin`."""

    def __init__(self, rows: Sequence[Delivery], work: Work, *, waiting: Sequence[Delivery], since: float) -> None:
        self._work = work
        #: announced and without a confirmed outcome
        self._open = {row.pk: row for row in rows}
        #: claimed for a later group
        self._waiting = waiting
        #: whose dot may be out
        self._begun: set[int] = set()
        self._known: dict[int, tuple[Delivery, Outcome]] = {}
        self._pipe = pipe.Pipe() if work.form.is_fast and pipe.is_possible() else None
        self._posted: list[Delivery] = []
        self._confirmed_at = since
        self._looked_at = since

    # -- Before a dot ------------------------------------------------------------------------------------------

    @property
    def is_fresh(self) -> bool:
        """Whether the database has confirmed lately enough that the rows are ours, by a clock no SIGSTOP stops."""
        return clock.elapsed() - self._confirmed_at < settings.lease.total_seconds() / 2

    def begin(self, delivery: Delivery) -> None:
        """Take note that the mail's dot goes out now."""
        self._begun.add(delivery.pk)

    def hold(self) -> None:
        """Raise ClaimLost unless the rows are ours, Stopped if the run must not go on."""
        if not self.is_fresh:
            self._renew()
        if clock.elapsed() - self._looked_at >= LOOK:
            self._looked_at = clock.elapsed()
            if not self._work.may_go_on():
                raise Stopped

    def _renew(self) -> None:
        began = clock.elapsed()
        rows = list(self._open.values())
        if claiming.renew(rows, Status.SENDING) != len(rows):
            raise ClaimLost(
                f"The lease of {len(rows)} deliveries of run {self._work.run.pk} is over. Send nothing more of them."
            )
        claiming.renew(self._waiting, Status.CLAIMED)
        self._confirmed_at = began

    # -- After the reply ---------------------------------------------------------------------------------------

    def note(self, ends: Iterable[tuple[Delivery, Outcome]]) -> None:
        """Write down what became of mails; of those that were sent it is certain only after `settle`.

        Raises ClaimLost, Standstill or Stopped, once everything is written down.
        """
        news = list(ends)
        self.remember(news)
        sent = [delivery for delivery, outcome in news if outcome.verdict is Verdict.ACCEPTED]
        if sent:
            self._post(sent)
        others = [delivery for delivery, outcome in news if outcome.verdict is not Verdict.ACCEPTED]
        if others:
            self.settle()
            self._write_all(others)

    def remember(self, ends: Iterable[tuple[Delivery, Outcome]]) -> None:
        """Know what became of mails without writing it down; for `rescue`."""
        for delivery, outcome in ends:
            self._known[delivery.pk] = (delivery, outcome)
            self._work.seen[outcome.verdict] += 1

    def settle(self) -> None:
        """Wait until everything that was noted is written down. Raises ClaimLost."""
        posted, self._posted = self._posted, []
        if not posted:
            return
        changed = self._pipe.receive() if self._pipe else outcomes.record_sent(posted)
        written = {delivery.pk for delivery in posted} if changed == len(posted) else _sent_among(posted)
        for delivery in posted:
            if delivery.pk in written:
                self._finish(delivery, Status.SENT, "")
        self._write_all([delivery for delivery in posted if delivery.pk not in written])

    def guard(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        """Let nobody else use the connection while a statement is on its way: Django's `execute_wrapper`."""
        if self._pipe is not None and self._pipe.is_busy:
            self.settle()
        return execute(sql, params, many, context)

    def _post(self, sent: list[Delivery]) -> None:
        self.settle()
        self._posted = sent
        if self._pipe is None:
            self.settle()
            return
        # The last outcome of a group waits for the disk, and with it all before it.
        is_last = len(sent) == len(self._open)
        self._pipe.send([delivery.pk for delivery in sent], sent[0].token, waits=is_last)

    def _write_all(self, deliveries: Sequence[Delivery]) -> None:
        faults: list[Exception] = []
        for delivery in deliveries:
            try:
                self._write(delivery, self._known[delivery.pk][1])
            except (ClaimLost, Standstill, Stopped) as fault:
                faults.append(fault)
        if faults:
            raise faults[0]

    def _write(self, delivery: Delivery, outcome: Outcome) -> None:
        if outcomes.is_standstill(outcome):
            # Nothing of it was taken and nobody is at fault: as if it had never been begun.
            self._begun.discard(delivery.pk)
            self._known.pop(delivery.pk)
            raise Standstill(outcome)
        changes = outcomes.record(delivery, outcome, self._work.terms)
        self._finish(delivery, changes["status"], changes["reason"])
        if self._work.breaker.heed(changes["status"]):
            raise Stopped

    def _finish(self, delivery: Delivery, status: str, reason: str) -> None:
        self._open.pop(delivery.pk, None)
        self._work.tell_end(delivery, status, reason)

    # -- The end -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Give back what was never begun; `recover` decides about a mail whose reply never came."""
        if self._pipe is not None and self._pipe.is_busy:
            # Something else has interrupted us; what was on its way is written down all the same.
            with suppress(ClaimLost):
                self.settle()
        untouched = [row for pk, row in self._open.items() if pk not in self._begun and pk not in self._known]
        if untouched:
            claiming.retract(untouched)

    def rescue(self) -> None:
        """Write down once more, after the database was gone, all that we know: it may have forgotten it."""
        reconnect()
        durability.ensure_epoch()
        self._posted = []
        sent = [delivery for delivery, outcome in self._known.values() if outcome.verdict is Verdict.ACCEPTED]
        outcomes.record_sent(sent, among=[Status.SENDING, Status.UNCERTAIN])
        for delivery, outcome in self._known.values():
            if outcome.verdict is not Verdict.ACCEPTED:
                self._write_again(delivery, outcome)
        self.close()
        closing.correct_totals(self._work.run.pk)
        logger.warning("The database was gone", extra={"action": "rescued", "run_id": self._work.run.pk})

    def _write_again(self, delivery: Delivery, outcome: Outcome) -> None:
        try:
            outcomes.record(delivery, outcome, self._work.terms)
        except ClaimLost:
            logger.debug("Delivery %s was written down already", delivery.pk)


def reconnect() -> None:
    """Have a working connection to the database, waiting a while for it. Raises OperationalError."""
    deadline, pause = clock.elapsed() + COMEBACK, Event()
    while True:
        connection.close()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except GONE:
            if clock.elapsed() > deadline:
                raise
            pause.wait(0.2)
        else:
            return


def _sent_among(deliveries: Sequence[Delivery]) -> set[int]:
    among = claiming.among([delivery.pk for delivery in deliveries])
    rows = Delivery.objects.filter(among, status=Status.SENT, token=None)
    return set(rows.values_list("pk", flat=True))
