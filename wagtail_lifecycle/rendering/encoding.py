"""Text as quoted-printable octets (RFC 2045 6.7), whole or in pieces that can be joined."""

from __future__ import annotations

import binascii
from typing import Final

#: Control characters mean nothing in a mail, and some servers refuse them.
CONTROL: Final = bytes([*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F])
#: Ends a line without ending it for the reader.
SOFT_BREAK: Final = b"=\r\n"
#: A character that keeps the one before it from being the last of its line.
SENTINEL: Final = "A"


def normalised(text: str) -> str:
    """Return `text` with line feeds for whatever ended its lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def quoted_printable(text: str) -> bytes:
    """Return `text` in lines of at most 76 octets that end in CRLF."""
    # A surrogate cannot be encoded and means nothing.
    octets = normalised(text).encode("utf-8", "replace").translate(None, CONTROL)
    return binascii.b2a_qp(octets, istext=True).replace(b"\n", b"\r\n")


def joinable(text: str) -> bytes:
    """Return `text` so that the next piece can follow: ending with its line, or with a soft line break.

    A space at the end is no space at the end of a line, whatever follows; hence the sentinel.
    """
    encoded = quoted_printable(text + SENTINEL)[:-1]
    return encoded if not encoded or encoded.endswith(b"\r\n") else encoded + SOFT_BREAK
