"""What people do to runs, mails and senders that are under way. Every change is conditional and may be repeated.

Workers look once a second and before every group, so each of these takes effect within seconds and one mail per
connection. What is to be sent goes out when somebody enqueues the run, or with the next `recover`.
"""

from __future__ import annotations

import logging
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.data_sources import Period
from wagtail_lifecycle.dispatch import closing, editions, senders
from wagtail_lifecycle.exceptions import LifecycleError
from wagtail_lifecycle.models import Delivery, Run, SenderState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

Status, Reason = Delivery.Status, Delivery.Reason

#: Deliveries cancelled, or decided about, while the person waits. `recover` goes on with those to be cancelled.
BOUND: Final = 20_000
#: The most ids in one statement.
CHUNK: Final = 5_000
#: Left out for what may have changed since; the last look before the mail decides again.
MAY_HAVE_CHANGED: Final = (Reason.NO_ADDRESS, Reason.OPTED_OUT, Reason.SUPPRESSED, Reason.GONE, Reason.EMPTY)


class NotPossible(LifecycleError, ValueError):
    """The run is in no state for that; the message says which, and what can be done."""


# -- Runs ------------------------------------------------------------------------------------------------------


def pause(run_id: int, *, user: Any, now: datetime) -> int:
    """Hold a run until a person resumes it; answer 1, or 0 if it was held already."""
    open_runs = _run(run_id).filter(status__in=Run.OPEN)
    held = open_runs.filter(status=Run.Status.PAUSED, reason=Run.Reason.PERSON)
    if held.exists():
        return 0
    if not open_runs.update(status=Run.Status.PAUSED, reason=Run.Reason.PERSON):
        raise _impossible(run_id, _("It has ended, so there is nothing to pause."))
    return _done("pause", 1, user, now, run_id=run_id)


def resume(run_id: int, *, user: Any, now: datetime) -> int:
    """Let a paused run go on, or wait for its sender where that is paused; answer 1, or 0 if nobody had paused it."""
    run = _get(run_id)
    if run.status in {Run.Status.PREPARING, Run.Status.SENDING}:
        return 0
    if run.status != Run.Status.PAUSED:
        raise _impossible(run_id, _("It has ended. Use “Retry failed” or “Send to the rest” to go on with it."))
    if run.reason == Run.Reason.SENDER:
        _refuse_if_sender_is_paused(run)
    count = _run(run_id).filter(status=Run.Status.PAUSED).update(**_going_on(run, now))
    return _done("resume", count, user, now, run_id=run_id)


def cancel(run_id: int, *, user: Any, now: datetime) -> int:
    """End a run; answer how many mails will not go. A mail that is leaving at this moment goes.

    Of a very large run `recover` cancels the rest.
    """
    ended = _run(run_id).filter(status__in=Run.OPEN)
    if ended.update(status=Run.Status.CANCELLED, reason=Run.Reason.PERSON, finished_at=None):
        return _done("cancel", closing.sweep(run_id, bound=BOUND), user, now, run_id=run_id)
    if _get(run_id).status == Run.Status.CANCELLED:
        return 0
    raise _impossible(run_id, _("It has ended, so there is nothing to cancel."))


def retry_failed(run_id: int, *, user: Any, now: datetime, reason: str | None = None) -> int:
    """Try the failed mails of a run once more, all or those with one reason; answer how many.

    Those about an event that was too long ago stay as they are: `too_old` tells how many.
    """
    return _send_again(run_id, _failed(run_id, reason), "retry_failed", user, now)


def too_old(run_id: int, *, now: datetime, reason: str | None = None) -> int:
    """Return how many failed mails are not worth trying again, because their event was too long ago."""
    about_events = _failed(run_id, reason).exclude(event_key="")
    return about_events.count() - _worth_sending(_get(run_id), about_events, now).count()


