"""Which page is at which path: today's addresses, and a site owner's map of old ones."""

from __future__ import annotations

import csv
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, NamedTuple

import swapper
from wagtail.models import Site

from wagtail_lifecycle.exceptions import LifecycleError
from wagtail_lifecycle.page_views.access_log import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Bad rows a message names; one slip of a spreadsheet makes thousands.
SHOWN: Final = 20


class WrongMap(LifecycleError, ValueError):
    """A map of old paths that cannot be followed: correct the rows that the message names."""


class Row(NamedTuple):
    line: int
    cells: list[str]


def live_paths() -> dict[str, int]:
    """Return the page id at each path of all sites, in as many queries for many pages as for one.

    A log does not tell the host: where two sites have one path, the default site's page counts.
    """
    page_model = swapper.load_model("wagtailcore", "Page")
    default = Site.objects.filter(is_default_site=True).values_list("pk", flat=True).first()
    # Wagtail remembers the roots of the sites on whatever is given as the request.
    memory = SimpleNamespace()
    paths: dict[str, int] = {}
    # Deferred, so that a page type's own get_url_parts() is asked without a query per type.
    for page in page_model.objects.live().specific(defer=True).order_by("path").iterator(chunk_size=2000):
        site, _, path = page.get_url_parts(memory) or (None, None, None)
        if path and (site == default or normalised(path) not in paths):
            paths[normalised(path)] = page.pk
    return paths


def read_map(rows: Iterable[str], paths: Mapping[str, int]) -> dict[str, int]:
    """Read a CSV of old path and page (id or current path); every bad row is named, or none is bad."""
    page_ids = _existing_ids()
    mapped: dict[str, int] = {}
    faults: list[str] = []
    for row in _rows(rows):
        try:
            old, page_id = _entry(row, paths, page_ids)
        except WrongMap as fault:
            faults.append(f"line {row.line}: {fault}")
            continue
        if mapped.setdefault(old, page_id) != page_id:
            faults.append(f"line {row.line}: {old} leads to page {mapped[old]} already")
    if faults:
        raise WrongMap(_message(faults))
    return mapped


def _rows(lines: Iterable[str]) -> Iterator[Row]:
    reader = csv.reader(lines, strict=True)
    first = True
    try:
        for cells in reader:
            row = Row(reader.line_num, [cell.strip() for cell in cells])
            if any(row.cells) and not (first and _is_header(row)):
                yield row
            first = False
    except csv.Error as error:
        raise WrongMap(f"line {reader.line_num}: {error}. Save the map as CSV, separated by commas.") from error


def _is_header(row: Row) -> bool:
    return not any("/" in cell or cell.isdecimal() for cell in row.cells)


def _entry(row: Row, paths: Mapping[str, int], page_ids: frozenset[int]) -> tuple[str, int]:
    if len(row.cells) != 2:  # noqa: PLR2004 - old and new
        raise WrongMap(f"{len(row.cells)} columns, 2 expected: the old path and a page")
    old, new = row.cells
    if not old.startswith("/") and "://" not in old:
        raise WrongMap(f"{old!r} is no path, which begins with a slash")
    if new.isdecimal():
        if int(new) not in page_ids:
            raise WrongMap(f"there is no page with the id {new}")
        return normalised(old), int(new)
    if normalised(new) not in paths:
        raise WrongMap(f"there is no live page at {new!r}; give a page's id or its current path")
    return normalised(old), paths[normalised(new)]


def _existing_ids() -> frozenset[int]:
    return frozenset(swapper.load_model("wagtailcore", "Page").objects.values_list("pk", flat=True))


def _message(faults: list[str]) -> str:
    rest = len(faults) - SHOWN
    shown = [*faults[:SHOWN], f"and {rest} more"] if rest > 0 else faults
    return "\n".join(["Nothing was imported. The map has rows that lead nowhere:", *shown])
