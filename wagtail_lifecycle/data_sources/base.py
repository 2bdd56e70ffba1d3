"""What a data source is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils import timezone

from wagtail_lifecycle.data_sources.periods import Period

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.utils.functional import Promise

    from wagtail_lifecycle.audiences import Recipient


class DataSource(ABC):
    """Per-recipient numbers and lists. Subclass it, name it and register it with `@register_data_source`.

    What it returns is plain data: frozen dataclasses, dicts, lists, strings, numbers and dates. A mail can
    then be rendered without touching the database.
    """

    #: how blocks require it and templates reach it (`data.<name>`); data, so it never changes
    name: ClassVar[str]
    #: what people call it
    label: ClassVar[str | Promise]

    @abstractmethod
    def load(self, recipients: Sequence[Recipient], period: Period) -> Mapping[str, Any]:
        """Return the data of each recipient by `recipient.key`, in a constant number of queries.

        Recipients who are missing in the answer have nothing to report.
        """

    @abstractmethod
    def example(self, period: Period) -> Any:
        """Return believable data for previews, without the database."""

    def example_of(self, kind: str) -> Any:
        """Return the example for the period "day", "week", "month" or "today" that ends now."""
        return self.example(Period.for_slot(kind or "day", timezone.now()))

    def is_empty(self, data: Any) -> bool:
        """Tell whether there is nothing to report. A digest of nothing is not sent."""
        return not data
