"""Plain text without the gaps that templates leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from wagtail_lifecycle.rendering.encoding import joinable
from wagtail_lifecycle.rendering.pieces import Parts, Piece

_BLANK_LINE: Final = "\n\n"
_TWO_BLANK_LINES: Final = "\n\n\n"
#: Stands beside a text whose edge is not the edge of the mail.
_LETTER: Final = "x"


def tidy(text: str) -> str:
    """Leave at most one blank line in a row, none at the ends, and no spaces at the ends of lines."""
    return _tidied(text) + "\n"


def tidied(parts: Parts) -> Parts:
    """Return `parts` such that joining them gives what tidying the joined text would give.

    Constants are tidied here, once. What stands between two words of constants is tidied per person, because the white
    space around a piece and that of the piece itself belong together.
    """
    return Parts(tuple(_fragments(parts)), html=parts.html).closed_up()


@dataclass(frozen=True)
class Stretch:
    """Pieces and the white space around them, between two constants."""

    parts: tuple[str | Piece, ...]
    #: nothing but white space stands before it in the mail
    is_first: bool
    #: nothing but white space follows
    is_last: bool

    def render(self, values: Mapping[str, Any], *, html: bool) -> str:
        text = "".join([part if isinstance(part, str) else part.render(values, html=html) for part in self.parts])
        return _tidied(text, before="" if self.is_first else _LETTER, after="" if self.is_last else _LETTER)

    def encode(self, values: Mapping[str, Any], *, html: bool) -> bytes:
        return joinable(self.render(values, html=html))


def _fragments(parts: Parts) -> Iterator[str | Piece]:
    stretch: list[str | Piece] = []
    is_first = True
    for part in parts.parts:
        words = part.strip() if isinstance(part, str) else ""
        if not isinstance(part, str) or not words:
            stretch.append(part)
            continue
        start = part.index(words)
        yield from _between([*stretch, part[:start]], is_first=is_first, is_last=False)
        yield _tidied(words)
        stretch, is_first = [part[start + len(words) :]], False
    yield from _between(stretch, is_first=is_first, is_last=True)
    yield "\n"


def _between(parts: list[str | Piece], *, is_first: bool, is_last: bool) -> Iterator[str | Piece]:
    stretch = Stretch(tuple(parts), is_first=is_first, is_last=is_last)
    if all(isinstance(part, str) for part in parts):
        yield stretch.render({}, html=False)
    else:
        yield stretch


def _tidied(text: str, before: str = "", after: str = "") -> str:
    lines = "\n".join([line.rstrip() for line in f"{before}{text}{after}".splitlines()])
    # Much faster than a regular expression.
    while _TWO_BLANK_LINES in lines:
        lines = lines.replace(_TWO_BLANK_LINES, _BLANK_LINE)
    closed_up = lines.strip()
    return closed_up[len(before) : len(closed_up) - len(after)]
