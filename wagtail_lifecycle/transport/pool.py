"""The lines of a process: connections that are kept between tasks."""

from __future__ import annotations

import atexit
import contextlib
import os
import time
from collections import Counter, defaultdict
from threading import Condition, Timer
from typing import TYPE_CHECKING, Any, Final

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.exceptions import NoLine
from wagtail_lifecycle.transport import limits
from wagtail_lifecycle.transport.channels import Channel, new_channel
from wagtail_lifecycle.transport.line import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wagtail_lifecycle.conf import Sender

#: How long an unused connection is kept. Servers wait five minutes (RFC 5321 4.5.3.2.7), some much less.
IDLE_SECONDS: Final = 30.0
#: How long a task waits for others to give back a line.
WAIT_SECONDS: Final = 10.0
#: How often somebody who waits for a lease asks again.
ASK_AGAIN: Final = 0.25
#: How long no more lines are lent than the server let in. Others may have given theirs back by then.
CROWDED_SECONDS: Final = 60.0


Key = tuple[Any, ...]


class Lines:
    """The lines of this process, for any number of threads. A child that is forked off starts without any."""

    _timer: Timer | None

    def __init__(self) -> None:
        self._begin()

    def width(self, sender: Sender) -> int:
        """Return how many lines one group of this sender may be worked over at once."""
        if not new_channel().is_ours:
            return 1
        return max(1, min(settings.connections, sender.max_connections or settings.connections))

    @contextlib.contextmanager
    def borrow(self, sender: Sender, *, wait: float = WAIT_SECONDS) -> Iterator[Line]:
        """Lend a line. Raises NoLine where none is free in time."""
        with self.borrow_several(sender, 1, wait=wait) as (line,):
            yield line

    @contextlib.contextmanager
    def borrow_several(self, sender: Sender, count: int, *, wait: float = WAIT_SECONDS) -> Iterator[list[Line]]:
        """Lend up to `count` lines, as many as are free and at least one. Raises NoLine where none is free in time."""
        deadline = time.monotonic() + wait
        lent = [self._take(sender, deadline)]
        try:
            while len(lent) < count and (line := self._take_free(sender)) is not None:
                lent.append(line)
            yield lent
        finally:
            # Those first that the server turned away: then the others still count as lent.
            for line in sorted(lent, key=lambda each: not each.is_turned_away):
                self._give_back(sender, line)

    def close(self) -> None:
        """Close what is not lent."""
        self._close(older_than=0)

    # -- One line ----------------------------------------------------------------------------------------------

    def _take(self, sender: Sender, deadline: float) -> Line:
        while (line := self._take_free(sender)) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise NoLine(
                    f"All lines of sender {sender.key!r} are in use (connections: {settings.connections}, "
                    f"max_connections: {sender.max_connections}). Try again later."
                )
            with self._changed:
                self._changed.wait(min(left, ASK_AGAIN))
        return line

    def _take_free(self, sender: Sender) -> Line | None:
        self._notice_fork()
        channel = new_channel()
        key = (sender.key, *channel.identity)
        with self._changed:
            if self._lent[key] >= self._most(key):
                return None
            self._lent[key] += 1
            idle = self._idle[key].pop() if self._idle[key] else None
        if idle is not None:
            return idle
        try:
            return self._new(sender, channel, key)
        except BaseException:
            self._count_back(key)
            raise

    def _new(self, sender: Sender, channel: Channel, key: Key) -> Line | None:
        if sender.max_connections is None:
            return Line(channel)
        lease = limits.lease(sender)
        if lease is None:
            self._count_back(key)
            return None
        return Line(channel, lease=lease)

    def _give_back(self, sender: Sender, line: Line) -> None:
        key = (sender.key, *line.identity)
        # A kept connection would keep its lease from the workers that have something to send.
        is_kept = line.is_open and sender.max_connections is None
        if not is_kept:
            line.close()
        with self._changed:
            if line.is_turned_away and self._lent[key] > 1:
                self._crowded[key] = (self._lent[key] - 1, time.monotonic() + CROWDED_SECONDS)
            if is_kept:
                self._idle[key].append(line)
            self._count_back(key)
            if is_kept and self._timer is None:
                self._set_timer()

    def _most(self, key: Key) -> int:
        """Return how many lines may be lent: after the server has turned one away, as many as it let in."""
        let_in, until = self._crowded.get(key, (0, 0.0))
        return min(let_in, settings.connections) if time.monotonic() < until else settings.connections

    def _count_back(self, key: Key) -> None:
        with self._changed:
            self._lent[key] = max(0, self._lent[key] - 1)
            self._changed.notify_all()

    # -- Idle lines --------------------------------------------------------------------------------------------

    def _set_timer(self) -> None:
        timer = Timer(IDLE_SECONDS, self._reap)
        timer.daemon = True
        timer.start()
        self._timer = timer

    def _reap(self) -> None:
        self._close(older_than=IDLE_SECONDS / 2)
        with self._changed:
            self._timer = None
            if any(self._idle.values()):
                self._set_timer()

    def _close(self, *, older_than: float) -> None:
        self._notice_fork()
        limit = time.monotonic() - older_than
        with self._changed:
            old = [line for lines in self._idle.values() for line in lines if line.used_at <= limit]
            for lines in self._idle.values():
                lines[:] = [line for line in lines if line.used_at > limit]
        for line in old:
            line.close()

    # -- Forks -------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._changed = Condition()
        self._idle: defaultdict[Key, list[Line]] = defaultdict(list)
        self._lent: Counter[Key] = Counter()
        #: how many lines the server let in, and until when no more are lent
        self._crowded: dict[Key, tuple[int, float]] = {}
        self._timer = None

    def _notice_fork(self) -> None:
        if self._pid == os.getpid():
            return
        # A lock that another thread held when we were forked is never given back: a new one, without taking it.
        inherited = [line for lines in self._idle.values() for line in lines]
        self._begin()
        for line in inherited:
            line.drop()


lines: Final = Lines()
atexit.register(lines.close)
