"""Counting views into a real Redis and moving them to the database exactly once."""

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from uuid import uuid4

import pytest
import redis as redis_client
from django.db import OperationalError, connection, connections
from wagtail.models import Page

from tests.support.page_trees import root_page
from wagtail_lifecycle.models.page_views import DailyPageViews
from wagtail_lifecycle.page_views import ViewCounter, counting

pytestmark = pytest.mark.redis

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = date(2026, 3, 2)


@pytest.fixture
def redis(redis_url, settings):
    """A Redis in which this test is the only site."""
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = redis_url
    settings.SECRET_KEY = uuid4().hex
    counting._named.cache_clear()
    client = redis_client.Redis.from_url(redis_url)
    before = set(client.keys("wagtail_lifecycle:*"))
    yield client
    for key in set(client.keys("wagtail_lifecycle:*")) - before:
        client.delete(key)
    client.close()
    counting._named.cache_clear()


@pytest.fixture
def page(db):
    return root_page().add_child(instance=Page(title="A page"))


def buffer_of(url):
    return counting._redis(url, counting._site(), timeout=5.0, connect_timeout=2.0)


def keys_of_this_site(client):
    return {key.decode().split("}:")[1] for key in client.keys(f"wagtail_lifecycle:{{{counting._site()}}}:*")}


def counts():
    return set(DailyPageViews.objects.values_list("page_id", "day", "count"))


def test_views_of_several_processes_meet_in_redis(redis, page):
    web, other_web, worker = ViewCounter(), ViewCounter(), ViewCounter()
    web.count(page.pk, NOW)
    other_web.count(page.pk, NOW)
    assert not len(web.memory)

    assert worker.flush(NOW) == 2
    assert counts() == {(page.pk, DAY, 2)}


def test_a_flush_leaves_nothing_in_redis(redis, page):
    counter = ViewCounter()
    counter.count(page.pk, NOW)
    assert keys_of_this_site(redis) == {"views"}

    counter.flush(NOW)
    counter.flush(NOW)

    assert keys_of_this_site(redis) == set()
    assert counts() == {(page.pk, DAY, 1)}


def test_a_flusher_that_dies_before_it_writes_loses_nothing(redis, redis_url, page):
    counter = ViewCounter()
    counter.count(page.pk, NOW)
    next(buffer_of(redis_url).claims())  # and dies

    counter.count(page.pk, NOW)
    assert counter.flush(NOW) == 2
    assert keys_of_this_site(redis) == set()


def test_a_flusher_that_dies_after_its_commit_doubles_nothing(redis, redis_url, page):
    counter = ViewCounter()
    counter.count(page.pk, NOW)
    counting._store(next(buffer_of(redis_url).claims()), NOW)  # and dies before it can tell Redis

    counter.count(page.pk, NOW)
    assert counter.flush(NOW) == 1
    assert counts() == {(page.pk, DAY, 2)}
    assert keys_of_this_site(redis) == set()


def test_a_flusher_that_was_overtaken_doubles_nothing(redis, redis_url, page):
    counter = ViewCounter()
    counter.count(page.pk, NOW)
    held_up = next(buffer_of(redis_url).claims())

    assert counter.flush(NOW) == 1
    assert counting._store(held_up, NOW) == 0
    assert counts() == {(page.pk, DAY, 1)}


def test_a_database_that_is_away_loses_nothing(redis, page):
    counter = ViewCounter()
    counter.count(page.pk, NOW)

    def away(execute, sql, params, many, context):
        raise OperationalError("the connection is gone")

    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        counter.flush(NOW)

    assert counter.flush(NOW) == 1


def test_views_of_a_deleted_page_do_not_hold_up_the_others(redis, page):
    counter = ViewCounter()
    for page_id in (page.pk, 10**9):
        counter.count(page_id, NOW)

    assert counter.flush(NOW) == 1
    assert keys_of_this_site(redis) == set()


def test_two_sites_that_share_a_redis_do_not_count_for_each_other(redis, page, settings):
    counter = ViewCounter()
    counter.count(page.pk, NOW)

    settings.SECRET_KEY = uuid4().hex
    counting._named.cache_clear()
    assert ViewCounter().flush(NOW) == 0


def test_many_pages_cost_as_many_queries_as_one(redis, page, django_assert_num_queries):
    pages = [page, *(page.add_child(instance=Page(title=f"Page {number}")) for number in range(40))]
    for some in (pages[:1], pages):
        counter = ViewCounter()
        for each in some:
            counter.count(each.pk, NOW)
        with django_assert_num_queries(8):
            counter.flush(NOW)


def test_counting_takes_less_than_a_fifth_of_a_millisecond(redis, page):
    counter = ViewCounter()
    counter.count(page.pk, NOW)

    def hundred():
        start = perf_counter()
        for _ in range(100):
            counter.count(page.pk, NOW)
        return (perf_counter() - start) / 100

    # The best of several: the machine has other work too.
    assert min(hundred() for _ in range(20)) < 0.0002


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_flushers_and_visitors_at_once_count_every_view_once(redis):
    if connection.vendor != "postgresql":
        pytest.skip("writers of an SQLite database in memory cannot wait for each other")
    pages = [root_page().add_child(instance=Page(title=f"Page {n}")) for n in range(20)]

    def visit(number):
        counter = ViewCounter()
        for turn in range(50):
            counter.count(pages[(number + turn) % 20].pk, NOW)

    def flush(_number):
        try:
            return sum(ViewCounter().flush(NOW) for _ in range(25))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        visits = [pool.submit(visit, number) for number in range(20)]
        flushes = [pool.submit(flush, number) for number in range(4)]
        written = sum(flush.result() for flush in flushes)
        for visit_ in visits:
            visit_.result()

    assert written + ViewCounter().flush(NOW) == 1000
    assert DailyPageViews.objects.all().total() == 1000


@pytest.fixture
def refusing_url():
    """An address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def silent_url():
    """A Redis that accepts and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


@pytest.mark.parametrize("fault", ["refusing_url", "silent_url"])
def test_without_redis_views_are_counted_in_the_process_and_visitors_hardly_wait(
    fault, request, settings, page, caplog
):
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = request.getfixturevalue(fault)
    counter = ViewCounter()

    start = perf_counter()
    for _ in range(100):
        counter.count(page.pk, NOW)
    elapsed = perf_counter() - start

    assert elapsed < 0.5  # the first view tries, the others do not
    assert [record.action for record in caplog.records] == ["views_without_redis"]
    assert counter._flush_memory(NOW) == 100


def test_redis_is_tried_again_after_half_a_minute(redis, redis_url, refusing_url, settings, page):
    counter = ViewCounter()
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = refusing_url
    counter.count(page.pk, NOW)
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = redis_url

    counter.count(page.pk, NOW + timedelta(seconds=29))
    assert keys_of_this_site(redis) == set()
    counter.count(page.pk, NOW + timedelta(seconds=30))
    assert keys_of_this_site(redis) == {"views"}

    assert counter.flush(NOW) == 3


def test_the_password_of_redis_is_not_logged(settings, page, caplog, refusing_url):
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = refusing_url.replace("//", "//:hunter2@")
    ViewCounter().count(page.pk, NOW)
    ViewCounter().flush(NOW)

    assert len(caplog.records) == 2
    assert "hunter2" not in caplog.text


def test_an_address_that_is_none_disturbs_no_visitor_but_the_worker_says_so(settings, page):
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = "nonsense://"
    counter = ViewCounter()
    counter.count(page.pk, NOW)

    with pytest.raises(ValueError, match="scheme"):
        counter.flush(NOW)
