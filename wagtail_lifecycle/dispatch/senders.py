"""Senders that work, and those that do not: paused with a reason, probed, resumed by themselves or by a person."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.dispatch import clock
from wagtail_lifecycle.models import Delivery, Run, RunContent, SenderState

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

Reason = SenderState.Reason

#: The longest pause between two probes.
PROBE_CAP: Final = timedelta(minutes=15)
#: Runs looked at in one call; the next comes within a minute.
BOUND: Final = 1000
PAUSED: Final = Q(paused_at__isnull=False)


def is_paused(key: str) -> bool:
    """Return whether nothing is sent from this sender."""
    return SenderState.objects.filter(PAUSED, key=key).exists()


def pause(key: str, reason: str, detail: str = "") -> int:
    """Stop a sender because of a fault. A probe finds out when it is over. Answers whether this call did it."""
    SenderState.objects.get_or_create(key=key)
    states = SenderState.objects.filter(key=key)
    first = timedelta(seconds=settings.probe_seconds)
    paused = states.filter(~PAUSED).update(
        reason=reason, detail=detail, paused_at=Now(), probe_at=clock.after(first), probes=0
    )
    if paused:
        logger.error("Sender paused: %s", reason, extra={"action": "sender_paused", "sender": key, "reason": reason})
    else:
        states.filter(probe_at__isnull=False).update(reason=reason, detail=detail)
    return paused


def pause_by_person(key: str) -> int:
    """Stop a sender until a person resumes it."""
    SenderState.objects.get_or_create(key=key)
    states = SenderState.objects.filter(key=key).exclude(PAUSED, reason=Reason.PERSON)
    return states.update(reason=Reason.PERSON, detail="", paused_at=Now(), probe_at=None, probes=0)


def due_probe(key: str) -> bool:
    """Take the next probe of a paused sender; answer whether it is due and nobody else has it."""
    due = SenderState.objects.filter(PAUSED, key=key, probe_at__lte=Now())
    state = due.first()
    if state is None:
        return False
    pause_after = min(PROBE_CAP, timedelta(seconds=settings.probe_seconds) * 2 ** min(state.probes + 1, 20))
    return bool(due.filter(probes=state.probes).update(probes=F("probes") + 1, probe_at=clock.after(pause_after)))


def probe_again(key: str) -> int:
    """Take back that a probe was in vain: the server answered, only this one mail says nothing about the others."""
    soon = clock.after(timedelta(seconds=settings.probe_seconds))
    return SenderState.objects.filter(PAUSED, key=key, probe_at__isnull=False).update(probes=0, probe_at=soon)


def resume(key: str) -> int:
    """Let a sender and the runs that wait for it go on; answer how many runs."""
    working = {"reason": "", "detail": "", "paused_at": None, "probe_at": None, "probes": 0}
    if SenderState.objects.filter(PAUSED, key=key).update(**working):
        logger.warning("Sender resumed", extra={"action": "sender_resumed", "sender": key})
    return let_go_on(run_id for run_id, sender in waiting_runs() if sender == key)


def waiting_runs() -> list[tuple[int, str]]:
    """Return the runs that wait for their sender, each with the key of the sender it has pinned."""
    waiting = {"run__status": Run.Status.PAUSED, "run__reason": Run.Reason.SENDER}
    contents = RunContent.objects.filter(**waiting, locale=F("run__campaign__locale"))
    return list(contents.order_by("run__slot", "run").values_list("run", "revision__content__sender")[:BOUND])


def let_go_on(run_ids: Iterable[int]) -> int:
    """Take the pause for the sender's sake from these runs."""
    runs = Run.objects.filter(pk__in=list(run_ids), status=Run.Status.PAUSED, reason=Run.Reason.SENDER)
    planned = runs.exclude(planned_at=None).update(status=Run.Status.SENDING, reason="")
    return planned + runs.filter(planned_at=None).update(status=Run.Status.PREPARING, reason="")


def make_wait(run_id: int) -> int:
    """Pause a run until its sender works again."""
    runs = Run.objects.filter(pk=run_id, status__in=[Run.Status.PREPARING, Run.Status.SENDING])
    return runs.update(status=Run.Status.PAUSED, reason=Run.Reason.SENDER)


def wake() -> list[int]:
    """Let runs go on whose sender works again; answer one run for each sender that is to be probed."""
    waiting = waiting_runs()
    if not waiting:
        return []
    paused = {state.key: state for state in SenderState.objects.filter(PAUSED)}
    let_go_on(run_id for run_id, key in waiting if key not in paused)
    due = set(SenderState.objects.filter(PAUSED, probe_at__lte=Now()).values_list("key", flat=True))
    ready = _with_due_mails(run_id for run_id, key in waiting if key in due)
    probes = {key: run_id for run_id, key in reversed(waiting) if run_id in ready}
    return list(probes.values())


def _with_due_mails(run_ids: Iterable[int]) -> set[int]:
    rows = Delivery.objects.filter(Q(due_at=None) | Q(due_at__lte=Now()), run=OuterRef("pk"), status__in=Delivery.DUE)
    unplanned = Q(planned_at=None)
    runs = Run.objects.filter(unplanned | Exists(rows), pk__in=list(run_ids))
    return set(runs.values_list("pk", flat=True))
