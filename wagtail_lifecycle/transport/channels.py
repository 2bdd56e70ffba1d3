"""The two ways out: our own SMTP session, whose phases are known, and any other Django mail backend."""

from __future__ import annotations

import logging
import smtplib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from django.conf import settings as django_settings
from django.core import mail

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.transport import outcomes, phases, smtp
from wagtail_lifecycle.transport.mime import LifecycleMessage
from wagtail_lifecycle.transport.outcomes import ACCEPTED, Fault, Outcome, Scope, Verdict
from wagtail_lifecycle.transport.session import Envelope

if TYPE_CHECKING:
    from collections.abc import Callable

    from wagtail_lifecycle.transport.mime import Letter
    from wagtail_lifecycle.transport.session import Session

logger = logging.getLogger(__name__)

#: After these the session is as good as before: smtplib has sent RSET.
SESSION_LIVES: Final = frozenset({Verdict.ACCEPTED, Verdict.TEMPORARY, Verdict.PERMANENT})
#: What a pooled connection must have in common with a new one.
IDENTITY: Final = (
    "host",
    "port",
    "username",
    "password",
    "use_tls",
    "use_ssl",
    "timeout",
    "ssl_keyfile",
    "ssl_certfile",
)


class Channel(Protocol):
    """One connection at most; opened when asked, and again after it broke."""

    #: whether the phases are known
    is_ours: bool
    #: equal for channels that lead to the same server with the same log-in
    identity: tuple[Any, ...]

    @property
    def is_open(self) -> bool:
        """Whether a connection is kept, with nothing begun on it."""

    def open(self, letter: Letter) -> Outcome | None:
        """Have a connection on which this letter can be sent; answer why there is none."""

    def send(self, letter: Letter, *, before_dot: Callable[[], None] | None, following: str) -> Outcome:
        """Hand over one letter; the connection is closed unless the answer was clear."""

    def close(self) -> None:
        """Say good-bye to the server, if there is one."""

    def drop(self) -> None:
        """Cut the connection without a word: a server that hangs would let us wait once more."""


class SmtpChannel:
    """Our own SMTP session."""

    is_ours = True

    def __init__(self, backend: smtp.EmailBackend) -> None:
        self._backend = backend
        self._session: Session | None = None
        self.identity = (type(backend), *(getattr(backend, name) for name in IDENTITY))

    @property
    def is_open(self) -> bool:
        return self._session is not None and self._session.is_idle

    def open(self, letter: Letter) -> Outcome | None:
        self._retire(letter)
        if self._session is not None:
            return None
        try:
            self._session = self._backend.connect()
        # ValueError: a host or a certificate that is none. Nothing was handed over whatever it is.
        except (OSError, ValueError) as error:
            return phases.of_connecting(self._backend.phase, error)
        return None

    def send(self, letter: Letter, *, before_dot: Callable[[], None] | None, following: str) -> Outcome:
        if self._session is None:
            raise RuntimeError("The channel is closed. Call open() first.")
        sender = letter.sender.address
        return self._session.send(
            _envelope(sender, letter.address),
            letter.wire,
            is_stuffed=True,
            before_dot=before_dot,
            following=_envelope(sender, following) if following and self._has_room else None,
        )

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.quit()

    def drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.abort()

    @property
    def _has_room(self) -> bool:
        """Whether the connection may carry another message after this one."""
        return self._session is not None and self._session.messages + 1 < settings.messages_per_connection

    def _retire(self, letter: Letter) -> None:
        session = self._session
        if session is None:
            return
        if session.messages >= settings.messages_per_connection:
            self.close()
        elif not session.is_ready_for(_envelope(letter.sender.address, letter.address)):
            self.drop()


