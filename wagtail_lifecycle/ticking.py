"""What is due and what was missed: `schedules` meets `dispatch`. A tick is only a wake-up."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef

from wagtail_lifecycle import dispatch, schedules
from wagtail_lifecycle.models import Campaign, CampaignState
from wagtail_lifecycle.models.problems import obstacles_of
from wagtail_lifecycle.schedules.circumstances import beat_heart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from django.db.models import QuerySet

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one live campaign stands, with its periodic task and its last run."""

    campaign: Campaign
    state: CampaignState | None
    task: Any
    last_run: datetime | None


def tick(campaign_id: int, now: datetime) -> int | None:
    """Open the run that is due for a campaign, record what was missed, and return the run's id or None."""
    runs = list(_release_all(_look([campaign_id], now), now))
    return runs[0] if runs else None


def recover(now: datetime) -> list[int]:
    """Do for every live campaign what a lost tick would have done; return the runs that have work to do."""
    beat_heart(now)
    standings = _look(None, now)
    _switch_off_strays({standing.campaign.pk for standing in standings}, now)
    opened = list(_release_all(standings, now))
    return list(dict.fromkeys([*opened, *dispatch.recover(now)]))


def _look(ids: list[int] | None, now: datetime) -> list[Standing]:
    """Return how the live campaigns stand, brought into step where they were not."""
    standings = _standings(ids, now)
    stale = [s.campaign.pk for s in standings if not schedules.in_step(s.campaign, s.state, s.task, now)]
    if not stale:
        return standings
    for campaign_id in stale:
        _sync(campaign_id, now)
    return _standings(ids, now)


def _switch_off_strays(known: set[int], now: datetime) -> None:
    """Deal with the enabled tasks of campaigns that were unpublished or deleted without telling us."""
    for campaign_id, task in schedules.campaign_tasks().items():
        if task.enabled and campaign_id not in known:
            _sync(campaign_id, now)


def _sync(campaign_id: int, now: datetime) -> None:
    try:
        schedules.sync(campaign_id, now)
    except Exception:
        # One campaign at fault must not keep the others waiting; it is tried again in a minute.
        logger.exception("campaign not synced", extra={"action": "sync", "campaign_id": campaign_id})


def _standings(ids: list[int] | None, now: datetime) -> list[Standing]:
    campaigns = _sources(ids)
    tasks = schedules.campaign_tasks(ids)
    states = {state.campaign_id: state for state in CampaignState.objects.filter(campaign__in=campaigns)}
    last_runs = schedules.last_runs((campaign.pk for campaign in campaigns), now)
    return [
        Standing(campaign=c, state=states.get(c.pk), task=tasks.get(c.pk), last_run=last_runs.get(c.pk))
        for c in campaigns
    ]


def _sources(ids: list[int] | None) -> list[Campaign]:
    """Return the live campaigns without their content; translations are content only."""
    earlier = Campaign.objects.filter(translation_key=OuterRef("translation_key"), pk__lt=OuterRef("pk"))
    live: QuerySet[Campaign] = Campaign.objects.filter(~Exists(earlier), live=True).defer("body")
    return list(live if ids is None else live.filter(pk__in=ids))


def _release_all(standings: Iterable[Standing], now: datetime) -> Iterator[int]:
    for standing in standings:
        try:
            run_id = _release(standing, now)
        except Exception:
            # As above.
            extra = {"action": "release", "campaign_id": standing.campaign.pk}
            logger.exception("campaign not released", extra=extra)
        else:
            if run_id is not None:
                yield run_id


def _open(campaign: Campaign, slot: datetime, now: datetime) -> int | None:
    """Open the run unless something broke since publishing: a sender left the settings, a group was deleted."""
    if obstacles_of(campaign):
        schedules.sync(campaign.pk, now)
        return None
    return dispatch.open_run(campaign, slot, now).pk


def _release(standing: Standing, now: datetime) -> int | None:
    campaign, state = standing.campaign, standing.state
    if state is None or state.problem or state.pause_reason:
        return None
    pending = schedules.pending(campaign, state, now=now, last_run=standing.last_run)
    if pending.missed:
        # First, or a crash after the newer run would hide them for good.
        missed = pending.missed
        dispatch.skip_slots(campaign, missed.first, missed.last, missed.count, now)
    run_id = _open(campaign, pending.due, now) if pending.due else None
    schedules.advance(campaign, state, now)
    return run_id
