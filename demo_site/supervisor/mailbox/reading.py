"""What a mail says, however broken or hostile it is: nothing here raises for what a mail contains."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message

#: Whatever the standard library is known to raise for the content of a header or a part.
UNREADABLE = (MessageError, LookupError, ValueError, TypeError, AttributeError)
#: More headers than any mail has are somebody's attempt to fill the page.
MOST_HEADERS = 200


@dataclass(frozen=True, kw_only=True)
class Content:
    """A mail for the eyes of a person."""

    headers: tuple[tuple[str, str], ...]
    subject: str
    sender: str
    text: str
    html: str


def first_header(raw: bytes, name: str) -> str | None:
    """The header as it was sent, folded lines and encoded words included."""
    end = re.search(rb"\r?\n\r?\n", raw)
    pattern = re.compile(rb"(?im)^%s:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)" % name.encode("ascii"))
    found = pattern.search(raw, 0, end.start() if end else len(raw))
    return found[1].decode("utf-8", "replace").strip() if found else None


def subject(raw: bytes) -> str:
    return readable(first_header(raw, "subject") or "")


def read(raw: bytes) -> Content:
    message = message_from_bytes(raw, policy=policy.compat32)
    return Content(
        headers=tuple((name, readable(value)) for name, value in message.items()[:MOST_HEADERS]),
        subject=readable(message.get("Subject", "")),
        sender=readable(message.get("From", "")),
        text=_part(message, "text/plain"),
        html=_part(message, "text/html"),
    )


def readable(header: object) -> str:
    """Encoded words decoded, on one line, without the characters that turn text around."""
    try:
        text = str(make_header(decode_header(str(header))))
    except UNREADABLE:
        text = str(header)
    text = re.sub(r"[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f]", "", re.sub(r"\s+", " ", text))
    # Bytes that are no text came as lone surrogates; a page cannot be encoded with those.
    return text.encode("utf-8", "replace").decode()


def _part(message: Message, content_type: str) -> str:
    for part in message.walk():
        if part.get_content_type() == content_type and part.get_content_disposition() != "attachment":
            return _decoded(part)
    return ""


def _decoded(part: Message) -> str:
    try:
        payload = part.get_payload(decode=True)
    except UNREADABLE:
        payload = None
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset("utf-8"), "replace")
    except UNREADABLE:
        return payload.decode("utf-8", "replace")