def send_to_rest(run_id: int, *, user: Any, now: datetime) -> int:
    """Send to those of the audience who have no mail of this run; answer how many were left out before.

    People who have joined the audience since are planned anew and not in that number. Uncertain mails stay uncertain.
    """
    rows = Delivery.objects.filter(run=run_id)
    stopped = rows.filter(status__in=[Status.FAILED, Status.CANCELLED])
    left_out = rows.filter(status=Status.SKIPPED, reason__in=MAY_HAVE_CHANGED)
    # Nothing has happened to the others of the audience of a run about an event.
    is_about_events = rows.exclude(event_key="").exists()
    return _send_again(run_id, stopped | left_out, "send_to_rest", user, now, is_planned_anew=not is_about_events)


def send_skipped(run_id: int, *, user: Any, now: datetime) -> int:
    """Make a missed slot a run that goes now; answer 1, or 0 if somebody else was faster."""
    run = _get(run_id)
    if run.status in Run.OPEN and run.missed_from is not None:
        return 0
    if (run.status, run.reason) != (Run.Status.SKIPPED, Run.Reason.MISSED):
        raise _impossible(run_id, _("It was not missed. Only a missed run can be sent afterwards."))
    if not run.campaign.live:
        raise _impossible(run_id, _("Its campaign is not active. Publish it first."))
    period = Period.for_slot(run.campaign.period, run.slot)
    with transaction.atomic():
        missed = _run(run_id).filter(status=Run.Status.SKIPPED, reason=Run.Reason.MISSED)
        count = missed.update(
            status=Run.Status.PREPARING,
            reason="",
            created_at=now,
            finished_at=None,
            is_transactional=run.campaign.is_transactional,
            period_start=period.start,
            period_end=period.end,
        )
        if count:
            editions.pin(run, run.campaign)
    return _done("send_skipped", count, user, now, run_id=run_id)


# -- Mails -----------------------------------------------------------------------------------------------------


def settle_uncertain(delivery_ids: Iterable[int], *, sent: bool, user: Any, now: datetime) -> int:
    """Decide about uncertain mails: they count as sent, or are sent again with the same Message-ID; answer how many."""
    with transaction.atomic():
        uncertain = Delivery.objects.select_for_update().filter(pk__in=list(delivery_ids), status=Status.UNCERTAIN)
        runs = Counter(uncertain.values_list("run", flat=True))
        if sent:
            count = uncertain.update(status=Status.SENT, reason="", token=None, finished_at=now)
        else:
            count = uncertain.update(status=Status.DEFERRED, token=None, due_at=now, finished_at=None)
            _reopen(Run.objects.filter(pk__in=list(runs), status=Run.Status.FINISHED), now)
        for run_id in runs:
            closing.correct_totals(run_id)
    return _done("settle_as_sent" if sent else "settle_as_not_sent", count, user, now)


def settle_run(run_id: int, *, sent: bool, user: Any, now: datetime, reason: str | None = None) -> int:
    """Decide about the uncertain mails of a run, all or those with one reason, as `settle_uncertain` does."""
    rows = Delivery.objects.filter(run=run_id, status=Status.UNCERTAIN)
    left = iter((rows.filter(reason=reason) if reason else rows).order_by("pk").values_list("pk", flat=True)[:BOUND])
    chunks = iter(lambda: list(islice(left, CHUNK)), [])
    return sum(settle_uncertain(chunk, sent=sent, user=user, now=now) for chunk in chunks)


# -- Senders ---------------------------------------------------------------------------------------------------


def pause_sender(key: str, *, user: Any, now: datetime) -> int:
    """Hold everything of a sender until a person resumes it; answer 1, or 0 if it was held already."""
    settings.sender(key)
    return _done("pause_sender", senders.pause_by_person(key), user, now, sender=key)


def resume_sender(key: str, *, user: Any, now: datetime) -> int:
    """Let a sender work again; answer how many runs were waiting for it."""
    settings.sender(key)
    return _done("resume_sender", senders.resume(key), user, now, sender=key)


# -- What they share -------------------------------------------------------------------------------------------


