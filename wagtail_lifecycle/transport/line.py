"""A line to the site's mail server: one connection, one message per call."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from wagtail_lifecycle.transport.channels import Channel, new_channel
from wagtail_lifecycle.transport.outcomes import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from wagtail_lifecycle.transport.limits import Lease
    from wagtail_lifecycle.transport.mime import Letter


class Line:
    """Sends letters through the backend that the site has configured; opened by the first letter. For one thread.

    A connection on which anything but a clear refusal happened is never used again.
    """

    def __init__(self, channel: Channel | None = None, *, lease: Lease | None = None) -> None:
        self._channel = channel or new_channel()
        self._lease = lease
        self._pid = os.getpid()
        #: `time.monotonic()` of the last letter
        self.used_at = time.monotonic()
        #: whether the server did not let us in when a connection was last asked for: it may have enough of them
        self.is_turned_away = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_ours(self) -> bool:
        """Whether the phases are known: `before_dot` is called when only the dot is missing."""
        return self._channel.is_ours

    @property
    def is_open(self) -> bool:
        """Whether a connection is kept, with nothing begun on it."""
        return self._pid == os.getpid() and self._channel.is_open

    @property
    def identity(self) -> tuple[Any, ...]:
        """Equal for lines that lead to the same server with the same log-in."""
        return self._channel.identity

    def send(self, letter: Letter, *, before_dot: Callable[[], None] | None = None, following: str = "") -> Outcome:
        """Hand over one letter. A connection the server closes before it took the mail is replaced once.

        `before_dot` is called, once, when nothing but the final dot is missing (our own backend), or before the
        letter is handed over (any other): if it raises, the letter is not sent and the error is passed on.
        `following` is the address of the next letter of the same sender, if it is known already: its envelope
        travels with this letter's dot. If another letter comes next, or none, the connection is lost by that.
        """
        if self._pid != os.getpid():
            # The connection is our parent's; closing our copy of the socket says nothing to the server.
            self.drop()
            self._pid = os.getpid()
        if self._lease is not None:
            self._lease.renew()
        outcome = self._send(letter, _Once(before_dot), following)
        self.used_at = time.monotonic()
        return outcome

    def close(self) -> None:
        """Say good-bye to the server, if there is one."""
        self._channel.close()
        self._release()

    def drop(self) -> None:
        """Cut the connection without a word: a server that hangs would let us wait once more."""
        self._channel.drop()

    def _send(self, letter: Letter, before_dot: _Once, following: str) -> Outcome:
        outcome = self._open(letter)
        if outcome is not None:
            return outcome
        outcome = self._hand_over(letter, before_dot, following)
        if outcome.verdict is not Verdict.CONNECTION:
            return outcome
        self.drop()
        return self._open(letter) or self._hand_over(letter, before_dot, following)

    def _open(self, letter: Letter) -> Outcome | None:
        outcome = self._channel.open(letter)
        self.is_turned_away = outcome is not None and outcome.verdict is Verdict.CONNECTION
        return outcome

    def _hand_over(self, letter: Letter, before_dot: _Once, following: str) -> Outcome:
        try:
            return self._channel.send(letter, before_dot=before_dot, following=following)
        except BaseException:
            self.drop()
            raise

    def _release(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.release()


class _Once:
    """Calls what it was given until that has not raised, and never again."""

    def __init__(self, action: Callable[[], None] | None) -> None:
        self._action = action

    def __call__(self) -> None:
        if self._action is not None:
            self._action()
            self._action = None
