"""Real workers and a real beat, while the mail server fails and comes back, or never answers."""

from collections import Counter

import pytest
from django.utils import timezone

from demo_site.supervisor.services import BEAT
from tests.support.admin import logged_in
from tests.support.factories import make_run, make_user, make_users
from tests.support.site import RECOVERED, WORKER, until
from tests.support.smtp_servers import FaultySmtp
from wagtail_lifecycle.dispatch import steering
from wagtail_lifecycle.models import Delivery, SenderState

pytestmark = [
    pytest.mark.long,
    pytest.mark.services,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(120),
]

PEOPLE = 120


@pytest.fixture
def faulty_smtp(tmp_path):
    with FaultySmtp(tmp_path, "--user=news:secret", "--auth=require") as server:
        yield server


@pytest.fixture
def site(site, settings):
    site.configure(settings, EMAIL_HOST_USER="news", EMAIL_HOST_PASSWORD="secret", WAGTAIL_LIFECYCLE_CONNECTIONS=2)
    return site


def is_in(run, status):
    def look():
        run.refresh_from_db()
        return run.status == status

    return look


# -- A fault of the sender -------------------------------------------------------------------------------------

FAULTS = {
    "authentication": ({"auth": "fail"}, {"auth": "require"}, "535 5.7.8"),
    "rejected": ({"mail_reply": "550 5.7.515 sender not authenticated"}, {"mail_reply": ""}, "550 5.7.515"),
    "unreachable": ({"refuse": True}, {"refuse": False}, "421"),
}


@pytest.mark.parametrize("reason", FAULTS)
def test_a_sender_fault_in_the_middle_of_a_run_fails_nobody_is_shown_and_ends_by_itself(
    site, settings, faulty_smtp, reason
):
    fault, cure, said = FAULTS[reason]
    # A log-in is asked for by new connections only.
    site.configure(settings, WAGTAIL_LIFECYCLE_MESSAGES_PER_CONNECTION=5)
    faulty_smtp.configure(latency=0.03)
    users = make_users(PEOPLE)
    site.start(WORKER, BEAT)
    run = make_run()
    until(lambda: faulty_smtp.stats.get("accepted", 0) >= 20)

    faulty_smtp.configure(**fault)
    until(is_in(run, "paused"))
    assert run.reason == "sender"
    state = SenderState.objects.get(key="news")
    assert (state.reason, said in state.detail) == (reason, True), state.detail
    page, moderator = f"/admin/lifecycle/runs/{run.pk}/", logged_in("moderator")
    # While a probe is under way, so is the run.
    shown = until(lambda: said in (text := moderator.get(page).content.decode()) and text)
    assert state.get_reason_display() in shown
    # Probes that fail cost nobody anything either.
    until(lambda: SenderState.objects.get(key="news").probes >= 2)
    until(lambda: not run.deliveries.filter(status__in=["claimed", "sending"]).exists())
    waiting = run.deliveries.exclude(status="sent")
    assert set(waiting.values_list("status", "attempts")) == {("queued", 0)}
    assert 0 < waiting.count() < PEOPLE

    faulty_smtp.configure(**cure)
    until(is_in(run, "finished"))
    assert run.totals == {"sent": PEOPLE}
    assert len(set(run.deliveries.values_list("attempts"))) == 1
    assert not SenderState.objects.get(key="news").is_paused
    assert recipients(faulty_smtp) == Counter(user.email for user in users)


def recipients(server):
    return Counter(address for mail in server.accepted for address in mail["rcpts"])


# -- Mails without an answer -----------------------------------------------------------------------------------


def test_a_mail_without_an_answer_is_sent_again_only_when_a_person_says_so_and_is_the_same_mail(
    site, settings, faulty_smtp
):
    site.configure(settings, WAGTAIL_LIFECYCLE_DOT_TIMEOUT_SECONDS=1)
    make_users(20)
    for fault, number in {"unacked-1": 3, "hang-1": 2}.items():
        for n in range(number):
            make_user(f"n{n}@{fault}.test")
    worker, _beat = site.start(WORKER, BEAT)
    run = make_run()
    until(is_in(run, "finished"))
    assert run.totals == {"sent": 20, "uncertain": 5}
    assert set(run.deliveries.filter(status="uncertain").values_list("reason")) == {("lost_reply",)}

    # However often it is looked for what was forgotten.
    worker.until_it_says(RECOVERED, worker.count(RECOVERED) + 3)
    assert Counter(mail["message_id"] for mail in faulty_smtp.accepted).most_common(1)[0][1] == 1
    assert len(faulty_smtp.accepted) == 25

    doubtful = list(Delivery.objects.filter(status="uncertain"))
    ids = [delivery.pk for delivery in doubtful]
    assert steering.settle_uncertain(ids, sent=False, user=None, now=timezone.now()) == 5
    until(is_in(run, "finished"))
    assert run.totals == {"sent": 25}
    copies = [headers(mail) for mail in faulty_smtp.accepted]
    assert Counter(copies) == Counter(dict.fromkeys(copies, 1)) + Counter(
        {pair: 1 for pair in copies if pair[0] in {delivery.message_id for delivery in doubtful}}
    )
    assert len(set(copies)) == 25


def headers(mail):
    """Its Message-ID and Date."""
    [date] = [line for line in mail["raw"].splitlines() if line.startswith("Date:")]
    return mail["message_id"], date
