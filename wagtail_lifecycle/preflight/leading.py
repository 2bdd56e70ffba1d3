"""Checks of where the mail leads. They look at addresses; they never open one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import swapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.documents import get_document_model

from wagtail_lifecycle.preflight.base import BLOCKER, Check, Fault
from wagtail_lifecycle.preflight.walking import DOCUMENT, PAGE
from wagtail_lifecycle.registry import register_check

if TYPE_CHECKING:
    from wagtail_lifecycle.preflight.flights import Flight
    from wagtail_lifecycle.preflight.walking import Link

SCHEME: Final = re.compile(r"\s*([a-z][a-z0-9+.\-]*):", re.IGNORECASE)
SAFE: Final = frozenset(["http", "https", "mailto", "tel"])
#: RFC 2606 and 6761, and what only the machine of whoever wrote it knows.
NOWHERE: Final = re.compile(
    r"(?:^|\.)(?:example\.(?:org|com|net)|example|test|invalid|localhost|local|internal)$|^127\.|^0\.0\.0\.0$|^\[?::1\]?$"
)


def scheme_of(address: str) -> str:
    found = SCHEME.match(address)
    return found[1].lower() if found else ""


def typed(flight: Flight) -> Iterator[tuple[str, Link]]:
    return ((link.address.strip(), link) for link in flight.links if link.address is not None)


@register_check
class EmptyLinks(Check):
    name = "link_empty"
    passed = gettext_lazy("Every link has words and leads somewhere.")
    remedy = gettext_lazy("Give the link an address and words, or take it out.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        for address, link in typed(flight):
            if address in {"", "#"}:
                sentence = _("The link “%(words)s” leads nowhere.")
                yield Fault(sentence % {"words": link.words}, block_id=link.block_id)
        for tag in flight.soup.find_all("a"):
            pictures = [str(picture.get("alt", "")) for picture in tag.find_all("img")]
            if not tag.get_text(strip=True) and not any(pictures):
                yield Fault(_("A link to %(address)s has no words to press.") % {"address": tag.get("href", "")})


@register_check
class RelativeLinks(Check):
    name = "link_relative"
    severity = BLOCKER
    passed = gettext_lazy("Every address is complete.")
    remedy = gettext_lazy("Begin with https://, or choose a page of the site.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        for address, link in typed(flight):
            is_whole = scheme_of(address) or (address.startswith("/") and not address.startswith("//"))
            if not is_whole and address not in {"", "#"}:
                sentence = _("“%(address)s” is no complete address: a mail does not know what it is relative to.")
                yield Fault(sentence % {"address": address}, block_id=link.block_id)


@register_check
class UnsafeLinks(Check):
    name = "link_unsafe"
    severity = BLOCKER
    passed = gettext_lazy("Links lead to the web, to a mailbox or to a telephone only.")
    remedy = gettext_lazy("Begin with https://, http://, mailto: or tel:; nothing else leaves in a mail.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        for address, link in typed(flight):
            scheme = scheme_of(address)
            if scheme and scheme not in SAFE:
                sentence = _("A link begins with “%(scheme)s:”, which no mail may carry.")
                yield Fault(sentence % {"scheme": scheme}, block_id=link.block_id)


@register_check
class ExampleLinks(Check):
    name = "link_example"
    passed = gettext_lazy("No link leads to a place that readers do not have.")
    remedy = gettext_lazy("Replace the address by the real one.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        for address, link in typed(flight):
            host = _host(address)
            if host and NOWHERE.search(host):
                sentence = _("The link to %(host)s leads nowhere that readers could open.")
                yield Fault(sentence % {"host": host}, block_id=link.block_id)


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


class Targets:
    """The pages and documents that a mail leads to, in one query each."""

    def __init__(self, flight: Flight) -> None:
        self._links = flight.links

    def of(self, kind: str) -> list[Link]:
        return [link for link in self._links if link.kind == kind]

    @cached_property
    def pages(self) -> dict[str, Any]:
        model = swapper.load_model("wagtailcore", "Page")
        return {str(page.pk): page for page in model.objects.filter(pk__in=_numbers(self.of(PAGE)))}

    @cached_property
    def documents(self) -> dict[str, Any]:
        model = get_document_model()
        return {str(each.pk): each for each in model.objects.filter(pk__in=_numbers(self.of(DOCUMENT)))}


def _numbers(links: list[Link]) -> list[str]:
    return [link.pk for link in links if link.pk.isascii() and link.pk.isdigit()]


@register_check
class DeadLinks(Check):
    name = "link_dead"
    severity = BLOCKER
    passed = gettext_lazy("Every chosen page and document is still there.")
    remedy = gettext_lazy("Choose another page or document, or take the link out.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        targets = Targets(flight)
        for link in targets.of(PAGE):
            if link.pk not in targets.pages:
                yield _about(link, _("A link leads to a page that was deleted."), _dead_page)
        for link in targets.of(DOCUMENT):
            if link.pk not in targets.documents:
                yield _about(link, _("A link leads to a document that was deleted."), _dead_document)


def _dead_page(words: str) -> str:
    return _("The link “%(words)s” leads to a page that was deleted.") % {"words": words}


def _dead_document(words: str) -> str:
    return _("The link “%(words)s” leads to a document that was deleted.") % {"words": words}


def _about(link: Link, sentence: str, with_words: Callable[[str], str]) -> Fault:
    return Fault(with_words(link.words) if link.words else sentence, block_id=link.block_id)


@register_check
class UnpublishedLinks(Check):
    name = "link_unpublished"
    passed = gettext_lazy("Every linked page is published.")
    remedy = gettext_lazy("Publish the page before the mail goes, or choose another one.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        targets = Targets(flight)
        for link in targets.of(PAGE):
            page = targets.pages.get(link.pk)
            if page is not None and not page.live:
                sentence = _("The page “%(title)s” is not published: readers would not find it.")
                yield Fault(sentence % {"title": page.title}, block_id=link.block_id)


@register_check
class PrivateLinks(Check):
    name = "link_private"
    passed = gettext_lazy("Everybody may see the linked pages.")
    remedy = gettext_lazy("Lift the restriction of the page, or choose another one.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        targets = Targets(flight)
        for link in targets.of(PAGE):
            page = targets.pages.get(link.pk)
            if page is not None and page.live and page.get_view_restrictions().exists():
                sentence = _("The page “%(title)s” is private: not every reader may see it.")
                yield Fault(sentence % {"title": page.title}, block_id=link.block_id)
