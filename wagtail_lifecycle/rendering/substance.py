"""Whether a mail says anything to a person. A mail of nothing is not sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wagtail_lifecycle.blocks.conditions import Condition
from wagtail_lifecycle.rendering.conditions import holds, there_is


@dataclass(frozen=True, kw_only=True)
class Substance:
    """What one block of the body adds to a mail."""

    #: None where everybody sees the block
    condition: Condition | None
    #: whether the block says something of its own; headings and lines do not
    speaks: bool
    #: names of the data sources whose data it shows
    shows: tuple[str, ...]


def substance_of(body: Any) -> Iterator[Substance]:
    """Yield what each block of `body`, a StreamValue, adds."""
    for child in body:
        block, value = child.block, child.value
        shows = tuple(block.get_required_data(value))
        yield Substance(condition=block.get_condition(value), speaks=block.says_something or bool(shows), shows=shows)


def required_data(body: Any) -> Iterator[str]:
    """Yield the names of the data sources that the blocks of `body` show or ask about."""
    for block in substance_of(body):
        yield from block.shows
        yield from block.condition.requires if block.condition else ()


def is_empty(blocks: tuple[Substance, ...], values: Mapping[str, Any]) -> bool:
    """Tell whether the person whose values these are would get a mail of nothing.

    Either what says something is hidden from them, or what they see is about data and there is none.
    """
    shown = [block for block in blocks if block.condition is None or holds(block.condition, values)]
    if len(shown) < len(blocks) and not any(block.speaks for block in shown):
        return True
    names = {name for block in shown for name in block.shows}
    return bool(names) and not any(there_is(name, values["data"]) for name in names)
