"""The claim protocol: every change of a delivery is a compare-and-set, so two workers never own one row.

queued, deferred → claimed → sending → an outcome. The rows say who owns them (token) and until when (lease).
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils import timezone

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.dispatch import clock, durability
from wagtail_lifecycle.exceptions import ClaimLost
from wagtail_lifecycle.models import Delivery, Run
from wagtail_lifecycle.models.lookups import Among

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from wagtail_lifecycle.dispatch.durability import Form
    from wagtail_lifecycle.planning import Person

Status = Delivery.Status

#: Nothing of the mail was begun, so the next worker may take it at once.
AT_ONCE: Final = timedelta(0)
#: Preparing a mail that was claimed in vain so often will fail the next worker too.
MAX_CLAIMS: Final = 5
#: From so many on a row is claimed alone.
SUSPECT: Final = 2
#: Mails that are worth the time a task takes to begin.
WORTH_A_TASK: Final = 500


def among(ids: Sequence[int]) -> Among:
    """Return the condition to be one of these deliveries."""
    return Among(F("pk"), ids)


def due(run_id: int) -> QuerySet[Delivery]:
    """Return the deliveries of the run that may be claimed now."""
    is_due = Q(due_at=None) | Q(due_at__lte=Now())
    return Delivery.objects.filter(is_due, run=run_id, status__in=Delivery.DUE)


def tasks_worth(run: Run) -> int:
    """Return how many tasks can send the run side by side without one of them having nothing to do."""
    if run.status == Run.Status.PREPARING:
        # Nobody knows yet how many people there are, but they are more than are planned at once.
        return settings.tasks_per_run
    waiting = due(run.pk).order_by()[: WORTH_A_TASK * settings.tasks_per_run].count()
    return max(1, math.ceil(waiting / WORTH_A_TASK))


def claim(run_id: int, size: int) -> list[Delivery]:
    """Take up to `size` due deliveries; nobody else gets them until the lease is over.

    One that workers did not survive twice is taken alone, so that it does not take others with it.
    """
    token = uuid4()
    # Durable: what a caller's open transaction could roll back would be sent twice.
    with transaction.atomic(durable=True):
        chosen = due(run_id).order_by("pk").select_for_update(skip_locked=_can_skip_locked())
        rows = _together(chosen[:size])
        ids = [row.pk for row in rows]
        # The guard is what makes it right; the lock above only saves waiting.
        claimed = Delivery.objects.filter(among(ids), status__in=Delivery.DUE).update(
            status=Status.CLAIMED, token=token, lease_until=clock.after(settings.lease), claims=F("claims") + 1
        )
    if claimed < len(rows):
        return list(Delivery.objects.filter(among(ids), token=token).order_by("pk"))
    for row in rows:
        row.status, row.token, row.claims = Status.CLAIMED, token, row.claims + 1
    return rows


def release(group: Sequence[Delivery]) -> None:
    """Give back what this worker has claimed and not announced; the claim does not count."""
    _give_back(group, delay=AT_ONCE, claims=Greatest(F("claims") - 1, 0), reason=F("reason"))


def lapse(group: Sequence[Delivery]) -> None:
    """Give back a group whose people or data could not be read; its claims count, and too many end it."""
    end_exhausted(_owned(group), Delivery.Reason.SITE_CODE)
    claims = max(delivery.claims for delivery in group)
    reason = Value(Delivery.Reason.SITE_CODE.value)
    _give_back(group, delay=settings.group_rest * 2**claims, claims=F("claims"), reason=reason)


def end_exhausted(rows: QuerySet[Delivery], reason: str) -> int:
    """End those of `rows` that were claimed too often without ever being announced."""
    return rows.filter(claims__gte=MAX_CLAIMS).update(
        status=Status.FAILED,
        reason=reason,
        token=None,
        lease_until=None,
        due_at=None,
        finished_at=timezone.now(),
    )


def leave_out(group: Iterable[Delivery], reason: str) -> int:
    """End claimed deliveries as skipped; answer how many still were ours."""
    return _owned(list(group)).update(
        status=Status.SKIPPED, reason=reason, token=None, lease_until=None, due_at=None, finished_at=timezone.now()
    )


def readdress(delivery: Delivery, person: Person) -> bool:
    """Note the person's new address; answer False where somebody else of the run has that mailbox."""
    try:
        with transaction.atomic():
            change(delivery, [Status.CLAIMED], address=person.address, address_hash=person.address_hash)
    except IntegrityError:
        return False
    delivery.address, delivery.address_hash = person.address, person.address_hash
    return True


