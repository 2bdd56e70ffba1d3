"""What of a campaign is to run now, and what was missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Max

from wagtail_lifecycle.models import CampaignState, Run
from wagtail_lifecycle.schedules.slots import Schedule, Span, latest, span_between, upcoming

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wagtail_lifecycle.models import Campaign

#: Waking up takes a moment: nobody means "drop it" with less.
PATIENCE: Final = timedelta(minutes=2)
JUST: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class Pending:
    """The slots of a campaign that have passed without a run."""

    #: the newest one, if it is young enough to run
    due: datetime | None = None
    #: all the others; they never run
    missed: Span | None = None


def pending(campaign: Campaign, state: CampaignState, *, now: datetime, last_run: datetime | None) -> Pending:
    """Return what has passed since the last run, and since the last change of the schedule."""
    if not campaign.live or state.problem or state.pause_reason:
        return Pending()
    schedule = Schedule.of(campaign, changed_at=state.changed_at)
    if schedule.fingerprint != state.fingerprint:
        # Changed behind our back: `sync` comes first and says from when the new one counts.
        return Pending()
    since = max(filter(None, [state.changed_at - JUST, last_run]))
    span = span_between(schedule, since, now)
    if span is None:
        return Pending()
    if now - span.last > max(campaign.late_within, PATIENCE):
        return Pending(missed=span)
    return Pending(due=span.last, missed=_without_last(schedule, span))


def _without_last(schedule: Schedule, span: Span) -> Span | None:
    before = latest(schedule, span.last - JUST)
    if span.count == 1 or before is None:
        return None
    return Span(span.first, before, span.count - 1)


def last_runs(campaign_ids: Iterable[int], now: datetime) -> dict[int, datetime]:
    """Return the newest slot of each campaign that has a run, in one query."""
    # A clock that was ahead for a moment may have left a run in the future: it must not silence the campaign.
    runs = Run.objects.filter(campaign__in=list(campaign_ids), slot__lte=now)
    return dict(runs.order_by().values_list("campaign").annotate(newest=Max("slot")))


def next_slot(campaign: Campaign, state: CampaignState, now: datetime) -> datetime | None:
    schedule = Schedule.of(campaign, changed_at=state.changed_at)
    return next(iter(upcoming(schedule, now, 1)), None)


def advance(campaign: Campaign, state: CampaignState, now: datetime) -> None:
    """Move `state.next_slot` past `now`."""
    if state.next_slot is None or state.next_slot > now:
        return
    coming = next_slot(campaign, state, now)
    # Only what was read is replaced: the campaign may have been unpublished meanwhile.
    rows = CampaignState.objects.filter(pk=state.pk, next_slot=state.next_slot)
    if rows.update(next_slot=coming):
        state.next_slot = coming
