"""Header values: cleaned, encoded and folded.

Django's and Python's own folding makes encoded-words of 76 and lines of 78 characters (RFC 2047 2 allows 75 and 76),
and refuses a message for a line break in a name. Here the value is made harmless and the mail goes.
"""

from __future__ import annotations

import base64
import re
from typing import Final

from wagtail_lifecycle.names import MAX_NAME, one_line

#: RFC 2047 2: the most characters of a line with an encoded-word, and of the word itself.
MAX_LINE: Final = 76
MAX_WORD: Final = 75
#: A longer subject is somebody's data gone wrong.
MAX_SUBJECT: Final = 250
#: A quoted string this long still fits a line with the longest of our header names.
MAX_QUOTED: Final = 60

ENCODED: Final = "=?utf-8?b?{}?="
ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def text_header(name: str, value: str) -> str:
    """Return the lines of an unstructured header such as Subject, folded."""
    cleaned = one_line(value, MAX_SUBJECT)
    if _is_plain(cleaned):
        return _folded(name, cleaned.split(" "))
    return _folded(name, _encoded_words(cleaned, room=MAX_LINE - len(name) - 2))


def mailbox_header(name: str, display: str, address: str) -> str:
    """Return the lines of a header with one mailbox."""
    return _folded(name, [*_phrase(one_line(display, MAX_NAME), name), f"<{address}>" if display else address])


def mailbox(display: str, address: str) -> str:
    """Return the mailbox unencoded, as Django and e-mail services take it."""
    cleaned = one_line(display, MAX_NAME)
    return f"{_quoted(cleaned)} <{address}>" if cleaned else address


def phrase_header(name: str, phrase: str, identifier: str) -> str:
    """Return the lines of a header such as List-Id (RFC 2919): a phrase and something in angle brackets."""
    return _folded(name, [*_phrase(one_line(phrase, MAX_NAME), name), f"<{identifier}>"])


def plain_header(name: str, value: str) -> str:
    """Return a header of ours, whose value is code: ASCII, and never broken inside a URL."""
    return f"{name}: {value}\r\n"


def _is_plain(value: str) -> bool:
    """Whether `value` can stand as it is: ASCII, foldable, and nothing in it looks like an encoded-word."""
    return value.isascii() and "=?" not in value and max(map(len, value.split(" "))) < MAX_LINE // 2


def _phrase(value: str, name: str) -> list[str]:
    if not value:
        return []
    if "=?" not in value and value.isascii() and len(_quoted(value)) <= MAX_QUOTED:
        return [value if ATOMS.fullmatch(value) else _quoted(value)]
    return _encoded_words(value, room=MAX_LINE - len(name) - 2)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded_words(value: str, *, room: int) -> list[str]:
    """Return encoded-words of whole characters; the first one has `room` characters, the others a line."""
    words: list[str] = []
    octets = value.encode()
    begin, most = 0, _octets_within(min(room, MAX_WORD))
    while begin < len(octets):
        end = _end_of_character(octets, begin + most)
        words.append(_encoded_word(octets[begin:end]))
        begin, most = end, _octets_within(MAX_WORD)
    return words


def _octets_within(room: int) -> int:
    """Return how many octets an encoded-word of `room` characters can hold."""
    return (room - len(ENCODED) + 2) // 4 * 3


def _end_of_character(octets: bytes, limit: int) -> int:
    """Return the last place up to `limit` where no character of UTF-8 is cut."""
    if limit >= len(octets):
        return len(octets)
    while octets[limit] & 0xC0 == 0x80:  # noqa: PLR2004 - RFC 3629 3: a continuation
        limit -= 1
    return limit


def _encoded_word(octets: bytes) -> str:
    return ENCODED.format(base64.b64encode(octets).decode())


def _folded(name: str, words: list[str]) -> str:
    """Return the header with a line break before every word that no longer fits."""
    lines = [f"{name}:"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > MAX_LINE and lines[-1].strip() != f"{name}:":
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines) + "\r\n"
