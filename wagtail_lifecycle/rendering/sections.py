"""Sections of a mail that only some people see.

A pair of markers stands around each. For every set of sections that somebody does not see, the mail without them is
made once: its constants are joined, tidied and encoded for everybody who sees the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from wagtail_lifecycle.blocks.conditions import Condition
from wagtail_lifecycle.exceptions import CompileError
from wagtail_lifecycle.rendering.conditions import check_condition
from wagtail_lifecycle.rendering.pieces import Parts, Piece, current_collector

#: Six questions have so many answers. A variant has about a hundred kilobytes.
MAX_VARIANTS: Final = 64


@dataclass(frozen=True)
class SectionStart:
    """Where a section begins that is shown only if `condition` holds."""

    condition: Condition

    def render(self, values: Mapping[str, Any], *, html: bool) -> str:  # noqa: ARG002
        return ""

    def encode(self, values: Mapping[str, Any], *, html: bool) -> bytes:  # noqa: ARG002
        return b""


@dataclass(frozen=True)
class SectionEnd:
    """Where the section that began last ends."""

    def render(self, values: Mapping[str, Any], *, html: bool) -> str:  # noqa: ARG002
        return ""

    def encode(self, values: Mapping[str, Any], *, html: bool) -> bytes:  # noqa: ARG002
        return b""


class Markers(NamedTuple):
    """What stands around a section until the mail is compiled."""

    start: SafeString
    end: SafeString


def mark_section(condition: Condition) -> Markers:
    """Return the markers of a new section. Raises CompileError where nobody can answer the condition."""
    collector = current_collector()
    start = SectionStart(check_condition(condition, collector.merge_tags))
    return Markers(collector.add(start), collector.add(SectionEnd()))


class Variants:
    """One part of a mail, as different people see it."""

    def __init__(self, parts: Parts, finish: Callable[[Parts], Parts]) -> None:
        self._parts = parts
        self._finish = finish
        self.conditions = frozenset(part.condition for part in parts.parts if isinstance(part, SectionStart))
        self._without = lru_cache(MAX_VARIANTS)(self._make)

    def encode(self, values: Mapping[str, Any], *, hidden: frozenset[Condition]) -> bytes:
        """Return what the person reads for whom the conditions `hidden` do not hold."""
        return (self._without(hidden) if self.conditions else self._parts).encode(values)

    def _make(self, hidden: frozenset[Condition]) -> Parts:
        shown = Parts(tuple(_shown(self._parts, hidden)), html=self._parts.html)
        return self._finish(shown.closed_up())


def _shown(parts: Parts, hidden: frozenset[Condition]) -> Iterator[str | Piece]:
    open_sections: list[bool] = []
    for part in parts.parts:
        if isinstance(part, SectionStart):
            open_sections.append(part.condition not in hidden)
        elif isinstance(part, SectionEnd):
            open_sections.pop()
        elif all(open_sections):
            yield part


def has_sections(parts: Parts) -> bool:
    return any(isinstance(part, SectionStart) for part in parts.parts)


def refuse_unbalanced(parts: Parts) -> Parts:
    """Return `parts` where each section ends after it began, as often as it began. Raises CompileError."""
    depth = 0
    for part in parts.parts:
        depth += isinstance(part, SectionStart) - isinstance(part, SectionEnd)
        if depth < 0:
            break
    if depth:
        raise CompileError(_("A block tears the one apart that stands around it."), field="body")
    return parts
