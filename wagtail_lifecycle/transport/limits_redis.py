"""The limits of senders in Redis: one round trip, by the clock of its server."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import redis
from django.db import connections, router
from django.utils.crypto import salted_hmac
from redis.backoff import NoBackoff
from redis.retry import Retry

from wagtail_lifecycle.models import SenderState
from wagtail_lifecycle.transport.rates import LEASE_SECONDS, Grant, burst

if TYPE_CHECKING:
    from wagtail_lifecycle.conf import Sender

#: A Redis that is away, refuses or is too slow.
REDIS_ERRORS: Final = (redis.RedisError, OSError)
#: To connect, and then to answer: together no sender waits longer than 0.2 s.
TIMEOUT: Final = 0.09

NOW: Final = "local time = redis.call('TIME') local now = time[1] + time[2] / 1000000 "
TAKE: Final = (
    NOW
    + """
local rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = burst
if kept[2] then tokens = math.min(burst, kept[1] + math.max(0, now - kept[2]) * rate) end
local count = math.min(wanted, math.floor(tokens + 0.000001))
tokens = tokens - count
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], ARGV[4])
return {count, string.format('%.6f', math.max(0, 1 - tokens) / rate)}
"""
)
ACQUIRE: Final = (
    NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], math.ceil(ARGV[3]) * 2)
return 1
"""
)
RENEW: Final = (
    NOW
    + """
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('EXPIRE', KEYS[1], math.ceil(ARGV[2]) * 2)
"""
)


class RedisLimits:
    """Token buckets and leases of a site in its Redis. Every call may raise one of REDIS_ERRORS."""

    def __init__(self, url: str, site: str) -> None:
        # Retries would multiply the time a mail waits for a Redis that does not answer.
        self._redis: Any = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0)
        )
        # The braces keep the keys of a site on one node of a Redis Cluster (hash tag).
        self._prefix = f"wagtail_lifecycle:{{{site}}}:"

    def take(self, sender: Sender, wanted: int) -> Grant:
        rate = sender.rate or math.inf
        room = burst(rate)
        kept_for = math.ceil(room / rate) + int(LEASE_SECONDS)
        count, wait = self._redis.eval(TAKE, 1, f"{self._prefix}rate:{sender.key}", rate, room, wanted, kept_for)
        return Grant(int(count), 0.0 if count >= wanted else float(wait))

    def acquire(self, sender: Sender, token: str) -> bool:
        key, allowed = self._connections(sender), sender.max_connections or 0
        return bool(self._redis.eval(ACQUIRE, 1, key, token, allowed, LEASE_SECONDS))

    def renew(self, sender: Sender, token: str) -> None:
        self._redis.eval(RENEW, 1, self._connections(sender), token, LEASE_SECONDS)

    def release(self, sender: Sender, token: str) -> None:
        self._redis.zrem(self._connections(sender), token)

    def _connections(self, sender: Sender) -> str:
        return f"{self._prefix}connections:{sender.key}"


def limits(url: str) -> RedisLimits:
    """Return the limits of this site in that Redis. Raises ValueError for an address that is none."""
    return _limits(url, str(connections[router.db_for_write(SenderState)].settings_dict["NAME"]))


@lru_cache(maxsize=8)
def _limits(url: str, database: str) -> RedisLimits:
    # Two sites that share a Redis do not count for each other; processes of one share the secret key.
    return RedisLimits(url, salted_hmac("wagtail_lifecycle.limits", database).hexdigest()[:16])
