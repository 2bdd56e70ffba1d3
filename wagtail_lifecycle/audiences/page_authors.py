"""The authors of live pages: their owners, or whom the site's own callable names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import swapper
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from wagtail_lifecycle.audiences.base import AudiencePage, Recipient, pks_of
from wagtail_lifecycle.audiences.users import USER, UserAudience, mailable_users
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.registry import register_audience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from random import Random

    from django.db.models import Expression, QuerySet

    Authors = Callable[[Any], Mapping[int, list[Recipient]]]

#: pages handed to the site's callable at once
CHUNK = 1000


def live_pages() -> QuerySet[Any]:
    pages: QuerySet[Any] = swapper.load_model("wagtailcore", "Page").objects.filter(live=True)
    return pages


@register_audience
class PageAuthors(UserAudience):
    """Without WAGTAIL_LIFECYCLE_AUTHORS one query of users; with it, a walk over the live pages in chunks.

    The callable only leads from pages to people, so its people are collected from all live pages. How many
    queries that takes depends on the number of pages, never on the number of people.
    """

    name = "page_authors"
    label = _("Page authors")
    description = _("Everybody with an active account and a verified address who wrote a live page.")

    def narrow(self, users: QuerySet[Any], now: datetime) -> QuerySet[Any]:  # noqa: ARG002 - the interface
        if settings.authors is None:
            return users.filter(Exists(live_pages().filter(owner=OuterRef("pk"))))
        return users.filter(pk__in=list(pks_of(_authors(settings.authors), USER, users.model)))

    def pages(self, now: datetime, after: str = "", size: int = 500) -> Iterator[AudiencePage]:
        if settings.authors is None:
            yield from super().pages(now, after, size)
            return
        authors = _authors(settings.authors)
        keys = sorted(key for key in authors if key > after)
        for first in range(0, len(keys), size):
            portion = [authors[key] for key in keys[first : first + size]]
            yield AudiencePage(portion[-1].key, _mailable(portion))

    def by_key(self, keys: Iterable[str], now: datetime) -> dict[str, Recipient]:
        if settings.authors is None:
            return super().by_key(keys, now)
        authors = _authors(settings.authors, wanted=frozenset(keys))
        return {author.key: author for author in _mailable(authors.values())}

    def count(self, now: datetime) -> int:
        return sum(len(page.recipients) for page in self.pages(now))

    def search(self, people: QuerySet[Any], text: str) -> QuerySet[Any] | None:
        # The callable's people need not be users.
        return super().search(people, text) if settings.authors is None else None

    def name_length(self) -> Expression | None:
        return super().name_length() if settings.authors is None else None

    def cursor_of(self, key: str, now: datetime) -> str:
        return super().cursor_of(key, now) if settings.authors is None else key

    def some(self, now: datetime, size: int, chance: Random) -> list[Recipient]:
        if settings.authors is None:
            return super().some(now, size, chance)
        everybody = [member for page in self.pages(now) for member in page.recipients]
        return chance.sample(everybody, min(size, len(everybody)))


def _authors(authors_of: Authors, wanted: frozenset[str] | None = None) -> dict[str, Recipient]:
    found: dict[str, Recipient] = {}
    for pages in _chunks(live_pages()):
        for authors in authors_of(pages).values():
            found |= {author.key: author for author in authors if wanted is None or author.key in wanted}
        if wanted is not None and len(found) == len(wanted):
            break
    return found


def _chunks(pages: QuerySet[Any]) -> Iterator[list[Any]]:
    last = 0
    while chunk := list(pages.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        yield chunk
        last = chunk[-1].pk


def _mailable(authors: Iterable[Recipient]) -> list[Recipient]:
    # The callable need not know whom we may mail. Keys of other kinds are the site's own affair.
    authors = list(authors)
    users = mailable_users()
    pks = list(pks_of((author.key for author in authors), USER, users.model))
    known = users.filter(pk__in=pks).values_list("pk", flat=True) if pks else ()
    allowed = {f"{USER}:{pk}" for pk in known}
    return [author for author in authors if author.key in allowed or not author.key.startswith(f"{USER}:")]
