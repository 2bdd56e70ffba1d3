"""What is the same for everybody: new pages, and the site in numbers."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.data_sources.base import DataSource
from wagtail_lifecycle.data_sources.examples import example_rows, example_titles, example_url
from wagtail_lifecycle.data_sources.pages import authors_of, chunked, full_urls, load_pages, public_pages
from wagtail_lifecycle.data_sources.views import PageRow, change, count_by_page, rows_of
from wagtail_lifecycle.models import DailyPageViews
from wagtail_lifecycle.registry import register_data_source
from wagtail_lifecycle.rendering.page_lists import pictures_of, summary_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import QuerySet

    from wagtail_lifecycle.audiences import Recipient
    from wagtail_lifecycle.data_sources.periods import Period
    from wagtail_lifecycle.rendering.images import MailImage

#: pages a mail lists; the others are counted
LISTED = 10
TOP = 5


@dataclass(frozen=True)
class RecentPage:
    """A page published for the first time in the period."""

    title: str
    #: absolute
    url: str
    #: names of its authors, joined for people; "" where none is known
    author: str
    #: the day it was published, in the site's zone
    date: date
    #: its description for search engines; "" where it has none
    summary: str = ""
    #: None where it has none
    picture: MailImage | None = None


@dataclass(frozen=True)
class NewPages:
    """The pages published in a period, newest first."""

    period: Period
    #: at most ten
    pages: tuple[RecentPage, ...]
    #: pages published in the period that are not listed
    more: int


@dataclass(frozen=True)
class SiteNumbers:
    """The site in numbers. Views are those of all pages, also of pages that are no longer public."""

    period: Period
    views: int
    #: views in the period before
    previous: int
    #: in whole per cent against the period before; None where it had no views
    change: int | None
    #: pages published for the first time in the period
    published: int
    #: people who wrote one of them
    active_authors: int
    #: the most viewed public pages, at most five, best first
    pages: tuple[PageRow, ...]


class SameForEverybody(DataSource):
    """What is loaded once for all the recipients of a batch."""

    def load(self, recipients: Sequence[Recipient], period: Period) -> Mapping[str, Any]:
        data = self.load_once(period) if recipients else None
        return {recipient.key: data for recipient in recipients}

    @abstractmethod
    def load_once(self, period: Period) -> Any:
        """Return what everybody reads."""


@register_data_source
class RecentPages(SameForEverybody):
    name = "recent_pages"
    label = gettext_lazy("Recently published pages")

    def load_once(self, period: Period) -> NewPages:
        published = list(_published(period).order_by("-first_published_at", "-pk").values_list("pk", flat=True))
        loaded = load_pages(published[:LISTED])
        pages = [loaded[pk] for pk in published[:LISTED] if pk in loaded]
        urls, authors = full_urls(pages), authors_of(pages)
        pictures = pictures_of(pages)
        rows = tuple(
            _recent(page, urls[page.pk], authors.get(page.pk, ()), pictures.get(page.pk))
            for page in pages
            if page.pk in urls
        )
        return NewPages(period, rows, len(published) - len(rows))

    def example(self, period: Period) -> NewPages:
        title = example_titles()[0]
        return NewPages(period, (RecentPage(title, example_url(), _("Ana Lindqvist"), period.last),), 2)

    def is_empty(self, data: NewPages | None) -> bool:
        return data is None or not data.pages


@register_data_source
class SiteTotals(SameForEverybody):
    name = "site_totals"
    label = gettext_lazy("The site in numbers")

    def load_once(self, period: Period) -> SiteNumbers:
        views, previous = _views(period), _views(period.previous)
        published = list(_published(period).values_list("pk", flat=True))
        return SiteNumbers(
            period=period,
            views=views,
            previous=previous,
            change=change(views, previous),
            published=len(published),
            active_authors=len(_authors(published)),
            pages=_top_rows(period),
        )

    def example(self, period: Period) -> SiteNumbers:
        return SiteNumbers(period, 1893, 1704, change(1893, 1704), 3, 2, example_rows())

    def is_empty(self, data: SiteNumbers | None) -> bool:
        return data is None or (data.views == 0 and data.published == 0)


def _views(period: Period) -> int:
    total: int = DailyPageViews.objects.between(period.start, period.end).total()
    return total


def _published(period: Period) -> QuerySet[Any]:
    begin, finish = period.instants()
    return public_pages().filter(first_published_at__gte=begin, first_published_at__lt=finish)


def _recent(page: Any, url: str, authors: Sequence[tuple[str, str]], picture: MailImage | None) -> RecentPage:
    names = ", ".join(name for _key, name in authors if name)
    published = page.first_published_at.astimezone(settings.time_zone).date()
    return RecentPage(page.title, url, names, published, summary_of(page), picture)


def _authors(page_ids: Sequence[int]) -> set[str]:
    found: set[str] = set()
    for chunk in chunked(page_ids):
        authors = authors_of(list(load_pages(chunk).values()))
        found |= {key for named in authors.values() for key, _name in named}
    return found


def _top_rows(period: Period) -> tuple[PageRow, ...]:
    top = count_by_page(public_pages(), period, limit=TOP)
    pages = load_pages(item.page_id for item in top)
    return rows_of(top, pages, full_urls(pages.values()))
