"""Counting views and writing them, without Redis."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest
from django.db import OperationalError, connection, connections, transaction
from wagtail.models import Page

from tests.support.page_trees import root_page
from wagtail_lifecycle.models.page_views import DailyPageViews, PageViewFlush, Views
from wagtail_lifecycle.page_views import ViewCounter, counting, views_of

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def _no_redis(settings):
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = ""
    settings.TIME_ZONE = "Europe/Berlin"


def add_page(title="A page"):
    return root_page().add_child(instance=Page(title=title))


@pytest.fixture
def page(db):
    return add_page()


def counts():
    return set(DailyPageViews.objects.values_list("page_id", "day", "source", "count"))


def test_a_flush_writes_what_was_counted_and_says_how_many(page):
    counter = ViewCounter()
    for _ in range(3):
        counter.count(page.pk, NOW)

    assert counter.flush(NOW) == 3
    assert counts() == {(page.pk, DAY, "", 3)}


def test_a_second_flush_adds_nothing(page):
    counter = ViewCounter()
    counter.count(page.pk, NOW)

    assert (counter.flush(NOW), counter.flush(NOW)) == (1, 0)
    assert counts() == {(page.pk, DAY, "", 1)}


def test_flushes_add_up(page):
    for _ in range(2):
        counter = ViewCounter()
        counter.count(page.pk, NOW)
        counter.flush(NOW)

    assert counts() == {(page.pk, DAY, "", 2)}


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 3, 1, 22, 59, 59, tzinfo=UTC), date(2026, 3, 1)),
        (datetime(2026, 3, 1, 23, 0, 0, tzinfo=UTC), date(2026, 3, 2)),
        # The night that has an hour less: 23:59 CEST is 21:59 UTC.
        (datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 22, 0, 0, tzinfo=UTC), date(2026, 3, 30)),
    ],
)
def test_the_day_is_that_of_the_sites_zone(page, moment, day):
    counter = ViewCounter()
    counter.count(page.pk, moment)
    counter.flush(moment)

    assert counts() == {(page.pk, day, "", 1)}


def test_views_of_deleted_pages_are_dropped_and_the_others_kept(page):
    counter = ViewCounter()
    gone = add_page("Gone soon")
    counter.count(gone.pk, NOW)
    counter.count(page.pk, NOW)
    gone.delete()

    assert counter.flush(NOW) == 1
    assert counts() == {(page.pk, DAY, "", 1)}


def test_ids_of_no_page_leave_nothing_behind(db):
    counter = ViewCounter()
    for page_id in range(10**6, 10**6 + 100):
        counter.count(page_id, NOW)

    assert counter.flush(NOW) == 0
    assert not counts()
    assert not len(counter.memory)


def test_many_pages_cost_as_many_queries_as_one(page, django_assert_num_queries):
    pages = [page, *(add_page(f"Page {number}") for number in range(50))]
    # savepoint, mark and release, forgotten marks, existing pages, counts; and the outer begin and end
    for some in (pages[:1], pages):
        counter = ViewCounter()
        for each in some:
            counter.count(each.pk, NOW)
        with django_assert_num_queries(8):
            counter.flush(NOW)


def test_old_marks_are_forgotten(page):
    counter = ViewCounter()
    for now in (NOW, NOW + timedelta(days=8)):
        counter.count(page.pk, now)
        counter.flush(now)

    assert PageViewFlush.objects.get().created == NOW + timedelta(days=8)


def test_deleting_a_page_deletes_its_views(page):
    DailyPageViews.objects.add_views([Views(page.pk, DAY, 3)])
    page.delete()

    assert not counts()


def test_adding_more_rows_than_one_statement_takes(page):
    days = [date(2020, 1, 1) + timedelta(days=number) for number in range(1500)]

    added = DailyPageViews.objects.add_views(Views(page.pk, day, 2) for day in [*days, *days])

    assert added == 6000
    assert DailyPageViews.objects.count() == 1500
    assert DailyPageViews.objects.all().total() == 6000


def test_views_of_a_period_are_totals_in_one_query(page, django_assert_num_queries):
    other = add_page("Never seen")
    DailyPageViews.objects.add_views(
        [
            Views(page.pk, date(2026, 3, 1), 100),
            Views(page.pk, date(2026, 3, 2), 1),
            Views(page.pk, date(2026, 3, 3), 2, "a log"),
            Views(page.pk, date(2026, 3, 4), 100),
        ]
    )

    with django_assert_num_queries(1):
        found = views_of([page.pk, other.pk], date(2026, 3, 2), date(2026, 3, 4))

    assert found == {page.pk: 3, other.pk: 0}


def test_views_by_day(page):
    DailyPageViews.objects.add_views([Views(page.pk, DAY, 1), Views(page.pk, DAY, 2, "a log")])

    assert DailyPageViews.objects.of_pages([page.pk]).by_day() == {DAY: 3}


@pytest.mark.django_db(transaction=True)
def test_whoever_counts_after_ten_seconds_writes_for_all():
    page = add_page()
    counter = ViewCounter()
    counter.count(page.pk, NOW)
    assert not counts()

    counter.count(page.pk, NOW + timedelta(seconds=10))

    assert counts() == {(page.pk, DAY, "", 2)}


@pytest.mark.django_db(transaction=True)
def test_nothing_is_written_inside_a_transaction_that_may_be_rolled_back():
    page = add_page()
    counter = ViewCounter()
    counter.count(page.pk, NOW)
    with transaction.atomic():
        counter.count(page.pk, NOW + timedelta(seconds=10))
        assert not counts()

    counter.count(page.pk, NOW + timedelta(seconds=11))

    assert counts() == {(page.pk, DAY, "", 3)}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_loses_no_view_and_disturbs_no_visitor(caplog):
    page = add_page()
    counter = ViewCounter()
    counter.count(page.pk, NOW)

    def away(execute, sql, params, many, context):
        raise OperationalError("the connection is gone")

    with connection.execute_wrapper(away):
        counter.count(page.pk, NOW + timedelta(seconds=10))
    assert [record.action for record in caplog.records] == ["views_postponed"]
    assert not counts()

    counter.count(page.pk, NOW + timedelta(seconds=15))  # waits for its turn again
    assert not counts()
    counter.count(page.pk, NOW + timedelta(seconds=21))
    assert counts() == {(page.pk, DAY, "", 4)}


@pytest.mark.django_db(transaction=True)
def test_a_batch_whose_commit_was_not_heard_of_is_not_written_twice():
    page = add_page()
    counter = ViewCounter()
    counter.count(page.pk, NOW)
    [claim] = counter.memory.claims()
    counting._store(claim, NOW)  # and the process never came to forget it

    assert counter.flush(NOW) == 0
    assert counts() == {(page.pk, DAY, "", 1)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_a_page_deleted_while_its_views_are_written_does_not_hold_up_the_others():
    page, gone = add_page(), add_page("Gone soon")
    counter = ViewCounter()
    counter.count(page.pk, NOW)
    counter.count(gone.pk, NOW)
    deletions = []

    def delete_elsewhere():
        Page.objects.get(pk=gone.pk).delete()
        connections.close_all()

    def delete_before_insert(execute, sql, params, many, context):
        if not deletions and sql.startswith("INSERT") and DailyPageViews._meta.db_table in sql:
            with ThreadPoolExecutor(1) as elsewhere:
                deletions.append(elsewhere.submit(delete_elsewhere))
            deletions[0].result()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(delete_before_insert):
        assert counter.flush(NOW) == 1
    assert deletions
    assert counts() == {(page.pk, DAY, "", 1)}


@pytest.mark.django_db(transaction=True)
def test_what_waits_at_exit_is_written():
    page = add_page()
    counter = ViewCounter()
    counter.count(page.pk, NOW)

    counter.at_exit()

    assert counts() == {(page.pk, DAY, "", 1)}


@pytest.mark.django_db(transaction=True)
def test_a_child_process_does_not_write_its_parents_views():
    page = add_page()
    counter = ViewCounter()
    counter.count(page.pk, NOW)

    counter.after_fork()

    assert counter.flush(NOW) == 0


def test_threads_that_count_together_lose_nothing(page):
    counter = ViewCounter()
    start = Barrier(8)

    def visit():
        start.wait()
        for _ in range(200):
            counter.count(page.pk, NOW)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(visit)

    assert counter.flush(NOW) == 1600
