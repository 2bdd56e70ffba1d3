"""Mail that people wait for, while a newsletter to many is under way."""

import json
import sys
import time
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from demo_site.supervisor.services import BEAT
from tests.support.events import verification_campaign
from tests.support.factories import NOW, make_empty_run, make_users
from tests.support.site import BULK, TRANSACTIONAL, Visitor, until
from tests.support.smtp_servers import FaultySmtp
from wagtail_lifecycle.dispatch import steering
from wagtail_lifecycle.models import Delivery
from wagtail_lifecycle.models.people import hash_address

pytestmark = [
    pytest.mark.long,
    pytest.mark.services,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(180),
]

PEOPLE = 50_000
REGISTRATIONS = 4


@pytest.fixture
def faulty_smtp(tmp_path):
    with FaultySmtp(tmp_path, "--store=none") as server:
        yield server


class Accepted:
    """Reads what the SMTP server writes down, each line once."""

    def __init__(self, server):
        self._file, self._begun = server.log.open(), ""

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._file.close()

    def when(self, address):
        """The time at which a mail to this address was accepted; None if it is not among the new lines."""
        text = self._begun + self._file.read()
        *lines, self._begun = text.split("\n")
        return next((json.loads(line)["ts"] for line in lines if address in line), None)


@transaction.atomic
def plan(users):
    """A run in which everybody has a row; in one go, as this is not about planning."""
    run = make_empty_run(slot=NOW)
    rows = [
        Delivery(
            run=run,
            recipient_key=f"user:{user.pk}",
            address=user.email,
            address_hash=hash_address(user.email),
            language="en",
            message_id=f"<{uuid4().hex}@example.org>",
            created_at=timezone.now(),
        )
        for user in users
    ]
    Delivery.objects.bulk_create(rows, batch_size=2000)
    return run


def test_a_verification_mail_goes_out_within_five_seconds_while_50_000_bulk_mails_are_under_way(
    site, settings, faulty_smtp
):
    site.configure(settings, WAGTAIL_LIFECYCLE_USER_EVENTS=True)
    verification_campaign()
    programs = site.launch(TRANSACTIONAL, BULK, BEAT, site.web)
    run = plan(make_users(PEOPLE))
    for program in programs:
        program.until_ready()
    until(lambda: faulty_smtp.stats.get("accepted", 0) >= 200)

    took = []
    with Accepted(faulty_smtp) as accepted:
        for number in range(REGISTRATIONS):
            address = f"ines{number}@example.org"
            begun = time.time()
            status, answered = Visitor(site).sign_up(address)
            assert status == 302
            took.append((until(lambda address=address: accepted.when(address)) - begun, answered))
    bulk_sent = run.deliveries.filter(status="sent").count()
    sys.stdout.write(f"(mail, answer) in seconds: {[(round(a, 2), round(b, 2)) for a, b in took]}, {bulk_sent} sent\n")
    assert max(mail for mail, _answer in took) < 5
    assert run.deliveries.filter(status="queued").count() > PEOPLE / 10

    steering.cancel(run.pk, user=None, now=timezone.now())
    until(lambda: not run.deliveries.filter(status__in=Delivery.OPEN).exists())
    assert set(run.deliveries.values_list("status", flat=True)) <= {"sent", "cancelled"}
