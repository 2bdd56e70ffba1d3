"""The views of a recipient's own pages."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.data_sources.base import DataSource
from wagtail_lifecycle.data_sources.examples import example_rows
from wagtail_lifecycle.data_sources.pages import authors_of, chunked, full_urls, load_pages, public_pages
from wagtail_lifecycle.data_sources.views import Counted, PageRow, change, count_by_page, rows_of
from wagtail_lifecycle.registry import register_data_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wagtail_lifecycle.audiences import Recipient
    from wagtail_lifecycle.data_sources.periods import Period

#: pages a mail lists; the others are counted
TOP = 10


@dataclass(frozen=True)
class OwnPageViews:
    """What one author reads: the pages that were viewed, best first, and all their views."""

    period: Period
    #: the most viewed pages, at most ten, best first
    pages: tuple[PageRow, ...]
    #: viewed pages that are not listed
    more: int
    #: views of all the author's pages in the period
    total: int
    #: the same in the period before
    previous: int
    #: in whole per cent against the period before; None where it had no views
    change: int | None


@register_data_source
class PageViews(DataSource):
    """A page written by several people is in the mail of each of them."""

    name = "page_views"
    label = gettext_lazy("Views of own pages")

    def load(self, recipients: Sequence[Recipient], period: Period) -> Mapping[str, OwnPageViews]:
        counted = _counted_by_author({recipient.key for recipient in recipients}, period)
        tops = {item.page_id for items in counted.values() for item in items[:TOP]}
        pages = load_pages(tops)
        urls = full_urls(pages.values())
        return {key: _own(items, period, rows_of(items[:TOP], pages, urls)) for key, items in counted.items()}

    def example(self, period: Period) -> OwnPageViews:
        rows = example_rows()
        total, previous = sum(row.views for row in rows), sum(row.previous for row in rows)
        return OwnPageViews(period, rows, 0, total, previous, change(total, previous))

    def is_empty(self, data: OwnPageViews | None) -> bool:
        return data is None or data.total == 0


def _own(items: Sequence[Counted], period: Period, rows: tuple[PageRow, ...]) -> OwnPageViews:
    total, previous = sum(item.views for item in items), sum(item.previous for item in items)
    viewed = sum(1 for item in items if item.views)
    return OwnPageViews(period, rows, viewed - len(rows), total, previous, change(total, previous))


def _counted_by_author(keys: set[str], period: Period) -> dict[str, list[Counted]]:
    pages = public_pages()
    if settings.authors is None:
        pages = pages.filter(owner__in=_user_pks(keys))
    counted = {item.page_id: item for item in count_by_page(pages, period)}
    by_author: dict[str, list[Counted]] = defaultdict(list)
    for key, page_id in _authorships(list(counted)):
        if key in keys:
            by_author[key].append(counted[page_id])
    return dict(by_author)


def _authorships(page_ids: Sequence[int]) -> Iterable[tuple[str, int]]:
    # In the order of `page_ids`, best first: a callable may answer in any order.
    for chunk in chunked(page_ids):
        authors = authors_of(list(load_pages(chunk).values()))
        for page_id in chunk:
            yield from ((key, page_id) for key in {key for key, _name in authors.get(page_id, ())})


def _user_pks(keys: Iterable[str]) -> list[Any]:
    pks = (key.partition(":") for key in keys)
    return [pk for kind, _colon, pk in pks if kind == "user"]
