"""A fake clock, and beats that live by it."""

import pytest
from django_celery_beat.models import PeriodicTask

from tests.support.beat import Beat
from tests.support.site import HASTE, Site, shared_database


@pytest.fixture
def clock(db, time_machine, monkeypatch):
    # The connection holds the test's transaction; Django's own test client spares it in the same way.
    monkeypatch.setattr("django_celery_beat.schedulers.close_old_connections", lambda: None)
    PeriodicTask.objects.all().delete()
    return time_machine


@pytest.fixture
def start_beat(clock):
    started = []

    def start(**options):
        started.append(Beat(clock, **options))
        return started[-1]

    yield start
    for beat in started:
        beat.kill()


@pytest.fixture
def site(transactional_db, settings, broker_url, faulty_smtp, tmp_path):
    """A site in processes of its own, which looks every second for what is to be done; nothing is started yet."""
    with shared_database(tmp_path) as address:
        site = Site(database=address, broker=broker_url, smtp_port=faulty_smtp.port, folder=tmp_path)
        site.configure(settings, **HASTE)
        yield site
        site.stop()
