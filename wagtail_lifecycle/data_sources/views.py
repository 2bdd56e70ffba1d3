"""Views of pages, counted for a period and for the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Q, QuerySet, Sum

from wagtail_lifecycle.models import DailyPageViews

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wagtail_lifecycle.data_sources.periods import Period


class Counted(NamedTuple):
    """Views of one page."""

    page_id: int
    #: in the period
    views: int
    #: in the period before
    previous: int


@dataclass(frozen=True)
class PageRow:
    """One page of a table of views."""

    title: str
    #: absolute
    url: str
    #: in the period
    views: int
    #: in the period before
    previous: int
    #: in whole per cent against the period before; None where it had no views
    change: int | None
    #: length of the bar, 0 to 100; the most viewed page has 100
    share: int


def change(views: int, previous: int) -> int | None:
    """Return the change in whole per cent; None where there is nothing to compare with."""
    return round((views - previous) * 100 / previous) if previous else None


def count_by_page(pages: QuerySet[Any], period: Period, limit: int | None = None) -> list[Counted]:
    """Return the views of each page in the period and the one before, best first, in one query."""
    is_now = Q(day__gte=period.start)
    views = DailyPageViews.objects.between(period.previous.start, period.end)
    sums = (
        views.filter(page__in=pages.order_by().values("pk"))
        .order_by()
        .values_list("page_id")
        .annotate(now=Sum("count", filter=is_now, default=0), before=Sum("count", filter=~is_now, default=0))
        .order_by("-now", "-before", "page_id")
    )
    return [Counted(*row) for row in sums[:limit]]


def rows_of(counted: Iterable[Counted], pages: Mapping[int, Any], urls: Mapping[int, str]) -> tuple[PageRow, ...]:
    """Return the pages that were viewed as rows of a table, in the order given."""
    shown = [item for item in counted if item.views and item.page_id in urls]
    most = max((item.views for item in shown), default=0)
    return tuple(
        PageRow(
            title=pages[item.page_id].title,
            url=urls[item.page_id],
            views=item.views,
            previous=item.previous,
            change=change(item.views, item.previous),
            share=max(1, round(item.views * 100 / most)),
        )
        for item in shown
    )
