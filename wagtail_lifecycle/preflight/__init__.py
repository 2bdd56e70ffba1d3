"""Before a campaign goes live: what would go wrong, and what somebody should look at.

Every check is a class that `register_check` knows; a site adds its own in its `lifecycle.py`. None of them fetches an
address.
"""

from wagtail_lifecycle.preflight import leading, looking, sending, showing, writing
from wagtail_lifecycle.preflight.accepting import accept, accepted_codes
from wagtail_lifecycle.preflight.base import BLOCKER, WARNING, Check, Fault, Finding
from wagtail_lifecycle.preflight.flights import Circumstances, Flight
from wagtail_lifecycle.preflight.reports import Report, blockers_of, content_key, examine
from wagtail_lifecycle.preflight.trying import try_people, try_sample

__all__ = [
    "BLOCKER",
    "WARNING",
    "Check",
    "Circumstances",
    "Fault",
    "Finding",
    "Flight",
    "Report",
    "accept",
    "accepted_codes",
    "blockers_of",
    "content_key",
    "examine",
    "leading",
    "looking",
    "sending",
    "showing",
    "try_people",
    "try_sample",
    "writing",
]
