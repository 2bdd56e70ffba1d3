"""The end of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from wagtail_lifecycle.dispatch import days
from wagtail_lifecycle.models import Delivery, Run

if TYPE_CHECKING:
    from datetime import datetime


CLAIMED = Delivery.Status.CLAIMED
OPEN_DELIVERIES = Exists(Delivery.objects.filter(run=OuterRef("pk"), status__in=Delivery.OPEN))
#: Also runs that wait for their sender: their last mail may have ended as a probe, and nothing is left to wait for.
UNDER_WAY = Q(status=Run.Status.SENDING) | Q(
    status=Run.Status.PAUSED, reason=Run.Reason.SENDER, planned_at__isnull=False
)


def close_run(run_id: int, now: datetime | None = None) -> bool:
    """Finish the run if nothing of it is open; answer whether this call did."""
    now = now or timezone.now()
    with transaction.atomic():
        runs = Run.objects.filter(UNDER_WAY, ~OPEN_DELIVERIES, ~days.lasting(now), pk=run_id)
        closed = runs.update(status=Run.Status.FINISHED, reason="", finished_at=now)
        if closed:
            write_totals(run_id)
    return bool(closed)


def break_run(run_id: int) -> None:
    """Cancel a run whose content cannot become a mail; nobody gets half of it.

    Rows in `sending` are left: their mails are out of our hands. `recover` finishes the run once they have ended.
    """
    with transaction.atomic():
        Run.objects.filter(pk=run_id, status__in=Run.OPEN).update(status=Run.Status.CANCELLED, reason=Run.Reason.BROKEN)
        sweep(run_id)
        write_totals(run_id)


def sweep(run_id: int, *, bound: int | None = None) -> int:
    """Cancel what is still open of a cancelled run, at most `bound` of it; answer how many.

    Rows in `sending` are left to the worker that has them, which notices within a second; rows that somebody has locked
    are left to the next call.
    """
    cancelled = Run.objects.filter(pk=run_id, status=Run.Status.CANCELLED)
    if not cancelled.exists():
        return 0
    now = timezone.now()
    rows = Delivery.objects.filter(run=run_id, status__in=[*Delivery.DUE, CLAIMED])
    with transaction.atomic():
        # Several sweep at once, and workers give rows back meanwhile: whoever waited could wait in a circle.
        can_skip = connection.features.has_select_for_update_skip_locked
        chosen = rows.order_by("pk").select_for_update(skip_locked=can_skip).values_list("pk", flat=True)
        # As a list: PostgreSQL may run a subquery with a limit several times.
        ids = chosen if bound is None else list(chosen[:bound])
        count = rows.filter(pk__in=ids).update(
            status=Delivery.Status.CANCELLED, token=None, lease_until=None, due_at=None, finished_at=now
        )
    with transaction.atomic():
        if cancelled.filter(~OPEN_DELIVERIES, finished_at=None).update(finished_at=now) or count:
            write_totals(run_id)
    return count


def correct_totals(run_id: int) -> None:
    """Write down the totals of a run again that has ended meanwhile."""
    if Run.objects.filter(pk=run_id).exclude(status__in=Run.OPEN).exists():
        write_totals(run_id)


def write_totals(run_id: int) -> None:
    """Write down how many deliveries of the run ended how."""
    rows = Delivery.objects.filter(run=run_id).order_by().values_list("status")
    Run.objects.filter(pk=run_id).update(totals=dict(rows.annotate(count=Count("pk"))))
