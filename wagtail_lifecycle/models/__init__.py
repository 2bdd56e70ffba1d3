"""The tables of the package."""

from wagtail_lifecycle.models.branding import Branding, brand_of
from wagtail_lifecycle.models.campaigns import Campaign, CampaignState
from wagtail_lifecycle.models.page_views import DailyPageViews
from wagtail_lifecycle.models.people import OptOut, Suppression, Topic
from wagtail_lifecycle.models.preflight import Acceptance, Heartbeat, Rehearsal
from wagtail_lifecycle.models.runs import Delivery, Run, RunContent
from wagtail_lifecycle.models.senders import ConnectionLease, SenderState

__all__ = [
    "Acceptance",
    "Branding",
    "Campaign",
    "CampaignState",
    "ConnectionLease",
    "DailyPageViews",
    "Delivery",
    "Heartbeat",
    "OptOut",
    "Rehearsal",
    "Run",
    "RunContent",
    "SenderState",
    "Suppression",
    "Topic",
    "brand_of",
]
