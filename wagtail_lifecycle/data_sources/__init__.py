"""Per-recipient numbers and lists, loaded once per batch, and the periods they cover."""

from wagtail_lifecycle.data_sources.base import DataSource
from wagtail_lifecycle.data_sources.loading import load_data
from wagtail_lifecycle.data_sources.page_views import OwnPageViews, PageViews
from wagtail_lifecycle.data_sources.periods import Period
from wagtail_lifecycle.data_sources.popular import MostViewed, PopularPage, PopularPages
from wagtail_lifecycle.data_sources.site import NewPages, RecentPage, RecentPages, SiteNumbers, SiteTotals
from wagtail_lifecycle.data_sources.views import PageRow

__all__ = [
    "DataSource",
    "MostViewed",
    "NewPages",
    "OwnPageViews",
    "PageRow",
    "PageViews",
    "Period",
    "PopularPage",
    "PopularPages",
    "RecentPage",
    "RecentPages",
    "SiteNumbers",
    "SiteTotals",
    "load_data",
]
