"""Keeps each live campaign exactly one periodic task, and obeys who disables it in beat's admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from wagtail_lifecycle import preflight
from wagtail_lifecycle.exceptions import InvalidSchedule, LifecycleError
from wagtail_lifecycle.models import Campaign, CampaignState, Rehearsal
from wagtail_lifecycle.schedules import beat
from wagtail_lifecycle.schedules.due import next_slot
from wagtail_lifecycle.schedules.slots import ON_EVENT, Schedule, upcoming

if TYPE_CHECKING:
    from datetime import datetime

PAUSED = CampaignState.Pause.DISABLED_IN_BEAT


def sync(campaign_pk: int, now: datetime | None = None) -> None:
    """Bring beat and the state into step with the campaign as it stands in the database.

    Any pk will do: a translation stands for its source, and what was deleted loses its periodic task.
    """
    with transaction.atomic():
        campaign = Campaign.objects.filter(pk=campaign_pk).first()
        if campaign is None:
            _forget(campaign_pk)
        else:
            _sync(campaign.source.pk, now or timezone.now())


def pause(campaign_pk: int, reason: str, now: datetime | None = None) -> None:
    """Let no run of a campaign begin before somebody resumes it; one that is paused already stays as it is."""
    with transaction.atomic():
        campaign = Campaign.objects.filter(pk=campaign_pk).first()
        if campaign is not None:
            _sync(campaign.source.pk, now or timezone.now(), pausing=reason)


def resume(campaign_pk: int, now: datetime | None = None) -> None:
    """Let a campaign go on that was paused for whatever reason; slots missed meanwhile stay unsent."""
    with transaction.atomic():
        campaign = Campaign.objects.filter(pk=campaign_pk).first()
        if campaign is not None:
            _sync(campaign.source.pk, now or timezone.now(), resumed=True)


def _forget(campaign_pk: int) -> None:
    task = beat.find_task(beat.task_name(campaign_pk))
    if task is not None:
        beat.delete(task)


def _sync(campaign_pk: int, now: datetime, *, resumed: bool = False, pausing: str = "") -> None:
    # The state's row is the lock: whoever comes second reads the campaign and beat anew.
    states = CampaignState.objects.select_for_update()
    state, _created = states.get_or_create(campaign_id=campaign_pk, defaults={"changed_at": now})
    campaign = Campaign.objects.get(pk=campaign_pk)
    task = beat.find_task(beat.task_name(campaign_pk))
    before = _values(state)
    _notice_a_person(state, task)
    if state.pause_reason and (resumed or _is_mended(state, campaign)):
        _unpause(state)
    state.pause_reason = state.pause_reason or pausing
    state.problem = _problem(campaign, state, now) if campaign.live else ""
    if campaign.live and not state.problem:
        _schedule(campaign, state, task, now)
    else:
        _unschedule(campaign, state, task)
    if _values(state) != before:
        state.save()


def _values(state: CampaignState) -> tuple[object, ...]:
    return (state.changed_at, state.fingerprint, state.next_slot, state.pause_reason, state.problem)


def _notice_a_person(state: CampaignState, task: Any) -> None:
    """Obey what somebody did to the periodic task since we left it."""
    if task is None:
        return
    if task.enabled and state.pause_reason:
        _unpause(state)
    elif was_disabled(state, task):
        state.pause_reason = PAUSED


def _is_mended(state: CampaignState, campaign: Campaign) -> bool:
    """Tell whether the version whose mails could not be made is live no more."""
    if state.pause_reason != CampaignState.Pause.PREFLIGHT:
        return False
    rehearsal = Rehearsal.objects.filter(revision=campaign.live_revision_id).first()
    return rehearsal is None or not rehearsal.is_blocking


def was_disabled(state: CampaignState, task: Any) -> bool:
    """Tell whether somebody disabled a task that we had left enabled: then a next slot is promised, or an event."""
    is_left_enabled = state.next_slot is not None or _waits_for_an_event(state)
    return is_left_enabled and not task.enabled and not beat.has_fired(task)


def _waits_for_an_event(state: CampaignState) -> bool:
    return state.fingerprint.startswith(f"{ON_EVENT} ") and not (state.problem or state.pause_reason)


def _unpause(state: CampaignState) -> None:
    state.pause_reason = CampaignState.Pause.NONE
    # An activation: no slot from before it runs.
    state.fingerprint = ""


def _problem(campaign: Campaign, state: CampaignState, now: datetime) -> str:
    """Return why the campaign cannot be sent, as sentences; empty when it can."""
    # In one language whoever publishes: `recover` would put it into its own a minute later.
    with translation.override(settings.LANGUAGE_CODE):
        sentences = []
        try:
            sentences += [finding.message for finding in preflight.blockers_of(campaign, now)]
            check_with(campaign, state, now)
            beat.queue_of(campaign)
        # A bad schedule, or settings of the site that are wrong: publishing must not fail for either.
        except LifecycleError as error:
            sentences.append(str(error))
    return " ".join(dict.fromkeys(sentences))


def check_with(campaign: Campaign, state: CampaignState | None, now: datetime) -> None:
    """Raise InvalidSchedule, with its field, where the schedule is incomplete or would never come."""
    schedule = Schedule.of(campaign, changed_at=now)
    running = state is not None and state.fingerprint == schedule.fingerprint
    if not running and schedule.frequency != ON_EVENT and not upcoming(schedule, now, 1):
        raise InvalidSchedule(_("That moment has passed: choose a date and time in the future."), field="date")


def _schedule(campaign: Campaign, state: CampaignState, task: Any, now: datetime) -> None:
    fingerprint = Schedule.of(campaign).fingerprint
    changed = state.fingerprint != fingerprint or beat.is_ahead(state.changed_at, now)
    if changed:
        state.fingerprint, state.changed_at = fingerprint, now
    schedule = Schedule.of(campaign, changed_at=state.changed_at)
    paused = bool(state.pause_reason)
    state.next_slot = None if paused else next_slot(campaign, state, now)
    wanted = beat.wanted_for(campaign, schedule, paused=paused, task=task, now=now)
    beat.write(
        beat.task_name(campaign.pk),
        wanted,
        task=task,
        restart=changed or _waits_in_vain(task, now),
        last_run_at=beat.last_run_for(schedule, wanted.row, now),
    )


def _waits_in_vain(task: Any, now: datetime) -> bool:
    return task is not None and beat.is_ahead(task.last_run_at, now)


def _unschedule(campaign: Campaign, state: CampaignState, task: Any) -> None:
    beat.switch_off(task)
    state.next_slot = None
    if not campaign.live:
        # Publishing again is an activation. A problem is not: what comes after it goes on where it was.
        state.fingerprint = ""


def in_step(campaign: Campaign, state: CampaignState | None, task: Any, now: datetime) -> bool:
    """Tell whether `sync` would find nothing to do, without a query and without compiling the mail."""
    if not campaign.live:
        return task is None or not task.enabled
    if state is None or state.problem or task is None:
        return False
    if was_disabled(state, task) or beat.is_ahead(state.changed_at, now) or _waits_in_vain(task, now):
        return False
    try:
        schedule = Schedule.of(campaign, changed_at=state.changed_at)
    except InvalidSchedule:
        return False
    paused = bool(state.pause_reason)
    wanted = beat.wanted_for(campaign, schedule, paused=paused, task=task, now=now)
    return schedule.fingerprint == state.fingerprint and wanted.matches(task)
