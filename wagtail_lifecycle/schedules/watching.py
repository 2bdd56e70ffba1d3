"""Whether beat is there: it writes down what it did every few minutes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django_celery_beat.models import PeriodicTask

#: Beat writes down what it did every three minutes.
SILENCE: Final = timedelta(minutes=10)
WATCHED: Final = "wagtail_lifecycle.recover"


def beat_seen() -> datetime | None:
    """Return when beat last asked for what it asks for every minute; None where it never did."""
    seen: datetime | None = PeriodicTask.objects.filter(name=WATCHED).values_list("last_run_at", flat=True).first()
    return seen


def is_silent(seen: datetime | None, now: datetime) -> bool:
    """Tell whether what was last seen then has been silent for too long."""
    return seen is None or now - seen > SILENCE