def _send_again(
    run_id: int, rows: QuerySet[Delivery], action: str, user: Any, now: datetime, *, is_planned_anew: bool = False
) -> int:
    run = _get(run_id)
    if run.status == Run.Status.SKIPPED or run.reason == Run.Reason.BROKEN:
        raise _impossible(run_id, _("It never had a mail to send."))
    rows = _worth_sending(run, rows, now)
    with transaction.atomic():
        count = rows.update(
            status=Status.QUEUED, reason="", detail="", attempts=0, claims=0, due_at=None, token=None, finished_at=None
        )
        ended = _run(run_id).filter(status__in=[Run.Status.FINISHED, Run.Status.CANCELLED])
        if is_planned_anew:
            ended.update(planned_at=None, plan_cursor="", created_at=now)
        if count or is_planned_anew:
            _reopen(ended, now)
            # What failed before is being repaired: the breaker and the patience begin anew.
            _run(run_id).filter(status__in=Run.OPEN).update(resumed_at=now)
    return _done(action, count, user, now, run_id=run_id)


def _failed(run_id: int, reason: str | None) -> QuerySet[Delivery]:
    failed = Delivery.objects.filter(run=run_id, status=Status.FAILED)
    return failed.filter(reason=reason) if reason else failed


def _worth_sending(run: Run, rows: QuerySet[Delivery], now: datetime) -> QuerySet[Delivery]:
    """Leave out what would be skipped as expired as soon as it is due."""
    lifetime = editions.lifetime_of(run) if rows.exclude(event_key="").exists() else None
    return rows if lifetime is None else rows.filter(created_at__gte=now - lifetime)


def _reopen(runs: QuerySet[Run], now: datetime) -> None:
    going_on: dict[str, Any] = {"reason": "", "finished_at": None, "totals": {}, "resumed_at": now}
    ids = list(runs.values_list("pk", flat=True))
    unplanned = Run.objects.filter(pk__in=ids, planned_at=None)
    planned = Run.objects.filter(pk__in=ids).exclude(planned_at=None)
    planned.update(status=Run.Status.SENDING, **going_on)
    unplanned.update(status=Run.Status.PREPARING, **going_on)


def _going_on(run: Run, now: datetime) -> dict[str, Any]:
    if _paused_sender(run):
        # Only a run that waits for its sender can be the one that tries it again.
        return {"status": Run.Status.PAUSED, "reason": Run.Reason.SENDER, "resumed_at": now}
    status = Run.Status.SENDING if run.planned_at else Run.Status.PREPARING
    return {"status": status, "reason": "", "resumed_at": now}


def _paused_sender(run: Run) -> SenderState | None:
    return SenderState.objects.filter(senders.PAUSED, key=editions.source_of(run).sender).first()


def _refuse_if_sender_is_paused(run: Run) -> None:
    state = _paused_sender(run)
    if state is not None:
        raise _impossible(
            run.pk,
            _("Its sender is paused (%(reason)s) Resume the sender; its runs go on with it.")
            % {"reason": state.get_reason_display()},
        )


def _run(run_id: int) -> QuerySet[Run]:
    return Run.objects.filter(pk=run_id)


def _get(run_id: int) -> Run:
    run = Run.objects.select_related("campaign").filter(pk=run_id).first()
    if run is None:
        raise NotPossible(_("There is no run %(run)s.") % {"run": run_id})
    return run


def _impossible(run_id: int, why: str) -> NotPossible:
    run = _get(run_id)
    sentence = _("The run is %(status)s.") % {"status": run.get_status_display()}
    return NotPossible(f"{sentence} {why}")


def _done(action: str, count: int, user: Any, now: datetime, **ids: Any) -> int:
    """Write down who did what; the audit log that editors see is the admin's."""
    extra = {"action": action, "user_id": getattr(user, "pk", None), "count": count, "at": now.isoformat(), **ids}
    logger.info("Steered: %s", action, extra=extra)
    return count
