"""The phases of an SMTP session, and what a failure in each of them means."""

from __future__ import annotations

import re
import smtplib
import ssl
from enum import StrEnum
from typing import Final

from wagtail_lifecycle.transport.outcomes import (
    MESSAGE_TOO_BIG,
    SENDER_CODES,
    SENDER_STATUS,
    Fault,
    Outcome,
    Scope,
    Verdict,
    fault_of,
    masked,
)
from wagtail_lifecycle.transport.replies import SERVICE_CLOSING, Reply

#: RFC 3463: the message is too big for the system.
TOO_BIG_STATUS: Final = re.compile(r"5\.3\.4\b")


class Phase(StrEnum):
    """What a session was doing; the order is that of RFC 5321."""

    CONNECT = "connect"
    ENCRYPT = "encrypt"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    #: the final dot and the wait for the reply to it
    DOT = "dot"


class Refused(Exception):
    """The server clearly said no; the connection lives, unless it said 421."""

    def __init__(self, phase: Phase, reply: Reply) -> None:
        super().__init__(phase, reply)
        self.phase, self.reply = phase, reply


class Lost(Exception):
    """The session broke: closed, silent or garbled. Its connection is never used again."""

    def __init__(self, phase: Phase, cause: Exception) -> None:
        super().__init__(phase, cause)
        self.phase, self.cause = phase, cause


def of_refusal(refusal: Refused) -> Outcome:
    """Return what a refusal means for the recipient, the message, the connection or the sender."""
    phase, reply = refusal.phase, refusal.reply
    detail = masked(str(reply))
    if reply.code == SERVICE_CLOSING:
        return Outcome(Verdict.CONNECTION, detail, Scope.CONNECTION, Fault.UNREACHABLE)
    if _is_sender_fault(phase, reply):
        return Outcome(Verdict.SENDER_FAULT, detail, Scope.SENDER, fault_of(reply.code, reply.text))
    verdict = Verdict.TEMPORARY if reply.code // 100 == 4 else Verdict.PERMANENT  # noqa: PLR2004 - RFC 5321 4.2.1
    return Outcome(verdict, detail, _scope(phase, reply))


def of_loss(loss: Lost) -> Outcome:
    """Before the dot nothing was handed over; after it nobody knows."""
    detail = type(loss.cause).__name__
    if loss.phase is Phase.DOT:
        return Outcome(Verdict.UNCERTAIN, detail, Scope.AMBIGUOUS)
    return Outcome(Verdict.CONNECTION, detail, Scope.CONNECTION, Fault.UNREACHABLE)


def of_connecting(phase: Phase, error: Exception) -> Outcome:
    """Return the outcome of an error before the first message: no recipient was named yet."""
    code = getattr(error, "smtp_code", None)
    said: bytes | str = getattr(error, "smtp_error", b"")
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    detail = masked(f"{code} {text}") if code is not None else type(error).__name__
    if code == SERVICE_CLOSING:
        return Outcome(Verdict.CONNECTION, detail, Scope.CONNECTION, Fault.UNREACHABLE)
    fault = _connecting_fault(phase, error, code)
    verdict = Verdict.UNREACHABLE if fault is Fault.UNREACHABLE else Verdict.SENDER_FAULT
    return Outcome(verdict, detail, Scope.SENDER, fault)


def _connecting_fault(phase: Phase, error: Exception, code: int | None) -> Fault:
    if phase is Phase.ENCRYPT or isinstance(error, ssl.SSLError):
        return Fault.ENCRYPTION
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Fault.AUTHENTICATION
    # smtplib's way to say that the server offers no log-in.
    if phase is Phase.LOGIN and isinstance(error, smtplib.SMTPNotSupportedError):
        return Fault.AUTHENTICATION
    return Fault.REJECTED if code is not None and code // 100 == 5 else Fault.UNREACHABLE  # noqa: PLR2004


def _is_sender_fault(phase: Phase, reply: Reply) -> bool:
    if reply.code in SENDER_CODES or (reply.code // 100 == 5 and SENDER_STATUS.search(reply.text)):  # noqa: PLR2004
        return True
    # RFC 5321 4.2: MAIL names the sender only, so a refusal there is about it; except for the size (RFC 1870).
    return phase is Phase.MAIL and reply.code // 100 == 5 and not _is_too_big(reply)  # noqa: PLR2004


def _is_too_big(reply: Reply) -> bool:
    return reply.code == MESSAGE_TOO_BIG or TOO_BIG_STATUS.match(reply.text) is not None


def _scope(phase: Phase, reply: Reply) -> Scope:
    if phase is Phase.RCPT:
        return Scope.RECIPIENT
    # A 4xx at MAIL is about how much is sent, or about the server: every recipient would meet it.
    return Scope.SENDER if phase is Phase.MAIL and not _is_too_big(reply) else Scope.MESSAGE
