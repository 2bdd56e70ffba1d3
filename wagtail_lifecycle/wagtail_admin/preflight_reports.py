"""What the pre-flight shows: the findings with links to where they are put right, and what happens on publishing."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext

from wagtail_lifecycle import preflight, registry, schedules
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.samples import audience_of
from wagtail_lifecycle.schedules.circumstances import circumstances_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from wagtail_lifecycle.preflight import Finding, Report

logger = logging.getLogger(__name__)

#: The tab of each field; the others are under "What".
TABS: Final = {
    **dict.fromkeys(["audience", "topic", "is_transactional"], "who"),
    **dict.fromkeys(["trigger", "event", "delay", "frequency", "every", "weekday", "month_day", "date"], "when"),
    **dict.fromkeys(["time_of_day", "time_zone"], "when"),
    **dict.fromkeys(["late_within", "period", "expire_at"], "rules"),
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """One sentence, and where it is put right."""

    message: str
    #: empty where no field can put it right
    url: str
    #: what the editor calls the field
    field: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """What one check found."""

    code: str
    places: list[Place]
    is_to_accept: bool
    is_accepted: bool


def report_of(campaign: Campaign, now: datetime, *, people: bool = True) -> Report:
    """Return what every check says about `campaign`, saved or not; without `people` it is fast."""
    tally = preflight.try_sample(campaign, now) if people else None
    return preflight.examine(campaign, now, circumstances=circumstances_of(campaign, now), tally=tally)


def unaccepted(campaign: Campaign, report: Report) -> list[str]:
    """Return the warnings that nobody has accepted for what `campaign` says now."""
    if not report.to_accept:
        return []
    accepted = preflight.accepted_codes(campaign)
    return [code for code in report.to_accept if code not in accepted]


def groups_of(findings: Iterable[Finding], campaign: Campaign, accepted: set[str] | None = None) -> list[Group]:
    """Return findings by check, each with the way to its field."""
    edit_url = reverse(Campaign.snippet_viewset.get_url_name("edit"), args=[campaign.pk])
    known = accepted or set()
    return [
        Group(
            code=code,
            places=[_place(finding, edit_url) for finding in each],
            is_to_accept=each[0].is_to_accept,
            is_accepted=code in known,
        )
        for code, found in groupby(findings, key=lambda finding: finding.code)
        if (each := list(found))
    ]


def _place(finding: Finding, edit_url: str) -> Place:
    if not finding.field:
        return Place(message=finding.message, url="", field="")
    anchor = f"block-{finding.block_id}-section" if finding.block_id else _anchor_of(finding.field)
    field = Campaign._meta.get_field(finding.field)
    label = str(getattr(field, "verbose_name", finding.field))
    return Place(message=finding.message, url=f"{edit_url}#{anchor}", field=label)


def _anchor_of(field: str) -> str:
    tab = TABS.get(field, "what")
    # Wagtail gives each field a section of its own; those of the schedule share one.
    return f"tab-{tab}" if tab in {"when", "rules"} else f"panel-child-{tab}-{field}-section"


def departure_of(campaign: Campaign, now: datetime) -> str:
    """Return what happens once it is live, as a sentence with its name in italics; empty where nothing will."""
    if not campaign.is_source:
        return ""
    name = {"name": campaign.name}
    if campaign.is_on_event:
        return format_html(gettext("<em>{name}</em> goes to everybody of the audience to whom it happens."), **name)
    begin = max(now, campaign.go_live_at) if campaign.go_live_at else now
    slot = next(iter(schedules.next_slots(campaign, begin, 1)), None)
    size = audience_size(campaign, now)
    if slot is None or size is None:
        return ""
    sentence = ngettext(
        "On {date} at {time} <em>{name}</em> goes to about {count} person.",
        "On {date} at {time} <em>{name}</em> goes to about {count} people.",
        size,
    )
    return format_html(sentence, **_moment(slot, campaign), count=intcomma(size), **name)


def button_of(campaign: Campaign, now: datetime) -> str:
    """Return what the button says: the same in few words."""
    slot = next(iter(schedules.next_slots(campaign, now, 1)), None) if campaign.is_source else None
    size = audience_size(campaign, now)
    if slot is None or size is None or campaign.is_on_event:
        return gettext("Publish")
    sentence = ngettext(
        "Publish: on %(date)s at %(time)s to about %(count)s person",
        "Publish: on %(date)s at %(time)s to about %(count)s people",
        size,
    )
    return sentence % {**_moment(slot, campaign), "count": intcomma(size)}


def _moment(slot: datetime, campaign: Campaign) -> dict[str, str]:
    local = slot.astimezone(campaign.zone)
    return {"date": date_format(local, "DATE_FORMAT"), "time": f"{local:%H:%M}"}


def audience_size(campaign: Campaign, now: datetime) -> int | None:
    try:
        return audience_of(campaign).count(now)
    # An audience of the site may raise anything; the checks say so.
    except Exception:
        logger.exception("audience not counted", extra={"action": "preflight", "campaign_id": campaign.pk})
        return None


def passed_sentences(report: Report) -> list[str]:
    return [str(check.passed) for check in report.passed]


def titles_of(codes: Iterable[str]) -> str:
    """Return names of checks for the history, also of those that are gone."""
    return ", ".join(code if code in registry.checks else f"({code})" for code in codes)
