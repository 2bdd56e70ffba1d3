"""Warnings that somebody has accepted by name, for one content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wagtail_lifecycle.models import Acceptance
from wagtail_lifecycle.preflight.reports import content_key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from wagtail_lifecycle.models import Campaign


def accepted_codes(campaign: Campaign) -> set[str]:
    """Return the codes that somebody has accepted for what `campaign` says now."""
    if campaign.pk is None:
        return set()
    rows = Acceptance.objects.filter(campaign=campaign.pk, content_key=content_key(campaign))
    return {code for codes in rows.values_list("codes", flat=True) for code in codes}


def accept(campaign: Campaign, codes: Iterable[str], *, user: Any, now: datetime) -> Acceptance | None:
    """Write down that `user` accepts these warnings about what `campaign` says now; None where there are none."""
    wanted = sorted(set(codes))
    if not wanted:
        return None
    return Acceptance.objects.create(
        campaign_id=campaign.pk, content_key=content_key(campaign), codes=wanted, user=user, accepted_at=now
    )
