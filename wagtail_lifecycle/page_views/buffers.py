"""Where views wait until they are written in one batch: in Redis, or in this process."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import date, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import uuid4

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from wagtail_lifecycle.models.page_views import Views

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

logger = logging.getLogger(__name__)

#: How long views wait in a process before the next one counted writes them.
MAX_AGE: Final = timedelta(seconds=10)
#: Pages and days a process writes at once, and those it keeps at most while it cannot write.
FULL: Final = 1_000
LIMIT: Final = 10_000

#: A Redis that is away, refuses or is too slow.
REDIS_ERRORS: Final = (redis.RedisError, OSError)


class Claim(NamedTuple):
    """Views taken out of a buffer under a name of their own, to be written once."""

    batch: str
    rows: list[Views]


class MemoryBuffer:
    """Views of this process. Threads may share it; what is over the limit is dropped and logged."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: Counter[tuple[int, date]] = Counter()
        self._claimed: dict[str, Counter[tuple[int, date]]] = {}
        self._since: datetime | None = None

    def add(self, page_id: int, day: date, now: datetime) -> None:
        key = (page_id, day)
        with self._lock:
            if key not in self._waiting and self._size() >= LIMIT:
                logger.warning("view dropped: too many wait", extra={"action": "view_dropped"})
                return
            self._waiting[key] += 1
            self._since = self._since or now

    def is_due(self, now: datetime) -> bool:
        with self._lock:
            return self._since is not None and (now - self._since >= MAX_AGE or len(self._waiting) >= FULL)

    def claims(self) -> Iterator[Claim]:
        with self._lock:
            if self._waiting:
                self._claimed[uuid4().hex] = self._waiting
                self._waiting = Counter()
            self._since = None
            claimed = list(self._claimed.items())
        for batch, counts in claimed:
            yield Claim(batch, [Views(page_id, day, count) for (page_id, day), count in counts.items()])

    def forget(self, batch: str) -> None:
        with self._lock:
            self._claimed.pop(batch, None)

    def postpone(self, now: datetime) -> None:
        """Let what could not be written wait for another `MAX_AGE`."""
        with self._lock:
            self._since = now

    def __len__(self) -> int:
        with self._lock:
            return self._size()

    def _size(self) -> int:
        return len(self._waiting) + sum(map(len, self._claimed.values()))


class RedisBuffer:
    """Views of all processes of a site, in one hash of Redis.

    A flusher renames the hash to a claim, which others find too: when the flusher dies, the next one
    goes on with it, and `PageViewFlush` tells whether it is in the database already.
    """

    def __init__(self, url: str, site: str, *, timeout: float, connect_timeout: float) -> None:
        # Retries would multiply the time a request waits for a Redis that does not answer.
        self._redis: Any = redis.Redis.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=connect_timeout,
            retry=Retry(NoBackoff(), 0),
        )
        # The braces keep the keys of a site on one node of a Redis Cluster (hash tag).
        prefix = f"wagtail_lifecycle:{{{site}}}:views"
        self._waiting = prefix
        self._index = f"{prefix}:claims"
        self._claimed = f"{prefix}:claimed:"

    def add(self, page_id: int, day: date) -> None:
        self._redis.hincrby(self._waiting, f"{page_id}:{day:%Y-%m-%d}", 1)

    def claims(self) -> Iterator[Claim]:
        self._claim(uuid4().hex)
        for batch in sorted(member.decode() for member in self._redis.smembers(self._index)):
            rows = list(_rows(self._redis.hgetall(self._claimed + batch)))
            if rows:
                yield Claim(batch, rows)
            else:
                self.forget(batch)

    def forget(self, batch: str) -> None:
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(self._claimed + batch).srem(self._index, batch).execute()

    def _claim(self, batch: str) -> None:
        # One transaction: nobody may see the name without its hash and strike it off.
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.sadd(self._index, batch).rename(self._waiting, self._claimed + batch)
            _, renamed = pipe.execute(raise_on_error=False)
        if isinstance(renamed, redis.ResponseError):  # "no such key": no views since the last time
            self._redis.srem(self._index, batch)


def _rows(fields: Mapping[bytes, bytes]) -> Iterator[Views]:
    for field, count in fields.items():
        page_id, _, day = field.decode().partition(":")
        yield Views(int(page_id), date.fromisoformat(day), int(count))
