"""One SMTP session, its phases apart, so that the phase of any failure is known.

smtplib connects, encrypts and logs in. The dialogue about a message is our own: `sendmail()` hides in which phase it
failed, and its Python costs ten times the CPU.
"""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wagtail_lifecycle.transport import phases
from wagtail_lifecycle.transport.outcomes import ACCEPTED, MESSAGE_TOO_BIG, Outcome
from wagtail_lifecycle.transport.phases import Lost, Phase, Refused
from wagtail_lifecycle.transport.replies import SERVICE_CLOSING, START_INPUT, Garbled, Reply, Wire

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from wagtail_lifecycle.transport.connections import Connection, SecureConnection

#: RFC 5321 4.5.3.2: a server may think this long about a command.
COMMAND_TIMEOUT: Final = 300.0
#: No longer is a good-bye worth.
QUIT_TIMEOUT: Final = 5.0
#: What may stand between the angle brackets of a path: nothing that ends it or the line.
PATH: Final = re.compile(r"[\x20-\x7e]*")
DOT: Final = b".\r\n"


@dataclass(frozen=True)
class Envelope:
    """Who gets a message, and who is told when that fails."""

    sender: str
    recipients: tuple[str, ...]

    def __post_init__(self) -> None:
        for path in (self.sender, *self.recipients):
            if not PATH.fullmatch(path) or "<" in path or ">" in path:
                raise ValueError(
                    "An address of the envelope has characters that SMTP does not take. "
                    "Pass bare addresses in ASCII, the domain in its IDNA form."
                )


