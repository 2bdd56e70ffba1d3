"""Names and other words of strangers, made harmless for a line of a mail."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Room for any real name, too little for a message to a stranger.
MAX_NAME: Final = 64
BIDI_OVERRIDES: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
#: What mail programs make a link of: a name with one was chosen to be clicked.
LINKS: Final = re.compile(r"://|\bwww\.|@|[^\W_]\.[a-z]{2,}(?![\w.])", re.IGNORECASE)


def one_line(value: str, limit: int) -> str:
    """Return `value` on one line, without control characters, bidi overrides and lone surrogates."""
    if len(value) <= limit and value.isprintable():
        # Most values; nothing that the long way takes out is printable, and of white space only the space is.
        return " ".join(value.split())
    # Twenty times the limit is more than a value of that length can shrink by, and bounds the work on 10 MB of junk.
    readable = value[: limit * 20].translate(BIDI_OVERRIDES)
    characters = (_harmless(character) for character in readable)
    return " ".join("".join(characters).split())[:limit].rstrip()


def clean_name(name: str) -> str:
    """Return a person's name fit to be greeted by; nothing where it is a message in disguise.

    Whoever signs somebody else's address up chooses the name, and our mail would carry it there.
    """
    cleaned = one_line(name, MAX_NAME)
    return "" if LINKS.search(cleaned) else cleaned


def _harmless(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if category == "Cs" or character == "\ufeff" else character
