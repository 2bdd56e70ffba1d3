"""Whose rules hold: a translation has only words of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wagtail_lifecycle.models.campaigns import Campaign
    from wagtail_lifecycle.rendering import Content


def rules_of(campaign: Campaign) -> Campaign:
    """Return whose sender, audience, topic and period hold: those of the source."""
    source = campaign.source
    # The object at hand, because what is edited is not saved yet.
    return campaign if source.pk == campaign.pk else source


def content_of(campaign: Campaign) -> Content:
    """Return the words of the campaign, and for a translation the rules of its source."""
    rules = rules_of(campaign)
    return campaign.content if rules is campaign else campaign.content.ruled_by(rules.content)
