"""The most viewed pages of the site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_lifecycle.data_sources.examples import example_rows
from wagtail_lifecycle.data_sources.pages import full_urls, load_pages, public_pages
from wagtail_lifecycle.data_sources.site import SameForEverybody
from wagtail_lifecycle.data_sources.views import count_by_page
from wagtail_lifecycle.registry import register_data_source
from wagtail_lifecycle.rendering.page_lists import pictures_of, summary_of

if TYPE_CHECKING:
    from wagtail_lifecycle.data_sources.periods import Period
    from wagtail_lifecycle.rendering.images import MailImage

#: pages a mail lists
LISTED = 5


@dataclass(frozen=True)
class PopularPage:
    """A page that people opened in the period."""

    title: str
    #: absolute
    url: str
    #: in the period
    views: int
    #: its description for search engines; "" where it has none
    summary: str = ""
    #: None where it has none
    picture: MailImage | None = None


@dataclass(frozen=True)
class MostViewed:
    """The most viewed public pages of a period, at most five, best first."""

    period: Period
    pages: tuple[PopularPage, ...]


@register_data_source
class PopularPages(SameForEverybody):
    name = "popular_pages"
    label = gettext_lazy("Most viewed pages")

    def load_once(self, period: Period) -> MostViewed:
        top = [item for item in count_by_page(public_pages(), period, limit=LISTED) if item.views]
        pages = load_pages(item.page_id for item in top)
        urls, pictures = full_urls(pages.values()), pictures_of(pages.values())
        return MostViewed(
            period,
            tuple(
                PopularPage(page.title, urls[page.pk], item.views, summary_of(page), pictures.get(page.pk))
                for item in top
                if (page := pages.get(item.page_id)) and page.pk in urls
            ),
        )

    def example(self, period: Period) -> MostViewed:
        summary = _("What happened when nobody was looking.")
        return MostViewed(period, tuple(PopularPage(row.title, row.url, row.views, summary) for row in example_rows()))

    def is_empty(self, data: MostViewed | None) -> bool:
        return data is None or not data.pages
