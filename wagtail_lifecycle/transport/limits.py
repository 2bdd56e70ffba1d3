"""How fast and over how many connections a sender may send, over all workers.

Redis counts where the site has one. Without it, or while it does not answer, the database does. Nothing here raises:
a mail is late rather than lost.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final, Protocol
from uuid import uuid4

from django.db import Error

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.transport import limits_database, limits_redis
from wagtail_lifecycle.transport.limits_redis import REDIS_ERRORS, RedisLimits
from wagtail_lifecycle.transport.rates import LEASE_SECONDS, Grant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from wagtail_lifecycle.conf import Sender

logger = logging.getLogger(__name__)

#: How long a process leaves a Redis alone that did not answer.
PAUSE_SECONDS: Final = 30.0
#: When to ask again where nobody can count.
UNKNOWN: Final = Grant(0, 1.0)


class Store(Protocol):
    """Where leases are written down."""

    def acquire(self, sender: Sender, token: str) -> bool:
        """Take a connection; False where all are in use."""

    def renew(self, sender: Sender, token: str) -> None:
        """Keep a connection."""

    def release(self, sender: Sender, token: str) -> None:
        """Give a connection back."""


class Lease:
    """A connection that counts for the sender until it is released, or not renewed for a minute."""

    def __init__(self, sender: Sender, token: str, store: Store) -> None:
        self._sender, self._token, self._store = sender, token, store
        self._renewed_at = time.monotonic()

    def renew(self) -> None:
        """Tell that the connection is in use."""
        if time.monotonic() - self._renewed_at < LEASE_SECONDS / 3:
            return
        self._renewed_at = time.monotonic()
        _tried(lambda: self._store.renew(self._sender, self._token))

    def release(self) -> None:
        """Tell that the connection is closed."""
        _tried(lambda: self._store.release(self._sender, self._token))


class _Redis:
    """Whether this process has a Redis that answers."""

    def __init__(self) -> None:
        self._not_before = 0.0

    def get(self) -> RedisLimits | None:
        url = settings.redis_url
        if not url or time.monotonic() < self._not_before:
            return None
        try:
            return limits_redis.limits(url)
        except ValueError as error:  # an address that is none
            self.leave_alone(error)
            return None

    def leave_alone(self, error: Exception) -> None:
        self._not_before = time.monotonic() + PAUSE_SECONDS
        # The message may hold the URL with its password.
        logger.warning("no Redis for limits: %s", type(error).__name__, extra={"action": "limits_without_redis"})

    def forgive(self) -> None:
        """Ask it again at once."""
        self._not_before = 0.0


redis: Final = _Redis()


def take(sender: Sender, wanted: int, now: datetime) -> Grant:
    """Take up to `wanted` messages out of the sender's rate. `now` is the database's time."""
    if sender.rate is None or wanted <= 0:
        return Grant(max(0, wanted))
    shared = redis.get()
    if shared is not None:
        try:
            return shared.take(sender, wanted)
        except REDIS_ERRORS as error:
            redis.leave_alone(error)
    try:
        return limits_database.take(sender, wanted, now)
    except Error as error:
        _log(error)
        return UNKNOWN


def lease(sender: Sender) -> Lease | None:
    """Take one of the sender's connections; None where all are in use."""
    token = uuid4().hex
    shared = redis.get()
    if shared is not None:
        try:
            return Lease(sender, token, shared) if shared.acquire(sender, token) else None
        except REDIS_ERRORS as error:
            redis.leave_alone(error)
    store = limits_database.Leases()
    try:
        return Lease(sender, token, store) if store.acquire(sender, token) else None
    except Error as error:
        _log(error)
        return None


def _tried(action: Callable[[], None]) -> None:
    try:
        action()
    except REDIS_ERRORS as error:
        redis.leave_alone(error)
    except Error as error:
        _log(error)


def _log(error: Exception) -> None:
    logger.warning("no database for limits: %s", type(error).__name__, extra={"action": "limits_without_database"})
