"""The database's clock: workers on several machines share no other. And how much time has really passed here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.functions import Now

if TYPE_CHECKING:
    from datetime import timedelta

    from django.db.models.expressions import Expression

#: Linux: unlike the monotonic clock this one also counts while the machine sleeps.
BOOT: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def after(delay: timedelta) -> Expression:
    """Return the database's now plus `delay`, which may be negative."""
    return ExpressionWrapper(Now() + delay, output_field=DateTimeField())


def elapsed() -> float:
    """Return seconds that go on while this process is stopped; only differences mean anything."""
    return time.clock_gettime(BOOT)
