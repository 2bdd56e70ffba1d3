"""Data for many people at once: each source is asked once, for all who are to read of it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from wagtail_lifecycle import registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wagtail_lifecycle.audiences import Recipient
    from wagtail_lifecycle.data_sources.periods import Period

#: what a data source may hold for nobody
NOTHING: Final[Mapping[str, Any]] = {}


def load_data(readers: Iterable[tuple[Recipient, Iterable[str]]], period: Period) -> dict[str, Mapping[str, Any]]:
    """Return what the sources have, by the name of the source and then by the key of the recipient.

    `readers` are recipients, each with the names of the sources that their mail reads.
    """
    by_source: dict[str, list[Recipient]] = defaultdict(list)
    for recipient, names in readers:
        for name in names:
            by_source[name].append(recipient)
    return {
        name: registry.data_sources.get(name)().load(recipients, period) or NOTHING
        for name, recipients in by_source.items()
    }
