"""Complete campaigns to begin from: the base class, and the built-in ones."""

from wagtail_lifecycle.starters.base import Draft, Starter
from wagtail_lifecycle.starters.built_in import (
    Announcement,
    MonthlyReport,
    Reminder,
    VerifyAddress,
    ViewsDigest,
    Welcome,
)

__all__ = [
    "Announcement",
    "Draft",
    "MonthlyReport",
    "Reminder",
    "Starter",
    "VerifyAddress",
    "ViewsDigest",
    "Welcome",
]