def announce(
    group: Sequence[Delivery], *, form: Form, lines: int, allowed: Sequence[Any], now: datetime
) -> list[Delivery]:
    """Write down, before any of these mails leaves, that they are about to; answer those that still are ours.

    `allowed` are further conditions. An intent also proves that preparing these mails kills nobody, so the count of
    lapsed claims starts again.
    """
    ids = [delivery.pk for delivery in group]
    token = group[0].token
    ours = Delivery.objects.filter(*durability.waited_for(), *allowed, among(ids), token=token, status=Status.CLAIMED)
    announced = ours.filter(lease_until__gt=Now()).update(
        status=Status.SENDING,
        lease_until=clock.after(settings.lease),
        claims=0,
        crash_epoch=form.mark,
        lines=lines,
        dated_at=Coalesce("dated_at", Value(now)),
    )
    if announced == len(ids):
        return list(group)
    kept = Delivery.objects.filter(among(ids), token=token, status=Status.SENDING)
    known = set(kept.values_list("pk", flat=True)) if announced else set()
    return [delivery for delivery in group if delivery.pk in known]


def renew(group: Sequence[Delivery], status: str) -> int:
    """Hold rows for another lease, unless the last one is over; answer how many still were ours."""
    ids, tokens = [delivery.pk for delivery in group], {delivery.token for delivery in group}
    held = Delivery.objects.filter(among(ids), token__in=tokens, status=status, lease_until__gt=Now())
    return held.update(lease_until=clock.after(settings.lease))


def retract(group: Sequence[Delivery]) -> int:
    """Give back rows that were announced and whose mails certainly were not begun; answer how many were ours."""
    ids, tokens = [delivery.pk for delivery in group], {delivery.token for delivery in group}
    rows = Delivery.objects.filter(
        *durability.waited_for(), among(ids), token__in=tokens, status__in=[Status.SENDING, Status.CLAIMED]
    )
    return rows.update(status=Status.QUEUED, token=None, lease_until=None)


def change(delivery: Delivery, expected: Sequence[str], **values: Any) -> None:
    """Change a row that is still ours and still in an expected state. Raises ClaimLost."""
    waits = durability.waited_for()
    ours = Delivery.objects.filter(*waits, pk=delivery.pk, token=delivery.token, status__in=expected)
    if not ours.update(**values):
        raise ClaimLost(
            f"Delivery {delivery.pk} is no longer {' or '.join(expected)} under our token: the lease was over, "
            "or somebody cancelled it. Send nothing more of this group."
        )


def _together(due_rows: Iterable[Delivery]) -> list[Delivery]:
    rows: list[Delivery] = []
    for row in due_rows:
        if row.claims >= SUSPECT:
            return rows or [row]
        rows.append(row)
    return rows


def _give_back(group: Sequence[Delivery], *, delay: timedelta, claims: Any, reason: Any) -> None:
    _owned(group).update(
        status=Status.QUEUED,
        token=None,
        lease_until=None,
        due_at=clock.after(delay) if delay else F("due_at"),
        claims=claims,
        reason=reason,
    )


def _owned(group: Sequence[Delivery]) -> QuerySet[Delivery]:
    tokens = {delivery.token for delivery in group}
    ids = [delivery.pk for delivery in group]
    return Delivery.objects.filter(among(ids), token__in=tokens, status=Status.CLAIMED)


def _can_skip_locked() -> bool:
    return connection.features.has_select_for_update_skip_locked
