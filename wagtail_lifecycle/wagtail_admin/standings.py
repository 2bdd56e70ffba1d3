"""How campaigns stand, for the list of them: loaded for a whole page of the list at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import Exists, Min, OuterRef, Subquery
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wagtail_lifecycle import schedules
from wagtail_lifecycle.audiences import audience_choices
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.exceptions import InvalidSchedule
from wagtail_lifecycle.models import Campaign, CampaignState, Run
from wagtail_lifecycle.wagtail_admin.balances import Balance, balances_of
from wagtail_lifecycle.wagtail_admin.outlook import moment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from django.utils.functional import Promise

STATUSES: Final[dict[str, Promise]] = {
    "draft": _("draft"),
    "live": _("live"),
    "sent": _("sent"),
    "problem": _("needs fixing"),
    "paused": _("paused"),
}
#: Why a campaign is paused, beside the word "paused".
PAUSES: Final[dict[str, Promise]] = {
    CampaignState.Pause.DISABLED_IN_BEAT: _("Its periodic task was disabled."),
}
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
    next_run: str = ""
    last_run: str = ""
    last_run_id: int | None = None
    balance: Balance | None = None
    state: CampaignState | None = None

    @property
    def status_label(self) -> str:
        label = str(STATUSES[self.status])
        return gettext("%(status)s + draft") % {"status": label} if self.has_unpublished_changes else label

    @property
    def last_run_summary(self) -> str:
        return self.balance.summary if self.balance else ""


def standings_of(campaigns: Iterable[Campaign]) -> dict[int, Standing]:
    """Return the standing of each campaign by primary key, in a constant number of queries."""
    campaigns = list(campaigns)
    ids = [campaign.pk for campaign in campaigns]
    states = {state.campaign_id: state for state in CampaignState.objects.filter(campaign__in=ids)}
    runs = {run.campaign_id: run for run in _last_runs(ids)}
    balances = balances_of(runs.values())
    sources = _source_ids(campaigns)
    labels = dict(audience_choices())
    return {
        campaign.pk: _standing(
            campaign,
            state=states.get(campaign.pk),
            run=(run := runs.get(campaign.pk)),
            balance=balances.get(run.pk) if run else None,
            audience=str(labels.get(campaign.audience, campaign.audience)),
        )
        if campaign.pk in sources
        else _standing_of_translation(campaign)
        for campaign in campaigns
    }


def status_of(campaign: Campaign, state: CampaignState | None, run: Run | None = None) -> str:
    if not campaign.live:
        return "draft"
    if state and state.problem:
        return "problem"
    if state and state.pause_reason:
        return "paused"
    return "sent" if state and run and _is_over(campaign, state, run) else "live"


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
    campaign: Campaign, *, state: CampaignState | None, run: Run | None, balance: Balance | None, audience: str
) -> Standing:
    zone = zone_of(campaign)
    problem = _schedule_problem(campaign)
    return Standing(
        status=status_of(campaign, state, run),
        why=_why(state) if campaign.live and state else "",
        has_unpublished_changes=campaign.live and campaign.has_unpublished_changes,
        schedule="" if problem else schedules.describe(campaign),
        schedule_problem=problem,
        audience=audience,
        next_run=moment(state.next_slot, zone).words if state and state.next_slot else "",
        last_run=moment(run.slot, zone).words if run else "",
        last_run_id=run.pk if run else None,
        balance=balance,
        state=state,
    )


def _standing_of_translation(campaign: Campaign) -> Standing:
    return Standing(
        status=status_of(campaign, None),
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
