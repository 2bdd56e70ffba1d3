"""What follows from what the transport says."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import F
from django.utils import timezone

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.dispatch import claiming, clock, closing, durability
from wagtail_lifecycle.dispatch.breaking import HARD_BOUNCE
from wagtail_lifecycle.exceptions import ClaimLost
from wagtail_lifecycle.models import Delivery, Suppression
from wagtail_lifecycle.transport import Verdict
from wagtail_lifecycle.transport.outcomes import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from wagtail_lifecycle.conf import Patience
    from wagtail_lifecycle.models import Run
    from wagtail_lifecycle.transport import Outcome

Status, Reason = Delivery.Status, Delivery.Reason

#: What ends a delivery at once.
ENDS: Final = {Verdict.ACCEPTED: (Status.SENT, ""), Verdict.PERMANENT: (Status.FAILED, Reason.REFUSED)}
#: A verification mail may arrive twice, but not for ever.
MAX_UNCERTAIN_ATTEMPTS: Final = 5
#: A later answer to these may still decide an uncertain row.
CERTAIN: Final = frozenset({Verdict.ACCEPTED, Verdict.PERMANENT})


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What one run grants its mails."""

    #: at least once, instead of at most once
    is_transactional: bool
    patience: Patience
    #: when a person last let the run go on: patience begins anew
    resumed_at: datetime | None = None

    @classmethod
    def of(cls, run: Run, *, expires_after: timedelta | None = None) -> Terms:
        """Return the terms of a run; a mail about an event is tried for as long as it is worth sending."""
        patience = settings.transactional_patience if run.is_transactional else settings.bulk_patience
        if expires_after is not None:
            patience = replace(patience, give_up=expires_after)
        return cls(is_transactional=run.is_transactional, patience=patience, resumed_at=run.resumed_at)

    def delay(self, attempt: int) -> timedelta:
        """Return the pause after the given attempt, spread so that retries do not arrive in step."""
        # 2^20 of the smallest base is beyond every cap.
        step: timedelta = min(self.patience.cap, self.patience.base * 2 ** min(attempt - 1, 20))
        return step * random.uniform(0.5, 1.5)  # noqa: S311 - spreading load, not a secret

    def rest(self, delivery: Delivery, now: datetime) -> timedelta:
        """Return the pause after what was no attempt: until `recover` looks again, longer the longer it goes on."""
        shortest = timedelta(seconds=settings.recover_seconds)
        return max(shortest, min(self.patience.cap, (now - self._began(delivery)) / 2))

    def ends_at(self, delivery: Delivery) -> datetime:
        """Return after when the mail is not tried again."""
        return self._began(delivery) + self.patience.give_up

    def _began(self, delivery: Delivery) -> datetime:
        return max(delivery.created_at, self.resumed_at or delivery.created_at)


def is_standstill(outcome: Outcome) -> bool:
    """Whether the next mail of this sender would meet the same."""
    if outcome.verdict in {Verdict.SENDER_FAULT, Verdict.UNREACHABLE}:
        return True
    return outcome.verdict is Verdict.TEMPORARY and outcome.scope is Scope.SENDER


def record(delivery: Delivery, outcome: Outcome, terms: Terms) -> dict[str, Any]:
    """Write down what became of a mail that was announced; answer the new state. Raises ClaimLost."""
    changes = consequences(delivery, outcome, terms, timezone.now())
    try:
        claiming.change(delivery, [Status.SENDING], **changes)
    except ClaimLost:
        _resolve_late(delivery, outcome, changes)
        raise
    if outcome.verdict is Verdict.PERMANENT and not terms.is_transactional:
        _suppress(delivery, outcome)
    return changes


def record_sent(deliveries: Sequence[Delivery], *, among: Sequence[str] = (Status.SENDING,)) -> int:
    """Write down, durably and at once, that these mails were accepted; answer how many rows still were ours."""
    ids, tokens = [delivery.pk for delivery in deliveries], {delivery.token for delivery in deliveries}
    waits = durability.waited_for()
    ours = Delivery.objects.filter(*waits, claiming.among(ids), token__in=tokens, status__in=among)
    return ours.update(
        status=Status.SENT,
        reason="",
        detail="",
        attempts=F("attempts") + 1,
        due_at=None,
        token=None,
        lease_until=None,
        finished_at=timezone.now(),
    )


def consequences(delivery: Delivery, outcome: Outcome, terms: Terms, now: datetime) -> dict[str, Any]:
    """Return the new values of the row."""
    if outcome.verdict in ENDS:
        return _ended(*ENDS[outcome.verdict], outcome, delivery, now)
    match outcome.verdict:
        case Verdict.TEMPORARY:
            return _tried_again(delivery, outcome, terms, now)
        case Verdict.UNCERTAIN if terms.is_transactional and delivery.attempts + 1 < MAX_UNCERTAIN_ATTEMPTS:
            return _deferred(delivery, outcome, terms.delay(delivery.attempts + 1), Reason.LOST_REPLY)
        case Verdict.UNCERTAIN:
            # The token stays: a late answer of this worker may still resolve it.
            return _ended(Status.UNCERTAIN, Reason.LOST_REPLY, outcome, delivery, now) | {"token": delivery.token}
        case Verdict.CONNECTION if now > terms.ends_at(delivery):
            return _ended(Status.FAILED, Reason.UNREACHABLE, outcome, delivery, now)
    # The server ended every connection before it took the mail.
    rest = terms.rest(delivery, now)
    return _open(Status.QUEUED, rest, Reason.UNREACHABLE, outcome)


def _tried_again(delivery: Delivery, outcome: Outcome, terms: Terms, now: datetime) -> dict[str, Any]:
    delay = terms.delay(delivery.attempts + 1)
    if now + delay > terms.ends_at(delivery):
        return _ended(Status.FAILED, Reason.TEMPORARY, outcome, delivery, now)
    return _deferred(delivery, outcome, delay, Reason.TEMPORARY)


def _deferred(delivery: Delivery, outcome: Outcome, delay: timedelta, reason: str) -> dict[str, Any]:
    return _open(Status.DEFERRED, delay, reason, outcome) | {"attempts": delivery.attempts + 1}


def _open(status: str, delay: timedelta, reason: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "status": status,
        "reason": reason,
        "detail": outcome.detail,
        "due_at": clock.after(delay),
        "token": None,
        "lease_until": None,
    }


def _ended(status: str, reason: str, outcome: Outcome, delivery: Delivery, now: datetime) -> dict[str, Any]:
    return {
        "status": status,
        "reason": reason,
        "detail": outcome.detail,
        "attempts": delivery.attempts + 1,
        "due_at": None,
        "token": None,
        "lease_until": None,
        "finished_at": now,
    }


def _suppress(delivery: Delivery, outcome: Outcome) -> None:
    """Never mail an address again whose mailbox does not exist; other refusals may be about us."""
    if HARD_BOUNCE.search(outcome.detail):
        Suppression.objects.get_or_create(
            address_hash=delivery.address_hash,
            defaults={"reason": Suppression.Reason.BOUNCED, "created_at": timezone.now()},
        )


def _resolve_late(delivery: Delivery, outcome: Outcome, changes: dict[str, Any]) -> None:
    """Let a late but certain answer decide a row that was given up as uncertain meanwhile."""
    if outcome.verdict not in CERTAIN:
        return
    ours = Delivery.objects.filter(pk=delivery.pk, token=delivery.token, status=Status.UNCERTAIN)
    if ours.update(**changes):
        closing.write_totals(delivery.run_id)
