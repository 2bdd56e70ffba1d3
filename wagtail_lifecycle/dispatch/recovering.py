"""What crashed, got lost or was forgotten is put right by looking at the rows alone."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.dispatch import claiming, clock, closing, days, durability, senders
from wagtail_lifecycle.dispatch.outcomes import MAX_UNCERTAIN_ATTEMPTS
from wagtail_lifecycle.models import Delivery, Run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

Status, Reason = Delivery.Status, Delivery.Reason

#: Rows and runs put right in one call; the next comes within a minute.
BOUND: Final = 5000
#: A run somebody claimed from so recently has a worker.
BUSY: Final = timedelta(seconds=60)


def recover(now: datetime) -> list[int]:
    """Put right what is expired or forgotten; answer the runs that need a task to send them."""
    _take_back_claims()
    _decide_sendings(now)
    _sweep_cancelled_runs()
    _close_finished_runs(now)
    _log("runs_reopened", days.reopen(now))
    probes = senders.wake()
    return list(dict.fromkeys([*probes, *_runs_without_work()]))


def _take_back_claims() -> None:
    rows = Delivery.objects.filter(status=Status.CLAIMED, lease_until__lt=Now()).order_by("pk")
    ids = list(rows.values_list("pk", flat=True)[:BOUND])
    lapsed = _lapsed(ids, Status.CLAIMED)
    claiming.end_exhausted(lapsed, Reason.POISON)
    _log("claims_taken_back", lapsed.update(status=Status.QUEUED, token=None, lease_until=None))


def _decide_sendings(now: datetime) -> None:
    """Decide about mails whose worker died between the intent and the outcome."""
    # One transaction: a group of which only a part were decided would look like another one.
    with transaction.atomic():
        doubtful, untouched = _tell_apart()
        _log("never_begun", _lapsed(untouched, Status.SENDING).update(**_queued()))
        _give_up(_lapsed(doubtful, Status.SENDING), now)
    # The next groups can be told apart again.
    durability.ensure_epoch()


def _tell_apart() -> tuple[list[int], list[int]]:
    """Return the rows that may have been sent, and those that certainly were not."""
    lapsed = Delivery.objects.filter(status=Status.SENDING, lease_until__lt=Now()).order_by("pk")
    rows = list(lapsed.values_list("pk", "token", "lines", "crash_epoch")[:BOUND])
    # After the rows: outcomes that a crash took between the two must not be missed.
    epoch = durability.current_epoch()
    doubtful: list[int] = []
    untouched: list[int] = []
    seen: Counter[object] = Counter()
    for pk, token, lines, mark in rows:
        is_next = seen[token] < lines
        seen[token] += 1
        (doubtful if is_next or not durability.is_reliable(mark, epoch) else untouched).append(pk)
    return doubtful, untouched


def _give_up(doubtful: QuerySet[Delivery], now: datetime) -> None:
    transactional = Q(run__in=Run.objects.filter(is_transactional=True))
    again = doubtful.filter(transactional, attempts__lt=MAX_UNCERTAIN_ATTEMPTS - 1)
    again.update(
        status=Status.DEFERRED,
        reason=Reason.LOST_REPLY,
        due_at=Now(),
        attempts=F("attempts") + 1,
        token=None,
        lease_until=None,
    )
    # The token stays: the worker may be alive after all, and know the answer.
    _log(
        "sendings_uncertain",
        doubtful.update(
            status=Status.UNCERTAIN,
            reason=Reason.LOST_REPLY,
            attempts=F("attempts") + 1,
            lease_until=None,
            finished_at=now,
        ),
    )


def _sweep_cancelled_runs() -> None:
    unfinished = Run.objects.filter(status=Run.Status.CANCELLED, finished_at=None)
    for run_id in unfinished.values_list("pk", flat=True)[:BOUND]:
        closing.sweep(run_id)


def _close_finished_runs(now: datetime) -> None:
    done = Run.objects.filter(closing.UNDER_WAY, ~closing.OPEN_DELIVERIES, ~days.lasting(now))
    for run_id in done.values_list("pk", flat=True)[:BOUND]:
        closing.close_run(run_id, now)


def _runs_without_work() -> list[int]:
    """Return the open runs with something due that nobody has claimed from lately."""
    rows = Delivery.objects.filter(run=OuterRef("pk"))
    is_due = Exists(rows.filter(Q(due_at=None) | Q(due_at__lte=Now()), status__in=Delivery.DUE))
    fresh = clock.after(settings.lease - BUSY)
    is_busy = Exists(rows.filter(status__in=[Status.CLAIMED, Status.SENDING], lease_until__gt=fresh))
    preparing = Q(status=Run.Status.PREPARING)
    waiting = Run.objects.filter(preparing | Q(is_due & ~is_busy, status=Run.Status.SENDING))
    return list(waiting.exclude(days.HELD).order_by("slot", "pk").values_list("pk", flat=True)[:BOUND])


def _lapsed(ids: Sequence[int], status: str) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk__in=ids, status=status, lease_until__lt=Now())


def _queued() -> dict[str, object]:
    return {"status": Status.QUEUED, "token": None, "lease_until": None}


def _log(action: str, count: int) -> None:
    if count:
        logger.warning("%s deliveries: %s", count, action, extra={"action": action, "count": count})
