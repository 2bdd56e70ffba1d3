"""A view is added to a buffer while the visitor waits; a batch of them goes to the database later."""

from __future__ import annotations

import atexit
import logging
import os
from datetime import date, datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Final

from django.db import Error, IntegrityError, connections, router, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.models.page_views import DailyPageViews, PageViewFlush
from wagtail_lifecycle.page_views.buffers import REDIS_ERRORS, Claim, MemoryBuffer, RedisBuffer

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

#: How long a process leaves a Redis alone that did not answer.
PAUSE: Final = timedelta(seconds=30)
#: How long a written batch is known, should Redis bring it up again (a restored snapshot).
KEPT: Final = timedelta(days=7)
#: A page deleted between check and commit makes the commit fail; the next attempt sees that it is gone.
ATTEMPTS: Final = 3


class ViewCounter:
    """What one process knows of views; the module's functions use the one of this process."""

    def __init__(self) -> None:
        self.memory = MemoryBuffer()
        self._site = ""
        self._writing = Lock()
        self._no_redis_until: datetime | None = None

    def count(self, page_id: int, now: datetime) -> None:
        """Count one view of a page. Never raises, never waits for the database of a healthy site."""
        day = now.astimezone(settings.time_zone).date()
        if not self._count_in_redis(page_id, day, now):
            self._site = self._site or _site()
            self.memory.add(page_id, day, now)
        self.write_due(now)

    def is_due(self, now: datetime) -> bool:
        """Whether views have waited long enough in this process."""
        return self.memory.is_due(now)

    def write_due(self, now: datetime) -> None:
        """Write what has waited long enough in this process. Never raises."""
        alias = router.db_for_write(DailyPageViews)
        # Inside a transaction somebody else's rollback would take the views along.
        if not self.is_due(now) or connections[alias].in_atomic_block:
            return
        try:
            self._flush_memory(now)
        except Error:
            self.memory.postpone(now)
            logger.exception("views not written yet", extra={"action": "views_postponed"})

    def flush(self, now: datetime) -> int:
        """Move waiting views into the database, each exactly once; answer how many."""
        added = self._flush_memory(now)
        if url := settings.redis_url:
            try:
                added += _flush(_redis(url, _site(), timeout=5.0, connect_timeout=2.0), now)
            except REDIS_ERRORS as error:
                _log_redis(error)
        return added

    def after_fork(self) -> None:
        # The parent writes its own views: a child that inherits them would write them again.
        self.memory, self._writing = MemoryBuffer(), Lock()

    def at_exit(self) -> None:
        # After a test run the connections point to the real database again: leave that alone.
        if len(self.memory) and self._site == _site():
            try:
                self._flush_memory(timezone.now())
            except (Error, RuntimeError):
                logger.exception("views lost at exit", extra={"action": "views_lost"})

    def _count_in_redis(self, page_id: int, day: date, now: datetime) -> bool:
        url = settings.redis_url
        if not url or (self._no_redis_until and now < self._no_redis_until):
            return False
        try:
            _redis(url, _site(), timeout=0.2, connect_timeout=0.05).add(page_id, day)
        # ValueError: an address that is none. The worker says so; a visitor shall not suffer.
        except (*REDIS_ERRORS, ValueError) as error:
            self._no_redis_until = now + PAUSE
            _log_redis(error)
            return False
        self._no_redis_until = None
        return True

    def _flush_memory(self, now: datetime) -> int:
        if not self._writing.acquire(blocking=False):
            return 0
        try:
            return _flush(self.memory, now)
        finally:
            self._writing.release()


def views_of(page_ids: Iterable[int], start: date, end: date) -> dict[int, int]:
    """Return the views of each page from `start` on and before `end`, in one query."""
    ids = list(page_ids)
    found: dict[int, int] = DailyPageViews.objects.of_pages(ids).between(start, end).by_page()
    return dict.fromkeys(ids, 0) | found


def _flush(buffer: MemoryBuffer | RedisBuffer, now: datetime) -> int:
    added = 0
    for claim in buffer.claims():
        added += _store(claim, now)
        buffer.forget(claim.batch)
    return added


def _store(claim: Claim, now: datetime) -> int:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _store_once(claim, now)
        except IntegrityError:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _store_once(claim: Claim, now: datetime) -> int:
    with transaction.atomic(using=router.db_for_write(PageViewFlush)):
        if not _mark(claim.batch, now):
            return 0
        PageViewFlush.objects.filter(created__lt=now - KEPT).delete()
        added: int = DailyPageViews.objects.add_views(claim.rows)
    return added


def _mark(batch: str, now: datetime) -> bool:
    """Say in the database that the batch is written, unless somebody has said so."""
    try:
        with transaction.atomic(using=router.db_for_write(PageViewFlush)):
            PageViewFlush.objects.create(batch=batch, created=now)
    except IntegrityError:
        return False
    return True


@lru_cache(maxsize=8)
def _redis(url: str, site: str, *, timeout: float, connect_timeout: float) -> RedisBuffer:
    return RedisBuffer(url, site, timeout=timeout, connect_timeout=connect_timeout)


def _site() -> str:
    """Name the site, so that two that share a Redis do not count for each other."""
    return _named(str(connections[router.db_for_write(DailyPageViews)].settings_dict["NAME"]))


@lru_cache(maxsize=8)
def _named(database: str) -> str:
    # Host and port of the database differ between processes of one site; the secret key does not.
    return salted_hmac("wagtail_lifecycle.page_views", database).hexdigest()[:16]


def _log_redis(error: Exception) -> None:
    # The message may hold the URL with its password.
    logger.warning("no Redis for views: %s", type(error).__name__, extra={"action": "views_without_redis"})


_counter = ViewCounter()
count = _counter.count
flush = _counter.flush
is_due = _counter.is_due
write_due = _counter.write_due
atexit.register(_counter.at_exit)
os.register_at_fork(after_in_child=_counter.after_fork)
