"""What became of a mail, told from what a Django mail backend did.

A backend hides in which phase it failed. So only a clear refusal counts as one; after anything else the mail may
have arrived.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from django.core.exceptions import ImproperlyConfigured

MAX_DETAIL: Final = 500
#: Generous on purpose: what only looks like an address is no loss in an error message.
ADDRESS: Final = re.compile(r"[^\s<>()\[\]\"',;:]+@[^\s<>()\[\]\"',;:]+")

SERVICE_CLOSING: Final = 421
MESSAGE_TOO_BIG: Final = 552
#: RFC 4954 6 and RFC 3207 4: the server wants something of us, not of the recipient.
SENDER_CODES: Final = frozenset({454, 530, 534, 535, 538})
NEEDS_ENCRYPTION: Final = 538
#: 454 and 530 may be about either.
ENCRYPTION: Final = re.compile(r"\b(?:STARTTLS|TLS|SSL|encrypt\w*)\b", re.IGNORECASE)
#: RFC 7372: the sender is not authenticated.
SENDER_STATUS: Final = re.compile(r"\b5\.7\.515\b")

#: The server was never reached, so nothing was handed over.
UNREACHABLE: Final = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError, smtplib.SMTPConnectError)
#: The server was reached, and we are at fault before any recipient was named.
SENDER_FAULTS: Final = (
    smtplib.SMTPAuthenticationError,
    smtplib.SMTPHeloError,
    smtplib.SMTPNotSupportedError,
    ImproperlyConfigured,
)


class Verdict(Enum):
    """The scope of an outcome, which decides everything that follows."""

    #: the server has taken responsibility: not "delivered"
    ACCEPTED = "accepted"
    #: this recipient, later
    TEMPORARY = "temporary"
    #: this recipient or this mail, never
    PERMANENT = "permanent"
    #: this connection is over; the mail was not taken
    CONNECTION = "connection"
    #: no recipient's fault: nothing of this sender gets through now
    SENDER_FAULT = "sender_fault"
    #: the server could not be reached
    UNREACHABLE = "unreachable"
    #: may have arrived
    UNCERTAIN = "uncertain"


class Scope(StrEnum):
    """Whose an outcome is: what to do about it goes with that."""

    NONE = ""
    #: this address
    RECIPIENT = "recipient"
    #: this content, or its size; other recipients may meet the same
    MESSAGE = "message"
    CONNECTION = "connection"
    #: the sender, the log-in or the server: every recipient would meet the same
    SENDER = "sender"
    AMBIGUOUS = "ambiguous"


class Fault(StrEnum):
    """What is wrong with a sender; the values of `SenderState.Reason` that the transport can tell."""

    NONE = ""
    AUTHENTICATION = "authentication"
    REJECTED = "rejected"
    ENCRYPTION = "encryption"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Outcome:
    verdict: Verdict
    #: what the server said, addresses masked
    detail: str = ""
    scope: Scope = Scope.NONE
    #: set for the scope of the sender, and for a connection that could not be had
    reason: Fault = Fault.NONE


ACCEPTED: Final = Outcome(Verdict.ACCEPTED)
#: Whose an outcome is as a rule; of a refusal the phase tells.
SCOPES: Final = {
    Verdict.ACCEPTED: Scope.NONE,
    Verdict.TEMPORARY: Scope.RECIPIENT,
    Verdict.PERMANENT: Scope.RECIPIENT,
    Verdict.CONNECTION: Scope.CONNECTION,
    Verdict.SENDER_FAULT: Scope.SENDER,
    Verdict.UNREACHABLE: Scope.SENDER,
    Verdict.UNCERTAIN: Scope.AMBIGUOUS,
}


def masked(text: str) -> str:
    """Return `text` without addresses, on one line, at most as long as a delivery can keep."""
    return ADDRESS.sub("…@…", " ".join(text.split()))[:MAX_DETAIL]


def of_opening(error: Exception) -> Outcome:
    """Return the outcome of an error before any message was begun: nothing is ambiguous there."""
    is_fault = isinstance(error, SENDER_FAULTS) and _code(error) != SERVICE_CLOSING
    return _outcome(Verdict.SENDER_FAULT if is_fault else Verdict.UNREACHABLE, error)


def of_sending(error: Exception) -> Outcome:
    """Return the outcome of an error while one message was handed over."""
    if isinstance(error, SENDER_FAULTS):
        return _outcome(Verdict.SENDER_FAULT, error)
    if isinstance(error, UNREACHABLE):
        return _outcome(Verdict.UNREACHABLE, error)
    return _outcome(_refusal(error) or Verdict.UNCERTAIN, error)


def fault_of(code: int, text: str) -> Fault:
    """Return what a server that said this has against the sender."""
    if code == NEEDS_ENCRYPTION or (code in SENDER_CODES and ENCRYPTION.search(text)):
        return Fault.ENCRYPTION
    return Fault.AUTHENTICATION if code in SENDER_CODES else Fault.REJECTED


def _outcome(verdict: Verdict, error: Exception) -> Outcome:
    scope = SCOPES[verdict]
    if verdict in {Verdict.TEMPORARY, Verdict.PERMANENT}:
        scope = Scope.RECIPIENT if isinstance(error, smtplib.SMTPRecipientsRefused) else Scope.MESSAGE
    return Outcome(verdict, _said(error), scope, _reason(verdict, error))


def _reason(verdict: Verdict, error: Exception) -> Fault:
    if SCOPES[verdict] not in {Scope.SENDER, Scope.CONNECTION}:
        return Fault.NONE
    if isinstance(error, ssl.SSLError):
        return Fault.ENCRYPTION
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Fault.AUTHENTICATION
    return fault_of(_code(error) or 0, _text(error)) if verdict is Verdict.SENDER_FAULT else Fault.UNREACHABLE


def _refusal(error: Exception) -> Verdict | None:
    """Return what a clear refusal means; None where the error is none."""
    code, text = _code(error), _text(error)
    if code is None:
        return None
    if code == SERVICE_CLOSING:
        return Verdict.CONNECTION
    if code in SENDER_CODES or SENDER_STATUS.search(text):
        return Verdict.SENDER_FAULT
    # RFC 5321 4.2: MAIL names the sender only, so a refusal there is about it; except for the size (RFC 1870).
    if isinstance(error, smtplib.SMTPSenderRefused) and code != MESSAGE_TOO_BIG:
        return Verdict.SENDER_FAULT
    return _by_first_digit(code)


def _by_first_digit(code: int) -> Verdict | None:
    # smtplib reports a reply that is none as -1: whether the mail was taken is not known then.
    return {4: Verdict.TEMPORARY, 5: Verdict.PERMANENT}.get(code // 100)


def _code(error: Exception) -> int | None:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        replies = list(error.recipients.values())
        return replies[0][0] if replies else None
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None


def _text(error: Exception) -> str:
    reply: bytes | str = ""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        reply = next((text for _code, text in error.recipients.values()), b"")
    elif isinstance(error, smtplib.SMTPResponseException):
        reply = error.smtp_error
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply


def _said(error: Exception) -> str:
    """Return the server's words where it said something; else only the kind of error, whose text may be personal."""
    code = _code(error)
    return masked(f"{code} {_text(error)}") if code is not None else type(error).__name__
