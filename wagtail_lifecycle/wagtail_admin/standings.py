"""How campaigns stand, for the list of them: loaded for a whole page of the list at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, Min, OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.models import WorkflowState

from wagtail_lifecycle import schedules
from wagtail_lifecycle.audiences import audience_choices
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.exceptions import InvalidSchedule
from wagtail_lifecycle.models import Campaign, CampaignState, Run
from wagtail_lifecycle.wagtail_admin.balances import Balance, balances_of
from wagtail_lifecycle.wagtail_admin.outlook import moment
from wagtail_lifecycle.wagtail_admin.progress import GOING, progress_in_words, rates_of, sizes_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from django.utils.functional import Promise

STATUSES: Final[dict[str, Promise]] = {
    "draft": _("draft"),
    "moderation": _("in moderation"),
    "live": _("live"),
    "sent": _("sent"),
    "problem": _("needs fixing"),
    "paused": _("paused"),
    "running": _("running"),
}
#: Why a campaign is paused, beside the word "paused".
PAUSES: Final[dict[str, Promise]] = {
    CampaignState.Pause.DISABLED_IN_BEAT: _("Its periodic task was disabled."),
    CampaignState.Pause.PREFLIGHT: _("Some of its mails cannot be made, or would be cut. The pre-flight says which."),
}
#: Workflows that are not over.
MODERATED: Final = (WorkflowState.STATUS_IN_PROGRESS, WorkflowState.STATUS_NEEDS_CHANGES)
#: They go once, and are over then.
ONCE: Final = (Campaign.Frequency.ONCE, Campaign.Frequency.NOW)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One line of the list."""

    #: a key of STATUSES
    status: str
    #: why it is paused or cannot be sent
    why: str = ""
    has_unpublished_changes: bool = False
    schedule: str = ""
    #: why there is no schedule
    schedule_problem: str = ""
    audience: str = ""
    #: how many people are in it today
    audience_size: int | None = None
    #: how far the run is that goes on
    progress: str = ""
    next_run: str = ""
    last_run: str = ""
    last_run_id: int | None = None
    balance: Balance | None = None
    state: CampaignState | None = None
    #: the last run
    run: Run | None = None

    @property
    def status_label(self) -> str:
        label = str(STATUSES[self.status])
        return gettext("%(status)s + draft") % {"status": label} if self.has_unpublished_changes else label

    @property
    def last_run_summary(self) -> str:
        return self.balance.summary if self.balance else ""


def standings_of(campaigns: Iterable[Campaign]) -> dict[int, Standing]:
    """Return the standing of each campaign by primary key, in a constant number of queries."""
    campaigns, now = list(campaigns), timezone.now()
    ids = [campaign.pk for campaign in campaigns]
    states = {state.campaign_id: state for state in CampaignState.objects.filter(campaign__in=ids)}
    runs = {run.campaign_id: run for run in _last_runs(ids)}
    for campaign in campaigns:
        if campaign.pk in runs:
            runs[campaign.pk].campaign = campaign
    balances, rates = balances_of(runs.values()), rates_of(runs.values(), now)
    moderated, sizes = in_moderation(ids), sizes_of((campaign.audience for campaign in campaigns), now)
    sources = _source_ids(campaigns)
    labels = dict(audience_choices())
    return {
        campaign.pk: _standing(
            campaign,
            state=states.get(campaign.pk),
            run=(run := runs.get(campaign.pk)),
            balance=balances.get(run.pk) if run else None,
            audience=str(labels.get(campaign.audience, campaign.audience)),
            audience_size=sizes.get(campaign.audience),
            rate=rates.get(run.pk, 0) if run else 0,
            is_moderated=campaign.pk in moderated,
        )
        if campaign.pk in sources
        else _standing_of_translation(campaign, is_moderated=campaign.pk in moderated)
        for campaign in campaigns
    }


def status_of(
    campaign: Campaign, state: CampaignState | None, run: Run | None = None, *, is_moderated: bool = False
) -> str:
    if run and is_running(campaign, run):
        return "running"
    if not campaign.live:
        return "moderation" if is_moderated else "draft"
    if state and state.problem:
        return "problem"
    if state and state.pause_reason:
        return "paused"
    return "sent" if state and run and _is_over(campaign, state, run) else "live"


def is_running(campaign: Campaign, run: Run) -> bool:
    """Tell whether mail goes now. The run of a campaign on an event is always open, and waits for the next one."""
    return run.status in GOING and not campaign.is_on_event