class Session:
    """Sends messages over one connection, one after the other. For one thread at a time."""

    def __init__(self, connection: Connection | SecureConnection, *, timeout: float, dot_timeout: float) -> None:
        #: it has said EHLO
        self.connection = connection
        self.timeout, self.dot_timeout = timeout, dot_timeout
        #: messages whose dot was sent
        self.messages = 0
        #: False once anything but a clear reply came
        self.is_usable = True
        self.is_pipelining = bool(connection.has_extn("pipelining"))
        size = connection.esmtp_features.get("size")
        self._says_size = size is not None
        #: RFC 1870: 0 means no fixed limit
        self._max_size = int(size) if size and size.isdecimal() else 0
        self._is_8bit = bool(connection.has_extn("8bitmime"))
        self._wire: Wire = connection.wire
        self._owes_reset = False
        #: the envelope that was sent with the last body, and how many commands it took
        self._begun: Envelope | None = None

    def send(
        self,
        envelope: Envelope,
        raw: bytes,
        *,
        is_stuffed: bool = False,
        before_dot: Callable[[], None] | None = None,
        following: Envelope | None = None,
    ) -> Outcome:
        """Send one message, whose lines end in CRLF; answer what became of it.

        `is_stuffed` says that no line begins with a dot. `before_dot` is called when the server waits for nothing but
        the final dot: if it raises, the dot is never sent, the connection is closed and the error passed on.
        `following` is the envelope of the next message: it travels with this one's dot where the server pipelines, and
        must then be the next one sent.
        """
        try:
            self.deliver(envelope, raw, is_stuffed=is_stuffed, before_dot=before_dot, following=following)
        except Refused as refusal:
            return phases.of_refusal(refusal)
        except Lost as loss:
            return phases.of_loss(loss)
        return ACCEPTED

    def deliver(
        self,
        envelope: Envelope,
        raw: bytes,
        *,
        is_stuffed: bool = False,
        before_dot: Callable[[], None] | None = None,
        following: Envelope | None = None,
    ) -> None:
        """Do the same as `send`, raising Refused or Lost unless the server took the message."""
        try:
            self._offer(envelope, raw)
            self._write(raw if is_stuffed else stuffed(raw), Phase.BODY)
            if before_dot is not None:
                before_dot()
            self._expect_silence()
            self._finish(following)
        except Refused as refusal:
            if refusal.reply.code == SERVICE_CLOSING:
                self.abort()
            raise
        except BaseException:
            # Whatever it was (also a task's time limit): the next command would meet the middle of this message.
            self.abort()
            raise

    @property
    def is_idle(self) -> bool:
        """Whether nothing was begun that would have to be finished."""
        return self.is_usable and self._begun is None

    def is_ready_for(self, envelope: Envelope) -> bool:
        """Whether this message can be sent over this session, as far as can be seen without asking."""
        if not self.is_usable:
            return False
        if self._begun is not None:
            return self._begun == envelope
        return self._wire.is_silent

    def quit(self) -> None:
        """Say good-bye and close."""
        if not self.is_idle:
            self.abort()
            return
        try:
            self._wire.write(b"QUIT\r\n", QUIT_TIMEOUT)
            self._wire.read(QUIT_TIMEOUT)
        except OSError:
            pass
        finally:
            self.abort()

    def abort(self) -> None:
        """Close without a word: a server that hangs would let us wait once more."""
        self.is_usable = False
        self._begun = None
        self.connection.close()

    # -- The dialogue ------------------------------------------------------------------------------------------

    def _offer(self, envelope: Envelope, raw: bytes) -> None:
        """Bring the server to wait for the message."""
        if not self.is_usable:
            raise Lost(Phase.MAIL, smtplib.SMTPServerDisconnected("The session is over."))
        self._check_size(raw)
        if self.is_pipelining:
            self._offer_at_once(envelope, raw)
        else:
            self._offer_step_by_step(envelope, raw)

    def _offer_at_once(self, envelope: Envelope, raw: bytes) -> None:
        begun, self._begun = self._begun, None
        if begun is None:
            if owed := self._owes_reset:
                self._owes_reset = False
            self._write(b"RSET\r\n" * owed + b"".join(self._commands(envelope, raw)), Phase.MAIL)
            if owed:
                self._hear(Phase.MAIL)
        elif begun != envelope:
            raise Lost(Phase.MAIL, Garbled("Another message was announced."))
        replies = self._hear_all([Phase.MAIL, *[Phase.RCPT] * len(envelope.recipients), Phase.DATA])
        self._judge(replies, len(envelope.recipients))

    def _offer_step_by_step(self, envelope: Envelope, raw: bytes) -> None:
        if self._owes_reset:
            self._owes_reset = False
            self._ask(b"RSET\r\n", Phase.MAIL)
        mail, *rcpts, data = self._commands(envelope, raw)
        replies = [self._ask(mail, Phase.MAIL)]
        if replies[0].is_yes:
            replies += [self._ask(rcpt, Phase.RCPT) for rcpt in rcpts]
        if any(reply.is_yes for reply in replies[1:]):
            replies.append(self._ask(data, Phase.DATA))
        self._judge(replies, len(rcpts))

    def _judge(self, replies: Sequence[Reply], recipients: int) -> None:
        """Raise Refused unless the server waits for a message to somebody."""
        mail, rcpts, data = replies[0], replies[1 : recipients + 1], replies[recipients + 1 :]
        if mail.is_refusal:
            self._refuse(Phase.MAIL, mail, data)
        if rcpts and all(reply.is_refusal for reply in rcpts):
            self._refuse(Phase.RCPT, rcpts[0], data)
        if not data:
            self.abort()
            raise Lost(Phase.DATA, smtplib.SMTPServerDisconnected("The server closed the connection."))
        if data[0].code != START_INPUT:
            self._refuse(Phase.DATA, data[0], [])

    def _refuse(self, phase: Phase, reply: Reply, data: Sequence[Reply]) -> NoReturn:
        """Leave the session ready for the next message, and raise Refused."""
        self._owes_reset = True
        if data and data[0].code == START_INPUT:
            self._take_back()
        raise Refused(phase, reply)

    def _take_back(self) -> None:
        """End a message to nobody. RFC 2920 3.1: the server must refuse it then."""
        try:
            self._ask(DOT, Phase.DATA)
        except (Lost, Refused):
            self.abort()

    def _finish(self, following: Envelope | None) -> None:
        ahead = b""
        if following is not None and self.is_pipelining:
            ahead = b"".join(self._commands(following, b""))
        self.messages += 1
        self._write(DOT + ahead, Phase.DOT)
        if ahead:
            self._begun = following
        reply = self._hear(Phase.DOT)
        if reply.is_refusal:
            self._owes_reset = not ahead
            raise Refused(Phase.DOT, reply)

    def _commands(self, envelope: Envelope, raw: bytes) -> list[bytes]:
        options = f" SIZE={len(raw)}" if self._says_size and raw else ""
        if self._is_8bit and not raw.isascii():
            options += " BODY=8BITMIME"
        rcpts = [f"RCPT TO:<{address}>\r\n".encode() for address in envelope.recipients]
        return [f"MAIL FROM:<{envelope.sender}>{options}\r\n".encode(), *rcpts, b"DATA\r\n"]

    def _check_size(self, raw: bytes) -> None:
        if self._max_size and len(raw) > self._max_size and self._begun is None:
            text = f"5.3.4 The mail has {len(raw)} octets, the server takes at most {self._max_size}."
            raise Refused(Phase.MAIL, Reply(MESSAGE_TOO_BIG, text))

    def _expect_silence(self) -> None:
        """Give up before the dot if the server has hung up already: after it nobody would know."""
        if not self._wire.is_silent:
            self.abort()
            raise Lost(Phase.BODY, smtplib.SMTPServerDisconnected("The server closed the connection."))

    # -- One command -------------------------------------------------------------------------------------------

    def _ask(self, command: bytes, phase: Phase) -> Reply:
        self._write(command, phase)
        return self._hear(phase)

    def _write(self, octets: bytes, phase: Phase) -> None:
        try:
            self._wire.write(octets, self.timeout)
        except OSError as error:
            raise Lost(phase, error) from error

    def _hear_all(self, expected: Sequence[Phase]) -> list[Reply]:
        """Return the replies to a group of commands; fewer if the server hung up after a refusal."""
        replies: list[Reply] = []
        try:
            replies.extend(self._hear(phase) for phase in expected)
        except (Lost, Refused):
            if not any(reply.is_refusal for reply in replies):
                raise
            self.abort()
        return replies

    def _hear(self, phase: Phase) -> Reply:
        """Return the reply, which is one that the phase allows. Raises Refused for 421."""
        try:
            reply = self._wire.read(self.dot_timeout if phase is Phase.DOT else self.timeout)
        except OSError as error:
            raise Lost(phase, error) from error
        if reply.code == SERVICE_CLOSING:
            raise Refused(phase, reply)
        is_expected = reply.code == START_INPUT if phase is Phase.DATA else reply.is_yes
        if not (is_expected or reply.is_refusal):
            raise Lost(phase, Garbled("The server's reply does not fit the command."))
        return reply


def stuffed(raw: bytes) -> bytes:
    """Return the message as it goes over the wire, ready for the final dot (RFC 5321 4.5.2)."""
    body = raw.replace(b"\r\n.", b"\r\n..")
    if body.startswith(b"."):
        body = b"." + body
    return body if body.endswith(b"\r\n") or not body else body + b"\r\n"
