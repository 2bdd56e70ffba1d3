"""What a check is, and what it finds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.utils.functional import Promise

    from wagtail_lifecycle.preflight.flights import Flight

#: the campaign cannot be published
BLOCKER: Final = "blocker"
#: whoever publishes the campaign accepts it by name
WARNING: Final = "warning"


class Fault(NamedTuple):
    """What a check says: one sentence, and where."""

    message: str
    #: name of the Campaign field; empty means that of the check
    field: str = ""
    #: id of the block of the body; empty where it is about no single one
    block_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One fault of one campaign."""

    #: name of the check
    code: str
    severity: str
    message: str
    #: name of the Campaign field; empty where no field can put it right
    field: str
    block_id: str = ""
    #: whether whoever publishes has to accept it
    is_to_accept: bool = False


class Check(ABC):
    """One look at a campaign before it goes live. Subclass it and register it with `@register_check`."""

    #: what acceptances remember; data, so it never changes
    name: ClassVar[str]
    #: BLOCKER or WARNING
    severity: ClassVar[str] = WARNING
    #: the sentence where nothing is wrong
    passed: ClassVar[str | Promise]
    #: how to put it right, for the reference
    remedy: ClassVar[str | Promise]
    #: name of the Campaign field that a fault is mostly in; empty where no field can put it right
    field: ClassVar[str] = "body"
    #: whether it looks at the mails of real people, which only publishing and the page of the pre-flight make
    needs_people: ClassVar[bool] = False
    #: whether a translation is looked at as well: of that only the words count
    is_of_content: ClassVar[bool] = True
    #: whether a warning has to be accepted; not where it is about the machinery and passes by itself
    is_to_accept: ClassVar[bool] = True

    @abstractmethod
    def find(self, flight: Flight) -> Iterator[Fault]:
        """Yield what is wrong with `flight`; nothing where it is all right."""

    def findings(self, flight: Flight) -> list[Finding]:
        """Return what is wrong, each fault once."""
        return [
            Finding(
                code=self.name,
                severity=self.severity,
                message=fault.message,
                field=fault.field or self.field,
                block_id=fault.block_id,
                is_to_accept=self.severity == WARNING and self.is_to_accept,
            )
            for fault in dict.fromkeys(self.find(flight))
        ]
