"""A mail as the octets that go over the wire."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass
from email.message import Message
from email.utils import format_datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from django.core.mail import EmailMultiAlternatives

from wagtail_lifecycle.names import clean_name, one_line
from wagtail_lifecycle.transport import headers

if TYPE_CHECKING:
    from datetime import datetime

    from wagtail_lifecycle.conf import Sender
    from wagtail_lifecycle.rendering import Mail

#: "=_" cannot occur in quoted-printable, so the boundary cannot occur in a part (RFC 2045 6.7). One does for all mails.
BOUNDARY: Final = f"=_{uuid4().hex}"
#: Headers that many mails have in common, by what they are made of.
REMEMBERED: Final = 64
#: Gmail's Feedback Loop wants a sender id of 5 to 15 characters.
MIN_SENDER_ID: Final = 5
MAX_SENDER_ID: Final = 15


@dataclass(frozen=True, kw_only=True)
class ListHeaders:
    """What a bulk mail says about the list it belongs to; a transactional mail has none."""

    #: slug of the topic, a label of List-Id
    slug: str
    #: name of the topic
    name: str
    #: https, opaque token (RFC 8058)
    unsubscribe_url: str
    #: what Gmail's Feedback Loop counts complaints by
    campaign_id: int
    run_id: int


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One mail to one person."""

    sender: Sender
    #: normalised: ASCII, see `models.people.normalise_address`
    address: str
    name: str = ""
    mail: Mail
    #: with its angle brackets; the same on every attempt
    message_id: str
    date: datetime
    #: None for a transactional mail
    list_headers: ListHeaders | None = None

    @cached_property
    def wire(self) -> bytes:
        """The message in octets, made once. Ask before the mail is announced: afterwards an error is a doubt."""
        return octets(self)


class PreparedMessage:
    """Octets that stand in for an `email.message.Message`: they are sent as they are, and parsed only if asked."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def as_bytes(self, *_args: Any, **_kwargs: Any) -> bytes:
        return self.raw

    def as_string(self, *_args: Any, **_kwargs: Any) -> str:
        return self.raw.decode("ascii")

    @cached_property
    def parsed(self) -> Message:
        return email.message_from_bytes(self.raw, policy=email.policy.SMTP)

    def __getitem__(self, name: str) -> Any:
        return self.parsed[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in {"raw", "parsed"}:
            raise AttributeError(name)
        return getattr(self.parsed, name)


class LifecycleMessage(EmailMultiAlternatives):
    """A letter for any Django mail backend.

    Those that speak SMTP ask for `message()` and get the octets; e-mail services (Anymail) read subject, body,
    alternatives and headers.
    """

    def __init__(self, letter: Letter) -> None:
        self.letter = letter
        super().__init__(
            subject=one_line(letter.mail.subject, headers.MAX_SUBJECT),
            body=letter.mail.text,
            from_email=headers.mailbox(letter.sender.name, letter.sender.address),
            to=[headers.mailbox(clean_name(letter.name), letter.address)],
            reply_to=[letter.sender.reply_to] if letter.sender.reply_to else None,
            headers={
                "Message-ID": letter.message_id,
                "Date": _date(letter.date.replace(microsecond=0)),
                **_list_id(letter),
                **_code_headers(letter),
            },
        )
        self.attach_alternative(letter.mail.html, "text/html")

    # Django 5.2 passes nothing, 6.0 a policy; ours is the wire's.
    def message(self, **_options: Any) -> PreparedMessage:  # type: ignore[override]
        return PreparedMessage(self.letter.wire)

    def recipients(self) -> list[str]:
        """Return the envelope: the bare address, so that no name is ever parsed as one."""
        return [self.letter.address]


def octets(letter: Letter) -> bytes:
    """Return the message as RFC 5322 and RFC 2045 want it: CRLF, ASCII, quoted-printable; no line begins with a dot."""
    parts = letter.mail.octets
    head = "".join(_header_lines(letter)).encode("ascii")
    return b"".join((head, TEXT_BEGINS, parts.text, HTML_BEGINS, parts.html, ALL_ENDS))


def _part_begins(subtype: str) -> bytes:
    return (
        f'\r\n--{BOUNDARY}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode()


TEXT_BEGINS: Final = _part_begins("plain")
HTML_BEGINS: Final = _part_begins("html")
ALL_ENDS: Final = f"\r\n--{BOUNDARY}--\r\n".encode()
MIME_LINES: Final = headers.plain_header("MIME-Version", "1.0") + headers.plain_header(
    "Content-Type", f'multipart/alternative;\r\n boundary="{BOUNDARY}"'
)


def _header_lines(letter: Letter) -> list[str]:
    return [
        _sender_lines(letter.sender),
        headers.mailbox_header("To", clean_name(letter.name), letter.address),
        _subject_line(letter.mail.subject),
        headers.plain_header("Date", _date(letter.date.replace(microsecond=0))),
        headers.plain_header("Message-ID", letter.message_id),
        *_list_id_lines(letter),
        *(headers.plain_header(name, value) for name, value in _code_headers(letter).items()),
        MIME_LINES,
    ]


@lru_cache(maxsize=REMEMBERED)
def _sender_lines(sender: Sender) -> str:
    reply_to = headers.mailbox_header("Reply-To", "", sender.reply_to) if sender.reply_to else ""
    return headers.mailbox_header("From", sender.name, sender.address) + reply_to


@lru_cache(maxsize=REMEMBERED)
def _subject_line(subject: str) -> str:
    return headers.text_header("Subject", subject)


@lru_cache(maxsize=REMEMBERED)
def _date(moment: datetime) -> str:
    return format_datetime(moment)


def _list_id_lines(letter: Letter) -> list[str]:
    about = letter.list_headers
    if about is None:
        return []
    return [_list_id_line(about.name, f"{about.slug}.{letter.sender.domain}")]


@lru_cache(maxsize=REMEMBERED)
def _list_id_line(name: str, identifier: str) -> str:
    return headers.phrase_header("List-Id", name, identifier)


def _list_id(letter: Letter) -> dict[str, str]:
    about = letter.list_headers
    if about is None:
        return {}
    return {"List-Id": headers.mailbox(about.name, f"{about.slug}.{letter.sender.domain}")}


def _code_headers(letter: Letter) -> dict[str, str]:
    """Return the headers whose values are made by code alone."""
    # RFC 3834 5.1: an answering machine must not answer.
    fields = {"Auto-Submitted": "auto-generated"}
    about = letter.list_headers
    if about is None:
        return fields
    return fields | {
        "List-Unsubscribe": f"<{about.unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": f"c{about.campaign_id}:r{about.run_id}:{about.slug}:{_sender_id(letter.sender)}",
        "Precedence": "bulk",
    }


def _sender_id(sender: Sender) -> str:
    return sender.domain[:MAX_SENDER_ID].ljust(MIN_SENDER_ID, "-")