def in_moderation(campaign_ids: Iterable[int]) -> set[int]:
    """Return those campaigns whose workflow is going on, in one query."""
    states = WorkflowState.objects.filter(
        base_content_type=ContentType.objects.get_for_model(Campaign), status__in=MODERATED
    )
    rows = states.filter(object_id__in=[str(pk) for pk in campaign_ids]).values_list("object_id", flat=True)
    return {int(pk) for pk in rows}


def moderated_ids() -> list[int]:
    """Return the campaigns whose status is "in moderation"."""
    drafts = Campaign.objects.filter(live=False).order_by().values_list("pk", flat=True)
    return sorted(in_moderation(drafts) - set(running_ids()))


def running_ids() -> list[int]:
    """Return the campaigns whose status is "running"."""
    scheduled = Campaign.objects.filter(trigger=Campaign.Trigger.SCHEDULE).order_by().values_list("pk", flat=True)
    return [run.campaign_id for run in _last_runs(list(scheduled)) if run.status in GOING]


def _is_over(campaign: Campaign, state: CampaignState, run: Run) -> bool:
    is_of_this_schedule = state.next_slot is None and run.slot >= state.changed_at
    return (
        not campaign.is_on_event
        and campaign.frequency in ONCE
        and is_of_this_schedule
        and run.status == Run.Status.FINISHED
    )


def sent_ids() -> list[int]:
    """Return the campaigns whose status is "sent"."""
    gone = Run.objects.filter(
        campaign=OuterRef("pk"), slot__gte=OuterRef("state__changed_at"), status=Run.Status.FINISHED
    )
    campaigns = Campaign.objects.filter(
        Exists(gone),
        live=True,
        trigger=Campaign.Trigger.SCHEDULE,
        frequency__in=ONCE,
        state__problem="",
        state__pause_reason="",
        state__next_slot=None,
    )
    return list(campaigns.order_by().values_list("pk", flat=True))


def zone_of(campaign: Campaign) -> ZoneInfo:
    """Return the campaign's zone, or the site's where that is none: a list never fails."""
    try:
        return campaign.zone
    except (KeyError, ValueError):
        return settings.time_zone


def _standing(
    campaign: Campaign,
    *,
    state: CampaignState | None,
    run: Run | None,
    balance: Balance | None,
    rate: int,
    is_moderated: bool,
    audience: str,
    audience_size: int | None,
) -> Standing:
    zone = zone_of(campaign)
    problem = _schedule_problem(campaign)
    return Standing(
        status=status_of(campaign, state, run, is_moderated=is_moderated),
        progress=progress_in_words(balance, rate) if run and balance and is_running(campaign, run) else "",
        why=_why(state) if campaign.live and state else "",
        has_unpublished_changes=campaign.live and campaign.has_unpublished_changes,
        schedule="" if problem else schedules.describe(campaign),
        schedule_problem=problem,
        audience=audience,
        audience_size=audience_size,
        next_run=moment(state.next_slot, zone).words if state and state.next_slot else "",
        last_run=moment(run.slot, zone).words if run else "",
        last_run_id=run.pk if run else None,
        balance=balance,
        state=state,
        run=run,
    )


def _standing_of_translation(campaign: Campaign, *, is_moderated: bool) -> Standing:
    return Standing(
        status=status_of(campaign, None, is_moderated=is_moderated),
        has_unpublished_changes=campaign.live and campaign.has_unpublished_changes,
        schedule=gettext("As the campaign it translates"),
    )


def _schedule_problem(campaign: Campaign) -> str:
    try:
        schedules.Schedule.of(campaign)
    except InvalidSchedule as error:
        return str(error)
    return ""


def _why(state: CampaignState) -> str:
    return state.problem or str(PAUSES.get(state.pause_reason, state.pause_reason))


def _last_runs(campaign_ids: list[int]) -> Iterable[Run]:
    newest = Run.objects.filter(campaign=OuterRef("pk")).order_by("-slot", "-pk").values("pk")[:1]
    campaigns = Campaign.objects.filter(pk__in=campaign_ids).order_by()
    return Run.objects.filter(pk__in=campaigns.annotate(newest=Subquery(newest)).values("newest"))


def _source_ids(campaigns: Iterable[Campaign]) -> set[int]:
    keys = {campaign.translation_key for campaign in campaigns}
    rows = Campaign.objects.filter(translation_key__in=keys).order_by().values("translation_key")
    return set(rows.annotate(source=Min("pk")).values_list("source", flat=True))
