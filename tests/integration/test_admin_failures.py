"""The screen of failed mails: causes in words, what happens next, and what a person can do."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from tests.support.admin import logged_in, words
from tests.support.admin import url as campaign_url
from tests.support.factories import NOW, make_campaign, make_delivery, make_empty_run, make_run, make_users
from wagtail_lifecycle import dispatch
from wagtail_lifecycle.dispatch import senders
from wagtail_lifecycle.models import SenderState

pytestmark = pytest.mark.django_db

SCREEN = "/admin/lifecycle/failures/"


@pytest.fixture
def editor(db):
    """May see runs, but neither people nor the buttons."""
    return logged_in("editor")


@pytest.fixture
def moderator(db):
    return logged_in("moderator")


def groups(client):
    return words(client.get(SCREEN), ".lifecycle-failure")


def group_url(action, campaign, reason):
    return reverse(f"lifecycle_failures:{action}", args=[campaign.pk, reason])


def recent_run(campaign=None, **fields):
    return make_empty_run(campaign, slot=timezone.now() - timedelta(hours=3), **fields)


def failed(run, reason="refused", **fields):
    return make_delivery(run, status="failed", reason=reason, finished_at=NOW, **fields)


def test_an_empty_screen_says_that_all_is_well(editor):
    (page,) = words(editor.get(SCREEN))
    assert "No mail has failed, none is in doubt, and none waits to be tried again." in page


def test_mails_are_grouped_by_campaign_and_cause(moderator):
    campaign = make_campaign(name="Daily digest")
    run = recent_run(campaign)
    for _ in range(3):
        failed(run, detail="550 5.7.1 we do not like you")
    failed(run, "render_error")
    failed(recent_run())
    make_delivery(run, status="sent")
    shown = groups(moderator)
    assert len(shown) == 3
    assert shown[0].startswith("3 The mail server refused the recipient or the mail. Daily digest , in 1 run")
    assert "550 5.7.1 we do not like you" in shown[0]
    assert "What happens next: Nothing happens by itself" in shown[0]
    assert shown[0].endswith("Retry failed")


def test_the_uncertain_come_first_and_the_waiting_last(moderator):
    run = recent_run()
    failed(run)
    make_delivery(run, status="uncertain", reason="lost_reply", finished_at=NOW)
    due = timezone.now() + timedelta(hours=1)
    make_delivery(run, status="deferred", reason="temporary", due_at=due)
    uncertain, refused, waiting = groups(moderator)
    assert "a person has to decide" in uncertain
    assert "Treat as sent Send again (may arrive twice)" in uncertain
    assert "Retry failed" in refused
    assert "They are tried again, the first on" in waiting
    assert "Retry" not in waiting


def test_what_waits_in_a_paused_run_waits_for_the_run(moderator):
    run = recent_run(status="paused", reason="person")
    make_delivery(run, status="deferred", reason="temporary", due_at=timezone.now())
    assert "They wait for as long as their run is paused." in groups(moderator)[0]


def test_a_group_leads_to_its_people(moderator):
    run = recent_run()
    failed(run, "render_error")
    failed(run, address="ana@example.org")
    links = BeautifulSoup(moderator.get(SCREEN).content, "html.parser").select(".lifecycle-failure a")
    (link,) = [each["href"] for each in links if "reason=refused" in each["href"]]
    page = moderator.get(link)
    assert len(words(page, "table.listing tbody tr")) == 1
    assert "ana@example.org" in words(page, "table.listing")[0]


def test_runs_long_over_are_left_out(moderator):
    run = make_empty_run(
        slot=timezone.now() - timedelta(days=60), status="finished", finished_at=timezone.now() - timedelta(days=59)
    )
    failed(run)
    assert groups(moderator) == []


def test_who_may_only_look_sees_no_buttons_and_no_words_of_the_server(editor):
    run = recent_run()
    failed(run, detail="550 nobody called ana here", address="ana@example.org")
    (shown,) = groups(editor)
    assert "Retry" not in shown
    assert "550" not in shown
    assert "Pause" not in words(editor.get(SCREEN))[0]


def test_a_group_is_retried_in_all_its_runs(moderator):
    make_users(2)
    campaign = make_campaign()
    for hours in (1, 2):
        run = make_run(campaign, slot=timezone.now() - timedelta(hours=hours))
        run.deliveries.update(status="failed", reason="refused", finished_at=NOW)
    other = failed(recent_run(), "refused")
    expected = 2 * run.deliveries.count()
    address = group_url("retry-failed", campaign, "refused")
    assert f"Try {expected} failed mails once more?" in words(moderator.get(address))[0]
    assert f"{expected} failed mails are tried again." in words(moderator.post(address, follow=True), ".messages")[0]
    for run in campaign.runs.all():
        dispatch.send_batch(run.pk)
    assert len(mail.outbox) == expected
    other.refresh_from_db()
    assert other.status == "failed"


def test_uncertain_mails_are_decided_about_as_a_group(moderator):
    campaign = make_campaign()
    run = recent_run(campaign, status="finished")
    for _ in range(2):
        make_delivery(run, status="uncertain", reason="lost_reply", finished_at=NOW)
    asked = words(moderator.get(group_url("send-again", campaign, "lost_reply")))[0]
    assert "They may have arrived" in asked
    moderator.post(group_url("treat-as-sent", campaign, "lost_reply"))
    run.refresh_from_db()
    assert run.totals == {"sent": 2}
    (history,) = words(moderator.get(campaign_url("history", campaign.pk)))
    assert "Treated 2 uncertain mails of the run of" in history


@pytest.mark.parametrize("reason", ["nonsense", "opted_out"])
def test_a_reason_that_nothing_has_is_no_way_to_change_anything(moderator, reason):
    campaign = make_campaign()
    failed(recent_run(campaign))
    status = moderator.post(group_url("retry-failed", campaign, reason)).status_code
    assert status == (404 if reason == "nonsense" else 302)
    assert campaign.runs.get().deliveries.get().status == "failed"


def test_a_mail_that_failed_in_a_broken_run_is_not_retried(moderator):
    campaign = make_campaign()
    failed(recent_run(campaign, status="cancelled", reason="broken"))
    response = moderator.get(group_url("retry-failed", campaign, "refused"), follow=True)
    assert "not possible any more" in words(response, ".messages")[0]


# -- Senders -------------------------------------------------------------------------------------------------


def test_a_paused_sender_stands_on_top_with_what_is_wrong_and_what_happens_next(moderator):
    run = recent_run()
    make_delivery(run)
    senders.pause("news", "authentication", "535 5.7.8 authentication failed")
    senders.make_wait(run.pk)
    (told,) = words(moderator.get(SCREEN), ".help-block")
    assert "has been paused since" in told
    assert "The mail server does not accept the log-in." in told
    assert "535 5.7.8 authentication failed" in told
    assert "One mail is tried on" in told
    assert "1 run waits for it." in told
    assert "Resume “" in told


def test_a_sender_is_paused_and_resumed_by_a_person(moderator):
    run = recent_run()
    make_delivery(run)
    pause, resume = (reverse(f"lifecycle_failures:{name}_sender", args=["news"]) for name in ("pause", "resume"))
    assert "is paused: nothing goes from it" in words(moderator.post(pause, follow=True), ".messages")[0]
    assert "was paused already" in words(moderator.post(pause, follow=True), ".messages")[0]
    senders.make_wait(run.pk)
    assert "a person has to resume it" in words(moderator.get(SCREEN), ".help-block")[0]
    assert "works again, and 1 run goes on." in words(moderator.post(resume, follow=True), ".messages")[0]
    assert not SenderState.objects.get(key="news").is_paused
    told = words(moderator.get(SCREEN), ".lifecycle-entries li")
    assert [line.split(":")[0] for line in told] == ["Resumed the sender", "Paused the sender"]


def test_a_sender_that_does_not_exist_is_a_message(moderator):
    for action in ("pause", "resume"):
        address = reverse(f"lifecycle_failures:{action}_sender", args=["nobody"])
        assert "No sender 'nobody'" in words(moderator.post(address, follow=True), ".messages")[0]
    assert not SenderState.objects.exists()


def test_the_list_of_campaigns_says_that_a_sender_is_paused(editor):
    before = words(editor.get(campaign_url("list")), ".help-block")
    senders.pause("news", "unreachable")
    (told,) = set(words(editor.get(campaign_url("list")), ".help-block")) - set(before)
    assert "is paused: none of its mails goes." in told
    assert "What happens next" in told


def test_the_screen_needs_as_many_queries_for_many_groups_as_for_few(moderator, django_assert_max_num_queries):
    def add(number):
        for _ in range(number):
            run = recent_run()
            failed(run)
            make_delivery(run, status="uncertain", reason="lost_reply", finished_at=NOW)

    def count():
        with django_assert_max_num_queries(30) as captured:
            assert moderator.get(SCREEN).status_code == 200
        return len(captured)

    senders.pause("news", "unreachable")
    add(2)
    moderator.get(SCREEN)
    few = count()
    add(10)
    assert count() == few