class ForeignChannel:
    """Any other Django mail backend. It hides in which phase it failed."""

    is_ours = False

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._is_begun = False
        self.identity = (type(backend),)

    @property
    def is_open(self) -> bool:
        # Nothing tells whether a foreign connection still lives: it is kept for one group and not for the next.
        return False

    def open(self, letter: Letter) -> Outcome | None:  # noqa: ARG002 - the interface of channels
        if self._is_begun:
            return None
        try:
            if self._backend is None:
                self._backend = new_backend()
            self._backend.open()
        # A foreign backend may raise anything; before the first message nothing of it is ambiguous.
        except Exception as error:  # noqa: BLE001
            self.drop()
            return outcomes.of_opening(error)
        self._is_begun = True
        return None

    def send(self, letter: Letter, *, before_dot: Callable[[], None] | None, following: str) -> Outcome:  # noqa: ARG002
        if before_dot is not None:
            before_dot()
        outcome = _hand_over(self._backend, LifecycleMessage(letter))
        if outcome.verdict not in SESSION_LIVES:
            self.drop()
        return outcome

    def close(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None and self._is_begun:
            _close(backend)
        self._is_begun = False

    def drop(self) -> None:
        session = getattr(self._backend, "connection", None)
        if isinstance(session, smtplib.SMTP):
            session.close()
            self._backend.connection = None
            self._backend = None
            self._is_begun = False
        else:
            self._is_begun = self._backend is not None
            self.close()


class BrokenChannel:
    """A mail backend that cannot even be made: every letter meets the same."""

    is_ours = False
    is_open = False

    def __init__(self, error: Exception) -> None:
        self._outcome = outcomes.of_opening(error)
        self.identity = (type(error),)

    def open(self, letter: Letter) -> Outcome | None:  # noqa: ARG002 - the interface of channels
        return self._outcome

    def send(self, letter: Letter, *, before_dot: Callable[[], None] | None, following: str) -> Outcome:  # noqa: ARG002
        return self._outcome

    def close(self) -> None:
        """There is nothing to close."""

    def drop(self) -> None:
        """There is nothing to cut."""


def new_channel() -> Channel:
    """Return a channel to the mail backend that the site has configured; nothing is opened yet."""
    try:
        backend = new_backend()
    # Settings that do not fit together raise whatever the backend raises.
    except Exception as error:  # noqa: BLE001
        return BrokenChannel(error)
    return SmtpChannel(backend) if isinstance(backend, smtp.EmailBackend) else ForeignChannel(backend)


def new_backend() -> Any:
    # Django 6.1: get_connection() is deprecated in favour of MAILERS.
    has_mailers = hasattr(django_settings, "MAILERS")
    backend: Any = mail.mailers["default"] if has_mailers else mail.get_connection(fail_silently=False)
    is_ours = isinstance(backend, smtp.EmailBackend)
    # Without EMAIL_TIMEOUT Django waits for ever.
    if not is_ours and getattr(backend, "timeout", 0) is None:
        backend.timeout = settings.dot_timeout
    return backend


# Asked for before, while and after the letter before it is sent.
@lru_cache(maxsize=256)
def _envelope(sender: str, recipient: str) -> Envelope:
    return Envelope(sender if sender.isascii() else smtp.bare_address(sender), (recipient,))


def _hand_over(backend: Any, message: LifecycleMessage) -> Outcome:
    try:
        count = backend.send_messages([message])
    # Whatever a foreign backend raises, unless it is a clear refusal the mail may have gone out.
    except Exception as error:  # noqa: BLE001
        return outcomes.of_sending(error)
    # Some backends count nothing; one that counts and says 0 has sent nothing.
    if count == 0:
        return Outcome(Verdict.UNREACHABLE, "The mail backend sent nothing.", Scope.SENDER, Fault.UNREACHABLE)
    return ACCEPTED


def _close(backend: Any) -> None:
    try:
        backend.close()
    # The mails are out; a failed good-bye changes nothing about them.
    except Exception as error:  # noqa: BLE001
        logger.info("Closing the mail backend failed", extra={"action": "close_failed", "error": type(error).__name__})
