"""The rate and the connections of a sender, over all workers."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection
from django.db.models.functions import Now
from hypothesis import given
from hypothesis import strategies as st

from tests.support.letters import letter
from wagtail_lifecycle.exceptions import NoLine
from wagtail_lifecycle.models import ConnectionLease, SenderState
from wagtail_lifecycle.transport import Grant, Lines, limits, limits_database, limits_redis, take

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SENDER = replace(letter().sender, rate=10.0, max_connections=2)


@pytest.fixture(autouse=True)
def fresh():
    limits.redis.forgive()
    limits_redis._limits.cache_clear()
    yield
    limits.redis.forgive()


@pytest.fixture
def in_database(db, settings):
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = ""


@pytest.fixture
def in_redis(db, settings, redis_url):
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = redis_url


@pytest.fixture
def silent_redis(settings):
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        settings.WAGTAIL_LIFECYCLE_REDIS_URL = f"redis://{host}:{port}/0"
        yield listener


def taken(sender, seconds, *, wanted=1, ask_every=0.01):
    """How many messages are granted to somebody who asks all the time."""
    steps = round(seconds / ask_every)
    return sum(take(sender, wanted, NOW + timedelta(seconds=step * ask_every)).count for step in range(steps))


# -- The rate ------------------------------------------------------------------------------------------------


def test_a_sender_without_a_rate_is_never_asked_to_wait():
    assert take(replace(SENDER, rate=None), 500, NOW) == Grant(500)


def test_nothing_wanted_is_nothing_taken():
    assert take(SENDER, 0, NOW) == Grant(0)


def test_the_first_message_may_go_at_once_and_the_next_after_its_time(in_database):
    assert take(SENDER, 5, NOW).count == 1
    grant = take(SENDER, 5, NOW)
    assert grant.count == 0
    assert grant.wait_seconds == pytest.approx(0.1)
    assert take(SENDER, 5, NOW + timedelta(seconds=grant.wait_seconds)).count == 1


def test_a_rate_below_one_a_second_waits_for_seconds(in_database):
    slow = replace(SENDER, rate=0.25)
    assert take(slow, 1, NOW).count == 1
    assert take(slow, 1, NOW).wait_seconds == pytest.approx(4)


@pytest.mark.parametrize("rate", [3.0, 10.0, 50.0])
def test_no_second_has_more_than_the_rate_and_a_tenth(in_database, rate):
    assert rate * 3 - 1 <= taken(replace(SENDER, rate=rate), 3, wanted=100) <= rate * 3 + max(1, rate / 10)


def test_a_long_rest_does_not_pay_for_a_burst(in_database):
    take(SENDER, 1, NOW)
    assert take(SENDER, 100, NOW + timedelta(hours=1)).count == 1


def test_workers_whose_clocks_differ_do_not_refill_twice(in_database):
    granted = 0
    for step in range(300):
        ahead = timedelta(seconds=0 if step % 2 else 2)
        granted += take(SENDER, 10, NOW + timedelta(seconds=step / 100) + ahead).count
    # The worker that is ahead has earned the two seconds once.
    assert granted <= 10 * 5 + 1


def test_a_clock_that_was_hours_ahead_does_not_stop_the_sender(in_database):
    take(SENDER, 1, NOW + timedelta(hours=5))
    take(SENDER, 1, NOW)
    assert taken(SENDER, 2) >= 10


@pytest.mark.django_db(transaction=True)
def test_workers_that_take_at_once_share_the_rate(settings):
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = ""
    if connection.vendor == "sqlite":
        pytest.skip("threads do not share an SQLite database in memory")

    def work(_number):
        try:
            return sum(take(replace(SENDER, rate=100.0), 1, NOW).count for _ in range(20))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 10


def test_who_loses_every_race_asks_again_a_moment_later(in_database, monkeypatch):
    monkeypatch.setattr(limits_database, "_is_written", lambda *_: False)
    assert take(SENDER, 1, NOW) == Grant(0, limits_database.A_MOMENT)


def test_the_pause_of_a_sender_is_left_alone(in_database):
    SenderState.objects.create(key=SENDER.key, reason="rejected", paused_at=NOW, detail="550")
    take(SENDER, 1, NOW)
    state = SenderState.objects.get()
    assert (state.reason, state.paused_at, state.detail) == ("rejected", NOW, "550")


@given(st.lists(st.tuples(st.integers(1, 20), st.floats(0, 2)), max_size=30), st.floats(0.5, 200))
def test_whoever_asks_whenever_never_gets_more_than_the_rate(asked, rate):
    state = SenderState(key="x")
    now, granted = NOW, 0
    for wanted, pause in asked:
        now += timedelta(seconds=pause)
        tokens = limits_database._tokens(state, rate, now)
        count = min(wanted, int(tokens + 1e-6))
        state.tokens, state.refilled_at = tokens - count, limits_database._later(state, now)
        granted += count
    assert granted <= (now - NOW).total_seconds() * rate + max(1, rate / 10) + 1e-3


# -- In Redis ------------------------------------------------------------------------------------------------


@pytest.mark.redis
def test_redis_counts_by_its_own_clock(in_redis):
    fast = replace(SENDER, rate=1000.0)
    started, granted = time.monotonic(), 0
    while time.monotonic() - started < 0.3:
        granted += take(fast, 50, NOW).count
    elapsed = time.monotonic() - started
    assert 0.2 * 1000 < granted <= elapsed * 1000 + 101
    assert not SenderState.objects.exists()


@pytest.mark.redis
def test_redis_says_when_to_ask_again(in_redis):
    slow = replace(SENDER, rate=0.5)
    assert take(slow, 3, NOW).count == 1
    grant = take(slow, 3, NOW)
    assert grant.count == 0
    assert 1.5 < grant.wait_seconds <= 2


@pytest.mark.redis
def test_threads_and_senders_each_have_their_share(in_redis):
    other = replace(SENDER, key="other")
    with ThreadPoolExecutor(4) as pool:
        grants = list(pool.map(lambda _n: limits.redis.get().take(replace(SENDER, rate=0.1), 1).count, range(20)))
    assert sum(grants) == 1
    assert take(other, 1, NOW).count == 1


@pytest.mark.redis
def test_what_redis_remembers_goes_away(in_redis, redis_client):
    take(SENDER, 1, NOW)
    limits.lease(SENDER)
    keys = redis_client.keys("wagtail_lifecycle:*")
    assert len(keys) == 2
    assert all(0 < redis_client.ttl(key) <= 120 for key in keys)


def test_a_silent_redis_costs_a_moment_once_and_then_the_database_counts(db, silent_redis):
    started = time.monotonic()
    assert take(SENDER, 5, NOW).count == 1
    assert time.monotonic() - started < 0.25
    started = time.monotonic()
    assert take(SENDER, 5, NOW).count == 0
    assert limits.lease(SENDER) is not None
    assert time.monotonic() - started < 0.08


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "nonsense://x"])
def test_a_redis_that_is_down_or_none_at_all_stops_nobody(db, settings, url):
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = url
    assert take(SENDER, 1, NOW).count == 1
    assert limits.lease(SENDER) is not None


def test_without_anything_that_counts_nothing_goes_and_nothing_is_raised(settings, monkeypatch):
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = ""

    def fail(*_arguments):
        raise DatabaseError("gone")

    monkeypatch.setattr(limits_database, "take", fail)
    monkeypatch.setattr(limits_database.Leases, "acquire", fail)
    assert take(SENDER, 1, NOW) == limits.UNKNOWN
    assert limits.lease(SENDER) is None


# -- Connections ---------------------------------------------------------------------------------------------


@pytest.fixture(params=["database", pytest.param("redis", marks=pytest.mark.redis)])
def store(request):
    return request.getfixturevalue(f"in_{request.param}")


def test_no_more_connections_are_lent_than_the_sender_may_have(store):
    leases = [limits.lease(SENDER) for _ in range(3)]
    assert [lease is not None for lease in leases] == [True, True, False]
    leases[0].release()
    assert limits.lease(SENDER) is not None
    assert limits.lease(SENDER) is None


def test_another_sender_has_connections_of_its_own(store):
    assert limits.lease(SENDER)
    assert limits.lease(SENDER)
    assert limits.lease(replace(SENDER, key="other"))


def test_released_twice_is_released_once(store):
    first, _second = limits.lease(SENDER), limits.lease(SENDER)
    first.release()
    first.release()
    assert limits.lease(SENDER)
    assert limits.lease(SENDER) is None


def test_a_worker_that_died_gives_its_connection_back_in_time(in_database):
    dead, alive = limits.lease(SENDER), limits.lease(SENDER)
    alive._renewed_at -= limits.LEASE_SECONDS
    ConnectionLease.objects.update(expires_at=Now() - timedelta(seconds=1))
    alive.renew()
    assert limits.lease(SENDER) is not None
    assert limits.lease(SENDER) is None
    dead.release()
    assert limits.lease(SENDER) is None


@pytest.mark.redis
def test_a_worker_that_died_gives_its_connection_back_in_redis_too(in_redis, redis_client):
    limits.lease(SENDER)
    alive = limits.lease(SENDER)
    [key] = redis_client.keys("wagtail_lifecycle:*")
    redis_client.zadd(key, dict.fromkeys(redis_client.zrange(key, 0, -1), 1))
    alive._renewed_at -= limits.LEASE_SECONDS
    alive.renew()
    assert limits.lease(SENDER) is not None
    assert limits.lease(SENDER) is None


def test_fewer_connections_in_the_settings_count_at_once(in_database):
    assert limits.lease(replace(SENDER, max_connections=4))
    assert limits.lease(replace(SENDER, max_connections=1)) is None


def test_lines_of_a_limited_sender_are_leased_and_closed_when_given_back(in_database, faulty_smtp, settings):
    faulty_smtp.use(settings)
    first, second = Lines(), Lines()
    with first.borrow_several(SENDER, 5) as several:
        assert len(several) == 2
        several[0].send(letter())
        with pytest.raises(NoLine, match="max_connections: 2"), second.borrow(SENDER, wait=0):
            pass
    with second.borrow(SENDER, wait=0) as line:
        line.send(letter())
    assert faulty_smtp.stats["open_connections"] == 0
    assert not ConnectionLease.objects.exclude(token="").exists()
