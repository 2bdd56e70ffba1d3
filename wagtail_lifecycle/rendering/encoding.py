"""Text as quoted-printable octets (RFC 2045 6.7), whole or in pieces that can be joined.

No line of them begins with a dot, so SMTP has none to double (RFC 5321 4.5.2).
"""

from __future__ import annotations

import binascii
from typing import Final

#: Control characters mean nothing in a mail, and some servers refuse them.
CONTROL: Final = bytes([*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F])
#: What stands for itself: printable ASCII but for the sign that begins what does not.
PLAIN: Final = bytes(octet for octet in range(0x20, 0x7F) if octet != ord("="))
#: Ends a line without ending it for the reader.
SOFT_BREAK: Final = b"=\r\n"
#: The most octets of a line before a soft line break.
MAX_LINE: Final = 75
#: A dot on a line of its own.
DOT: Final = b"=2E" + SOFT_BREAK
#: A character that keeps the one before it from being the last of its line.
SENTINEL: Final = "A"


def normalised(text: str) -> str:
    """Return `text` with line feeds for whatever ended its lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def quoted_printable(text: str) -> bytes:
    """Return `text` in lines of at most 76 octets that end in CRLF."""
    # A surrogate cannot be encoded and means nothing.
    octets = normalised(text).encode("utf-8", "replace").translate(None, CONTROL)
    return _without_dots(binascii.b2a_qp(octets, istext=True).replace(b"\n", b"\r\n"))


def decoded(octets: bytes) -> str:
    """Return the text of quoted-printable octets, with line feeds."""
    return binascii.a2b_qp(octets).decode().replace("\r\n", "\n")


def joinable(text: str) -> bytes:
    """Return `text` so that the next piece can follow: ending with its line, or with a soft line break.

    A space at the end is no space at the end of a line, whatever follows; hence the sentinel.
    """
    octets = text.encode("utf-8", "replace")
    if not octets.translate(None, PLAIN):
        # Most pieces of a mail, many times as fast.
        lines = [octets[start : start + MAX_LINE] for start in range(0, len(octets), MAX_LINE)]
        return _without_dots(SOFT_BREAK.join([*lines, b""]))
    encoded = quoted_printable(text + SENTINEL)[:-1]
    return encoded if not encoded or encoded.endswith(b"\r\n") else encoded + SOFT_BREAK


def _without_dots(encoded: bytes) -> bytes:
    """Return the same with dots that begin a line written as hexadecimal digits."""
    if encoded.startswith(b"."):
        encoded = DOT + encoded[1:]
    while b"\n." in encoded:
        encoded = encoded.replace(b"\n.", b"\n" + DOT)
    return encoded
