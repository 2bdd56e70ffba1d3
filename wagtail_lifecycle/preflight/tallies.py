"""Mails of real people, made and thrown away: how large they are, and for how many something is missing or fails."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from wagtail_lifecycle.rendering.pieces import MergeTag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wagtail_lifecycle.rendering import CompiledMail, Mail
    from wagtail_lifecycle.rendering.content import Person

KILOBYTE: Final = 1024
#: Gmail shows no more than 102 kB of a mail, and the way to opt out stands at its end.
CUT_AT: Final = 102 * KILOBYTE
#: from here on it is worth a look
LARGE_AT: Final = 80 * KILOBYTE


@dataclass
class Tally:
    """What came of making mails. Counts only: nobody's name or address."""

    #: people whose mail was made
    made: int = 0
    #: people with nothing to report, who get no mail
    empty: int = 0
    #: octets of the largest HTML part as it is sent
    largest: int = 0
    #: mails that Gmail would cut
    too_large: int = 0
    #: what could not be made, by the kind of error
    errors: Counter[str] = field(default_factory=Counter)
    #: people without a value, by merge tag that has no fallback
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, mail: Mail) -> None:
        size = len(mail.octets.html)
        self.made += 1
        self.largest = max(self.largest, size)
        self.too_large += size > CUT_AT

    @property
    def failed(self) -> int:
        return self.errors.total()


def bare_merge_tags(compiled: CompiledMail) -> list[MergeTag]:
    """Return the merge tags of subject and HTML that say nothing where the value is missing."""
    parts = (*compiled.subject.parts, *compiled.html.parts)
    return list(dict.fromkeys(part for part in parts if isinstance(part, MergeTag) and not part.fallback))


def missing_values(tags: list[MergeTag], recipient: Person) -> Iterator[str]:
    """Yield the paths of the tags that are empty for one person."""
    return (tag.path for tag in tags if not tag.render({"recipient": recipient}, html=False).strip())
