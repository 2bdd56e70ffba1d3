"""Checks of whole mails: how large they are, and what people would miss in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from wagtail_lifecycle.preflight.base import BLOCKER, Check, Fault
from wagtail_lifecycle.preflight.tallies import CUT_AT, KILOBYTE, LARGE_AT
from wagtail_lifecycle.registry import register_check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wagtail_lifecycle.preflight.flights import Flight


def size_of(flight: Flight) -> int:
    """Return the octets of the largest mail that is known: of the people looked at, or else of the example."""
    example = len(flight.example.octets.html) if flight.example else 0
    return max(example, flight.tally.largest if flight.tally else 0)


def in_kilobytes(octets: int) -> int:
    """Return whole kilobytes, rounded up: a mail that is one octet too large is not as large as allowed."""
    return -(-octets // KILOBYTE)


@register_check
class SizeCut(Check):
    name = "size_cut"
    severity = BLOCKER
    passed = gettext_lazy("Gmail shows the whole mail.")
    remedy = gettext_lazy("Take blocks out, or show fewer lines: Gmail cuts a mail after 102 kB.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        size = size_of(flight)
        if size > CUT_AT:
            sentence = _("The mail has %(size)d kB; Gmail cuts it after 102 kB, and the way to opt out with it.")
            yield Fault(sentence % {"size": in_kilobytes(size)})


@register_check
class SizeLarge(Check):
    name = "size_large"
    passed = gettext_lazy("The mail is of a good size.")
    remedy = gettext_lazy("Take out what is not needed: after 102 kB Gmail cuts a mail.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        size = size_of(flight)
        if LARGE_AT < size <= CUT_AT:
            yield Fault(
                _("The mail has %(size)d kB, near the 102 kB after which Gmail cuts it.") % {"size": in_kilobytes(size)}
            )


@register_check
class MergeMissing(Check):
    name = "merge_missing"
    needs_people = True
    passed = gettext_lazy("Nobody who was looked at misses a value.")
    remedy = gettext_lazy("Give the merge tag a fallback: what readers see for whom the value is not known.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        for path, count in (flight.tally.missing if flight.tally else {}).items():
            sentence = ngettext(
                "%(count)d person who was looked at has no value for “%(path)s”, and there is no fallback.",
                "%(count)d people who were looked at have no value for “%(path)s”, and there is no fallback.",
                count,
            )
            yield Fault(sentence % {"count": count, "path": path})


@register_check
class RenderError(Check):
    name = "render_error"
    severity = BLOCKER
    needs_people = True
    passed = gettext_lazy("The mail can be made for everybody who was looked at.")
    remedy = gettext_lazy("The site's own code for a block or its data failed: its log, or its author, knows more.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        for cause, count in (flight.tally.errors if flight.tally else {}).items():
            sentence = ngettext(
                "The mail cannot be made for %(count)d person who was looked at (%(cause)s).",
                "The mail cannot be made for %(count)d people who were looked at (%(cause)s).",
                count,
            )
            yield Fault(sentence % {"count": count, "cause": cause})
