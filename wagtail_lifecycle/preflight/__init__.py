"""Before a campaign goes live: what would go wrong, and what somebody should look at.

Every check is a class that `register_check` knows; a site adds its own in its `lifecycle.py`. None of them fetches an
address.
"""

from wagtail_lifecycle.preflight import leading, looking, sending, showing, writing
from wagtail_lifecycle.preflight.base import BLOCKER, WARNING, Check, Fault, Finding
from wagtail_lifecycle.preflight.flights import Flight
from wagtail_lifecycle.preflight.reports import Report, content_key, examine

__all__ = [
    "BLOCKER",
    "WARNING",
    "Check",
    "Fault",
    "Finding",
    "Flight",
    "Report",
    "content_key",
    "examine",
    "leading",
    "looking",
    "sending",
    "showing",
    "writing",
]
