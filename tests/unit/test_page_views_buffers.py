"""The buffer of a process."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

from wagtail_lifecycle.page_views import buffers
from wagtail_lifecycle.page_views.buffers import MemoryBuffer

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = date(2026, 3, 2)


def test_views_of_a_page_and_day_are_one_row():
    buffer = MemoryBuffer()
    for page_id in (1, 1, 2):
        buffer.add(page_id, DAY, NOW)

    [claim] = buffer.claims()

    assert sorted(claim.rows) == [(1, DAY, 2, ""), (2, DAY, 1, "")]


def test_it_is_due_ten_seconds_after_the_first_view():
    buffer = MemoryBuffer()
    assert not buffer.is_due(NOW)

    buffer.add(1, DAY, NOW)
    buffer.add(1, DAY, NOW + timedelta(seconds=9))

    assert not buffer.is_due(NOW + timedelta(seconds=9))
    assert buffer.is_due(NOW + timedelta(seconds=10))


def test_it_is_due_at_once_when_many_pages_wait():
    buffer = MemoryBuffer()
    for page_id in range(buffers.FULL):
        buffer.add(page_id, DAY, NOW)

    assert buffer.is_due(NOW)


def test_a_claim_stays_under_its_name_until_it_is_forgotten():
    buffer = MemoryBuffer()
    buffer.add(1, DAY, NOW)

    [first] = buffer.claims()
    [again] = buffer.claims()
    buffer.forget(first.batch)

    assert first == again
    assert not list(buffer.claims())


def test_its_memory_is_bounded_and_what_is_dropped_is_logged(caplog):
    buffer = MemoryBuffer()
    for page_id in range(buffers.LIMIT + 5):
        buffer.add(page_id, DAY, NOW)
    buffer.add(1, DAY, NOW)

    assert len(buffer) == buffers.LIMIT
    assert [record.action for record in caplog.records] == ["view_dropped"] * 5
    assert sum(row.number for claim in buffer.claims() for row in claim.rows) == buffers.LIMIT + 1


def test_threads_lose_no_view():
    buffer = MemoryBuffer()

    with ThreadPoolExecutor(8) as pool:
        for page_id in range(4000):
            pool.submit(buffer.add, page_id % 7, DAY, NOW)

    assert sum(row.number for claim in buffer.claims() for row in claim.rows) == 4000
