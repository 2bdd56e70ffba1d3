"""Mails that failed, wait or are in doubt, grouped by cause: what happens next, and what people can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Case, Count, Max, Min, Q, Value, When
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.models import Delivery, Run
from wagtail_lifecycle.wagtail_admin.access import Scope, scope
from wagtail_lifecycle.wagtail_admin.actions import ACTIONS, Action
from wagtail_lifecycle.wagtail_admin.outlook import moment
from wagtail_lifecycle.wagtail_admin.run_list import slot_in_words

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.utils.functional import Promise

Status, Reason = Delivery.Status, Delivery.Reason

#: Runs that ended longer ago have their own pages.
REACH: Final = timedelta(days=30)
#: Groups shown at once.
MOST: Final = 100
#: What is told of, the most urgent first.
HEADINGS: Final[dict[str, Promise]] = {
    "uncertain": _("Uncertain: a person has to decide"),
    "failed": _("Failed"),
    "waiting": _("Waiting to be tried again"),
}
STATUSES: Final = {
    "uncertain": (Status.UNCERTAIN,),
    "failed": (Status.FAILED,),
    "waiting": (Status.DEFERRED, Status.QUEUED),
}
OFFERED: Final = {"uncertain": ("treat-as-sent", "send-again"), "failed": ("retry-failed",), "waiting": ()}
KIND: Final = Case(
    When(status=Status.UNCERTAIN, then=Value("uncertain")),
    When(status=Status.FAILED, then=Value("failed")),
    default=Value("waiting"),
)
#: What helps against a cause, where more is known than the reason says.
ADVICE: Final[dict[str, Promise]] = {
    Reason.REFUSED: _("Nothing happens by itself: the same mail would be refused again. Read what the server said."),
    Reason.TEMPORARY: _("Nothing any more: it was tried for as long as it may be."),
    Reason.UNREACHABLE: _("Nothing any more: it was tried for as long as it may be."),
    Reason.RENDER_ERROR: _("Nothing happens by itself: put the content or the data right, then try again."),
    Reason.SITE_CODE: _("Nothing happens by itself: the site's log says what failed. Put it right, then try again."),
    Reason.POISON: _("Nothing happens by itself: the site's log says why. Put it right, then try again."),
}


@dataclass(frozen=True, kw_only=True)
class Group:
    """Mails of one campaign with one cause."""

    campaign_id: int
    campaign: str
    #: a key of HEADINGS
    kind: str
    reason: str
    #: the reason in words
    why: str
    count: int
    #: in how many runs
    runs: str
    next_step: str
    #: an example of what the server said
    said: str = ""
    last_run: str = ""
    last_run_url: str = ""
    offers: list[dict[str, Any]] = field(default_factory=list)


def rows(now: datetime) -> QuerySet[Delivery]:
    """Return the mails in question of the runs that are open or not long over."""
    in_trouble = Q(status__in=[Status.FAILED, Status.UNCERTAIN, Status.DEFERRED]) | Q(
        Q(status=Status.QUEUED), ~Q(reason="")
    )
    recent = Q(run__status__in=Run.OPEN) | Q(run__slot__gte=now - REACH) | Q(run__finished_at__gte=now - REACH)
    return Delivery.objects.filter(in_trouble, recent)


@dataclass(frozen=True)
class Reach:
    """Of which campaigns somebody may see the runs, steer them and see their people."""

    seen: Scope
    steered: Scope
    people: Scope

    @classmethod
    def of(cls, user: Any) -> Reach:
        return cls(scope(user, "view", Run), scope(user, "steer", Run), scope(user, "view", Delivery))


def groups(now: datetime, reach: Reach) -> list[Group]:
    """Return the groups, the most urgent and the largest first, in two queries."""
    by_cause = (
        reach.seen.narrow(rows(now), "run__campaign")
        .order_by()
        .annotate(kind=KIND)
        .values("run__campaign", "run__campaign__name", "kind", "reason")
    )
    found: list[Any] = list(
        by_cause.annotate(
            count=Count("pk"),
            runs=Count("run", distinct=True),
            newest=Max("run"),
            due=Min("due_at"),
            said=Max("detail"),
            held=Count("pk", filter=Q(run__status=Run.Status.PAUSED)),
        ).order_by("-count", "run__campaign", "reason")[:MOST]
    )
    newest = Run.objects.filter(pk__in=[row["newest"] for row in found]).select_related("campaign")
    runs = {run.pk: run for run in newest.defer("campaign__body")}
    told = [_group(row, runs.get(row["newest"]), now, reach) for row in found]
    return sorted(told, key=lambda group: list(HEADINGS).index(group.kind))


def _group(row: dict[str, Any], run: Run | None, now: datetime, reach: Reach) -> Group:
    kind, reason, campaign_id = row["kind"], row["reason"], row["run__campaign"]
    offered = OFFERED[kind] if reason and campaign_id in reach.steered else ()
    return Group(
        campaign_id=campaign_id,
        campaign=row["run__campaign__name"],
        kind=kind,
        reason=reason,
        why=str(dict(Reason.choices).get(reason, reason)) or gettext("No reason is known."),
        count=row["count"],
        runs=ngettext("in %(count)d run", "in %(count)d runs", row["runs"]) % {"count": row["runs"]},
        next_step=_next_step(row, now),
        said=row["said"] if campaign_id in reach.people else "",
        last_run=slot_in_words(run) if run else "",
        last_run_url=_people_url(row) if run else "",
        offers=[_offer(ACTIONS[slug], campaign_id, reason) for slug in offered],
    )


def _offer(action: Action, campaign_id: int, reason: str) -> dict[str, Any]:
    return {"action": action, "url": reverse(f"lifecycle_failures:{action.slug}", args=[campaign_id, reason])}


def _people_url(row: dict[str, Any]) -> str:
    query = urlencode({"status": STATUSES[row["kind"]], "reason": row["reason"]}, doseq=True)
    return f"{reverse('lifecycle_runs:run', args=[row['newest']])}?{query}"


def _next_step(row: dict[str, Any], now: datetime) -> str:
    if row["kind"] == "uncertain":
        return gettext("Nothing: a person has to decide. Ask one of the people, or the log of the mail server.")
    if row["kind"] == "failed":
        return str(ADVICE.get(row["reason"], _("Nothing: a person has to decide.")))
    if row["held"] == row["count"]:
        return gettext("They wait for as long as their run is paused.")
    if row["due"] is None or row["due"] <= now:
        return gettext("They are tried again within a minute.")
    time = moment(row["due"], settings.time_zone).words
    return gettext("They are tried again, the first on %(time)s.") % {"time": time}
