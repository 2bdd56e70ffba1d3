"""Which pages a mail may show, their addresses and their authors, for many pages at once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import swapper
from django.db.models import Q, QuerySet
from django.utils import timezone
from wagtail.models import Site

from wagtail_lifecycle.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: pages loaded, or handed to the site's callable of authors, at once
CHUNK = 1000


def public_pages() -> QuerySet[Any]:
    """Return the pages anybody may read now: live, not expired, without restriction above, below a site."""
    pages = swapper.load_model("wagtailcore", "Page").objects.filter(live=True, expired=False).public()
    not_over = Q(expire_at__isnull=True) | Q(expire_at__gt=timezone.now())
    public: QuerySet[Any] = pages.filter(not_over).filter(_below_sites())
    return public


def _below_sites() -> Q:
    below = Q(pk__in=[])
    for root in Site.get_site_root_paths():
        below |= Q(url_path__startswith=root.root_path)
    return below


def load_pages(pks: Iterable[int]) -> dict[int, Any]:
    """Return pages with their owners by primary key, in one query however many they are."""
    pages = swapper.load_model("wagtailcore", "Page").objects.filter(pk__in=list(pks))
    return {page.pk: page for page in pages.select_related("owner")}


def full_urls(pages: Iterable[Any]) -> dict[int, str]:
    """Return absolute addresses by primary key; pages that have none are left out."""
    # Wagtail remembers the sites' root paths on whatever it is handed as the request. The class of the page
    # may have addresses of its own making; its fields stay unread unless it asks for them.
    memory = SimpleNamespace()
    urls = {page.pk: page.specific_deferred.get_full_url(memory) for page in pages}
    return {pk: url for pk, url in urls.items() if url}


def authors_of(pages: Sequence[Any]) -> dict[int, list[tuple[str, str]]]:
    """Return (recipient key, name) of each page's authors, by the page's primary key."""
    authors = settings.authors
    if authors is None:
        return {page.pk: _owner(page) for page in pages}
    named = authors(pages)
    return {pk: [(author.key, author.name) for author in found] for pk, found in named.items()}


def _owner(page: Any) -> list[tuple[str, str]]:
    if page.owner is None:
        return []
    name = page.owner.get_full_name() if hasattr(page.owner, "get_full_name") else ""
    return [(f"user:{page.owner_id}", name)]


def chunked(items: Sequence[int]) -> Iterator[Sequence[int]]:
    return (items[first : first + CHUNK] for first in range(0, len(items), CHUNK))
