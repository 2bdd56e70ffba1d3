"""The real DatabaseScheduler under a fake clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from demo_site.celery import app
from wagtail_lifecycle import ticking

CAMPAIGN = "wagtail_lifecycle.campaign."
#: seconds between two looks of beat at its schedule
LOOK = 300


def work(name: str, args: list[Any], now: datetime) -> list[int]:
    """Do at once what a worker would do with beat's message; return the runs."""
    if name.startswith(CAMPAIGN):
        run_id = ticking.tick(*args, now)
        return [run_id] if run_id else []
    return ticking.recover(now) if name == "wagtail_lifecycle.recover" else []


class Beat(DatabaseScheduler):
    """Stock beat, except that a message reaches its worker at once."""

    def __init__(self, clock: Any, deliver: Callable[[str, list[Any], datetime], Any] = work) -> None:
        self.fired: list[datetime] = []
        self.clock = clock
        self.deliver = deliver
        self.fault: Exception | None = None
        super().__init__(app=app, max_interval=LOOK)

    def apply_async(self, entry: Any, **_kwargs: Any) -> None:
        now = datetime.now(UTC)
        if entry.name.startswith(CAMPAIGN):
            self.fired.append(now)
        try:
            self.deliver(entry.name, entry.args, now)
        except Exception as error:  # noqa: BLE001 - beat would log it and go on, and so would the test
            self.fault = error

    def tick(self) -> float:
        wait = super().tick()
        if self.fault is not None:
            raise self.fault
        return wait

    def run_until(self, end: datetime) -> "Beat":
        while datetime.now(UTC) < end:
            self.clock.shift(min(max(self.tick(), 0.01), (end - datetime.now(UTC)).total_seconds()))
        return self

    def kill(self) -> None:
        """Forget what was not written yet, as SIGKILL does."""
        self._dirty.clear()
        self._finalize.cancel()

    def stop(self) -> None:
        """Write it, as on SIGTERM."""
        self.close()
        self._finalize.cancel()
