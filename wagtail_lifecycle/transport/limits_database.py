"""The limits of senders in the database: conditional updates, which count right on every database."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import DateTimeField, ExpressionWrapper, Q
from django.db.models.functions import Now

from wagtail_lifecycle.models import ConnectionLease, SenderState
from wagtail_lifecycle.transport.rates import LEASE_SECONDS, Grant, burst

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models.expressions import Expression

    from wagtail_lifecycle.conf import Sender

#: Several workers may want the last tokens: whoever loses so often asks again a moment later.
ATTEMPTS: Final = 5
A_MOMENT: Final = 0.05
#: A time in the row that is so far ahead comes from a clock that was wrong.
MAX_AHEAD: Final = timedelta(seconds=10)


def take(sender: Sender, wanted: int, now: datetime) -> Grant:
    """Take messages out of the sender's rate. Raises what the database raises."""
    rate = sender.rate or math.inf
    for _attempt in range(ATTEMPTS):
        state, _created = SenderState.objects.only("tokens", "refilled_at").get_or_create(key=sender.key)
        tokens = _tokens(state, rate, now)
        count = min(wanted, math.floor(tokens + 1e-6))
        wait = 0.0 if count >= wanted else max(0.0, 1 - (tokens - count)) / rate
        # Nothing is written where nothing is taken: the tokens go on growing from when they were last counted.
        if count == 0 or _is_written(state, tokens - count, _later(state, now)):
            return Grant(count, wait)
    return Grant(0, A_MOMENT)


def _tokens(state: SenderState, rate: float, now: datetime) -> float:
    counted = state.refilled_at
    if counted is None or counted >= now + MAX_AHEAD:
        return burst(rate)
    elapsed = max(0.0, (now - counted).total_seconds())
    return min(burst(rate), state.tokens + elapsed * rate)


def _later(state: SenderState, now: datetime) -> datetime:
    """Return the time the tokens are counted at: workers whose clocks differ must not refill twice."""
    counted = state.refilled_at
    return counted if counted is not None and now < counted < now + MAX_AHEAD else now


def _is_written(state: SenderState, tokens: float, at: datetime) -> bool:
    unchanged = SenderState.objects.filter(pk=state.pk, tokens=state.tokens, refilled_at=state.refilled_at)
    return unchanged.update(tokens=tokens, refilled_at=at) == 1


class Leases:
    """The connections of senders, a row each."""

    def acquire(self, sender: Sender, token: str) -> bool:
        allowed = sender.max_connections or 0
        mine = ConnectionLease.objects.filter(sender=sender.key, number__lt=allowed)
        if mine.count() < allowed:
            rows = [ConnectionLease(sender=sender.key, number=number) for number in range(allowed)]
            ConnectionLease.objects.bulk_create(rows, ignore_conflicts=True)
        free = mine.filter(Q(token="") | Q(expires_at__lt=Now()))
        return any(
            free.filter(pk=pk).update(token=token, expires_at=_expiry()) == 1
            for pk in free.order_by("number").values_list("pk", flat=True)
        )

    def renew(self, sender: Sender, token: str) -> None:
        ConnectionLease.objects.filter(sender=sender.key, token=token).update(expires_at=_expiry())

    def release(self, sender: Sender, token: str) -> None:
        ConnectionLease.objects.filter(sender=sender.key, token=token).update(token="", expires_at=None)


def _expiry() -> Expression:
    return ExpressionWrapper(Now() + timedelta(seconds=LEASE_SECONDS), output_field=DateTimeField())
