"""Workers that are stopped and go on, beats that run twice, and cron beside them."""

import signal
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from demo_site.supervisor.services import BEAT
from tests.support.campaigns import draft, live, publish
from tests.support.factories import default_locale, make_run, make_users
from tests.support.site import RECOVERED, TICK, WORKER, until
from wagtail_lifecycle import schedules
from wagtail_lifecycle.models import CampaignState, Delivery, Run

pytestmark = [
    pytest.mark.long,
    pytest.mark.services,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(120),
]

SENT = r"Task wagtail_lifecycle\.send_batch\[\S+ succeeded"
DAY = timedelta(days=1)


def copies(server):
    return Counter(mail["message_id"] for mail in server.accepted)


# A process that is stopped while it writes to SQLite keeps everybody else from writing.
@pytest.mark.postgres
def test_a_worker_stopped_for_longer_than_its_lease_sends_nobody_twice(site, settings, faulty_smtp):
    site.configure(settings, WAGTAIL_LIFECYCLE_LEASE_SECONDS=3, WAGTAIL_LIFECYCLE_CONNECTIONS=2)
    faulty_smtp.configure(latency=0.05)
    make_users(200)
    stopped, _beat = site.start(WORKER, BEAT)
    run = make_run()
    until(lambda: faulty_smtp.stats.get("accepted", 0) >= 40)
    stopped.signal(signal.SIGSTOP)
    assert not stopped.count(SENT)

    [other] = site.start(WORKER)
    until(lambda: Run.objects.get(pk=run.pk).status == "finished")
    uncertain = run.deliveries.filter(status="uncertain").count()
    # One of each connection of the stopped process.
    assert uncertain <= settings.WAGTAIL_LIFECYCLE_CONNECTIONS
    assert run.deliveries.filter(status="sent").count() == 200 - uncertain

    stopped.signal(signal.SIGCONT)
    stopped.until_it_says(SENT)
    other.until_it_says(RECOVERED, other.count(RECOVERED) + 2)
    assert set(copies(faulty_smtp).values()) == {1}
    totals = Run.objects.get(pk=run.pk).totals
    assert sum(totals.values()) == 200
    assert totals.get("sent", 0) + totals.get("uncertain", 0) == 200
    assert totals["sent"] <= len(faulty_smtp.accepted) <= 200


def missed_until_today(**fields):
    """Publish a daily campaign of which one slot is due and two were missed."""
    half_a_day_ago = (timezone.now() - DAY / 2).time().replace(second=0, microsecond=0)
    values = {"time_of_day": half_a_day_ago, "time_zone": "UTC", "late_within": DAY, "locale": default_locale()}
    campaign = publish(draft(**{**values, **fields}))
    CampaignState.objects.filter(campaign=campaign).update(changed_at=timezone.now() - 3 * DAY)
    return campaign


def test_two_beats_and_two_ticking_commands_beside_a_worker_mail_everybody_once(site, faulty_smtp):
    users = make_users(80)
    missed_until_today(subject="Late")
    programs = site.start(WORKER, BEAT, BEAT, TICK, TICK)
    # Its slot is a minute after it went live: nearly over, so that all of them see it come.
    now = live(subject="Now", frequency="now", locale=default_locale())
    CampaignState.objects.filter(campaign=now).update(changed_at=timezone.now() - timedelta(seconds=57))
    schedules.sync(now.pk)
    until(lambda: Run.objects.filter(status="finished", totals={"sent": 80}).count() == 2)

    # Everybody looks once more.
    worker, _one, _two, *ticks = programs
    worker.until_it_says(RECOVERED, worker.count(RECOVERED) + 3)
    for tick in ticks:
        tick.until_it_says("^Runs: none", 2)
    expected = {(subject, user.email): 1 for subject in ("Late", "Now") for user in users}
    assert Counter((mail["subject"], mail["rcpts"][0]) for mail in faulty_smtp.accepted) == expected
    assert Delivery.objects.count() == 160
    assert Counter(Run.objects.values_list("status", "reason")) == {("finished", ""): 2, ("skipped", "missed"): 1}
