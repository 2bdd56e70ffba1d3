"""All checks of one campaign, and what somebody has accepted of it."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.core.serializers.json import DjangoJSONEncoder

from wagtail_lifecycle import registry
from wagtail_lifecycle.models.problems import problems_of
from wagtail_lifecycle.preflight import walking
from wagtail_lifecycle.preflight.base import BLOCKER, Check, Finding
from wagtail_lifecycle.preflight.flights import Circumstances, Flight

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from wagtail_lifecycle.models import Campaign
    from wagtail_lifecycle.preflight.tallies import Tally

logger = logging.getLogger(__name__)

#: What Wagtail writes down about a version, and what says nothing about the mail.
BOOKKEEPING: Final = frozenset(
    [
        *("pk", "live", "has_unpublished_changes", "first_published_at", "last_published_at", "live_revision"),
        *("latest_revision", "locked", "locked_at", "locked_by", "expired", "go_live_at", "expire_at"),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the checks say."""

    findings: tuple[Finding, ...]
    #: the checks that found nothing
    passed: tuple[type[Check], ...]

    @property
    def blockers(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == BLOCKER]

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity != BLOCKER]

    @property
    def to_accept(self) -> list[str]:
        """The codes that somebody has to accept, each once."""
        return list(dict.fromkeys(finding.code for finding in self.findings if finding.is_to_accept))


def examine(
    campaign: Campaign, now: datetime, *, circumstances: Circumstances | None = None, tally: Tally | None = None
) -> Report:
    """Look at `campaign`, saved or not, with every registered check.

    `circumstances` are what the schedule knows, `tally` what came of mails to people. Checks that need what is not
    given are left out: they are neither passed nor failed.
    """
    flight = Flight(campaign, now, circumstances=circumstances, tally=tally, problems=problems_of(campaign))
    return report_on(flight, _fitting(flight))


def blockers_of(campaign: Campaign, now: datetime) -> list[Finding]:
    """Return why `campaign` may not be live, as far as that needs no people and no schedule."""
    flight = Flight(campaign, now, problems=problems_of(campaign))
    return list(report_on(flight, (check for check in _fitting(flight) if check.severity == BLOCKER)).findings)


def report_on(flight: Flight, checks: Iterable[type[Check]]) -> Report:
    """Return what `checks` say about `flight`."""
    found = {check: each for check in checks if (each := _findings(check, flight)) is not None}
    findings = tuple(finding for each in found.values() for finding in each)
    return Report(findings=findings, passed=tuple(check for check, each in found.items() if not each))


def _findings(check: type[Check], flight: Flight) -> list[Finding] | None:
    try:
        return check().findings(flight)
    except Exception:
        # A site's own block or check may raise anything, and the editor must stay usable.
        extra = {"action": "preflight", "check": check.name, "campaign_id": flight.campaign.pk}
        logger.exception("a check of the pre-flight failed", extra=extra)
        return None


def _fitting(flight: Flight) -> list[type[Check]]:
    is_source = flight.campaign.is_source
    return [
        check
        for check in registry.checks
        if (is_source or check.is_of_content) and (flight.tally is not None or not check.needs_people)
    ]


def content_key(campaign: Campaign) -> str:
    """Return what tells two versions of a campaign apart by what they say and to whom: a SHA-256."""
    # Blocks that nobody has read yet are serialized as they were stored, others with all their fields.
    walking.items(campaign.body)
    values: dict[str, Any] = campaign.serializable_data()
    said = {name: value for name, value in sorted(values.items()) if name not in BOOKKEEPING}
    return hashlib.sha256(json.dumps(said, cls=DjangoJSONEncoder, sort_keys=True).encode()).hexdigest()
