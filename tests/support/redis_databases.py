"""A database of our own on somebody's Redis: only an empty one is taken, and it is empty again after."""

import contextlib
import os
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import redis

KEY = "wagtail-lifecycle-tests"
#: In one step, so that two test runs at once never take the same.
TAKE = "if redis.call('DBSIZE') == 0 then redis.call('SET', KEYS[1], ARGV[1]) return 1 end return 0"
EMPTY = "redis.call('FLUSHDB') redis.call('SET', KEYS[1], ARGV[1])"


@contextlib.contextmanager
def own_database(server: str) -> Iterator[str | None]:
    """The address of a database that was empty; None if the server has none left."""
    for number in range(15, 0, -1):
        url = urlunsplit(urlsplit(server)._replace(path=f"/{number}"))
        with contextlib.closing(redis.Redis.from_url(url)) as client:
            if not _take(client):
                continue
            try:
                yield url
            finally:
                client.flushdb()
            return
    yield None


def emptied(url: str) -> None:
    """Empty, but for the key that says whose it is."""
    with contextlib.closing(redis.Redis.from_url(url)) as client:
        client.eval(EMPTY, 1, KEY, os.getpid())


def _take(client: redis.Redis) -> bool:
    try:
        return bool(client.eval(TAKE, 1, KEY, os.getpid()))
    except redis.ResponseError:
        # A server may be set up with fewer databases.
        return False
