"""The circuit breaker: a run most of whose mails fail is paused before all of them have."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.dispatch import clock
from wagtail_lifecycle.models import Delivery, Run

if TYPE_CHECKING:
    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

Status = Delivery.Status

#: RFC 3463: the mailbox does not exist, or takes no mail (RFC 7505). That is the recipient's, not the message's.
HARD_BOUNCE: Final = re.compile(r"\b5\.1\.(?:1|10)\b")
#: Seconds between two looks; counting a run of a million takes a moment.
PAUSE: Final = 2.0


class Breaker:
    """Watches one run while a task works on it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._looked_at = -PAUSE
        self._failed = 0

    def heed(self, status: str) -> bool:
        """Take note of how a delivery ended; answer whether the run has been paused because of it."""
        if status != Status.FAILED:
            return False
        self._failed += 1
        if self._failed > settings.breaker.alike and clock.elapsed() - self._looked_at < PAUSE:
            return False
        self._looked_at = clock.elapsed()
        return is_tripped(self._run) and _pause(self._run)


def is_tripped(run: Run) -> bool:
    """Whether too many mails of the run have failed since a person last let it go on."""
    return _fail_alike(run) or _fail_often(run)


def _rows(run: Run) -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(run=run.pk)
    return rows.filter(finished_at__gte=run.resumed_at) if run.resumed_at else rows


def _fail_alike(run: Run) -> bool:
    """Whether the first mails of the run were all refused with the same words: then it is the content."""
    wanted = settings.breaker.alike
    if _rows(run).filter(status=Status.SENT).exists():
        return False
    failed = _rows(run).filter(status=Status.FAILED).order_by("pk")
    ends = list(failed.values_list("reason", "detail")[:wanted])
    kinds = {(reason, *detail.split()[:2]) for reason, detail in ends}
    return len(ends) == wanted and len(kinds) == 1 and not HARD_BOUNCE.search(ends[0][1])


def _fail_often(run: Run) -> bool:
    rules = settings.breaker
    failed = _rows(run).filter(status=Status.FAILED).count()
    if failed < rules.share * rules.after:
        return False
    decided = _rows(run).filter(status__in=[Status.SENT, Status.FAILED, Status.UNCERTAIN]).count()
    return decided >= rules.after and failed >= rules.share * decided


def _pause(run: Run) -> bool:
    at_work = Run.objects.filter(pk=run.pk, status__in=[Run.Status.PREPARING, Run.Status.SENDING])
    paused = at_work.update(status=Run.Status.PAUSED, reason=Run.Reason.BREAKER)
    if paused:
        logger.error("Run paused: too many failures", extra={"action": "breaker", "run_id": run.pk})
    return True
