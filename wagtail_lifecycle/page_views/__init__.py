"""Counting the views of pages. Who viewed is never kept."""

from wagtail_lifecycle.page_views.counting import ViewCounter, count, flush, is_due, views_of, write_due
from wagtail_lifecycle.page_views.people import is_person

__all__ = ["ViewCounter", "count", "flush", "is_due", "is_person", "views_of", "write_due"]
