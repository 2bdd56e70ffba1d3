"""What an inbox shows of a mail before it is opened, and how much of the mail it will show at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Characters that Gmail gives to a subject on a wide screen, and to subject and preheader together.
WIDE_SUBJECT: Final = 70
WIDE: Final = 100
#: The same on a telephone, where they have a line each.
NARROW_SUBJECT: Final = 38
NARROW_PREHEADER: Final = 45
KILOBYTE: Final = 1024
#: Kilobytes after which Gmail cuts a mail, and the way to opt out with it.
LIMIT: Final = 102
#: From here on it is worth a look.
MUCH: Final = 80


@dataclass(frozen=True)
class Line:
    """One mail in a list of mails."""

    subject: str
    preheader: str


@dataclass(frozen=True)
class Inbox:
    """What an inbox knows of a mail."""

    sender: str
    subject: str
    preheader: str
    #: octets of the HTML part as it is sent
    size: int

    @property
    def wide(self) -> Line:
        """As a computer shows it."""
        subject = cut(self.subject, WIDE_SUBJECT)
        return Line(subject, cut(self.preheader, WIDE - len(subject)))

    @property
    def narrow(self) -> Line:
        """As a telephone shows it."""
        return Line(cut(self.subject, NARROW_SUBJECT), cut(self.preheader, NARROW_PREHEADER))

    @property
    def kilobytes(self) -> int:
        # Rounded up: what is cut must not look as if it just fitted.
        return -(-self.size // KILOBYTE)

    @property
    def is_cut(self) -> bool:
        return self.kilobytes > LIMIT

    @property
    def is_large(self) -> bool:
        return MUCH <= self.kilobytes <= LIMIT

    @property
    def limit(self) -> int:
        return LIMIT

    @property
    def much(self) -> int:
        return MUCH


def cut(text: str, room: int) -> str:
    """Return `text` on one line, ending in an ellipsis where it has more than `room` characters."""
    text = " ".join(text.split())
    return text if len(text) <= room else f"{text[: room - 1].rstrip()}…"
