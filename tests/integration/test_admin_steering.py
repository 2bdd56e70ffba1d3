"""Steering runs in the admin: what is offered when, asked first, done on POST, and written down."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.support.admin import logged_in, words
from tests.support.admin import url as campaign_url
from tests.support.events import on_event
from tests.support.factories import NOW, SLOT, make_campaign, make_delivery, make_empty_run, make_run, make_users
from wagtail_lifecycle import dispatch
from wagtail_lifecycle.dispatch import senders, steering
from wagtail_lifecycle.models import Delivery, Run

pytestmark = pytest.mark.django_db

LIST = "/admin/lifecycle/runs/"


@pytest.fixture
def editor(db):
    """May see runs, but not steer them."""
    return logged_in("editor")


@pytest.fixture
def moderator(db):
    return logged_in("moderator")


def url(run, action=""):
    return reverse(f"lifecycle_runs:{action or 'run'}", args=[run.pk])


def offers(client, run):
    return words(client.get(url(run)), ".lifecycle-offers > *")


def message(response):
    (text,) = words(response, ".messages li")
    return text


def steer(client, run, action):
    return message(client.post(url(run, action), follow=True))


# -- What is offered -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "deliveries", "offered"),
    [
        ({"status": "sending"}, ["queued"], ["Pause", "Cancel the run"]),
        ({"status": "preparing", "planned_at": None}, [], ["Pause", "Cancel the run"]),
        ({"status": "paused", "reason": "person"}, ["queued"], ["Resume", "Cancel the run"]),
        ({"status": "paused", "reason": "breaker"}, ["failed"], ["Resume", "Retry failed", "Cancel the run"]),
        ({"status": "paused", "reason": "sender"}, ["queued"], ["Cancel the run"]),
        ({"status": "finished"}, ["sent"], ["Send to the rest"]),
        ({"status": "finished"}, ["failed"], ["Retry failed", "Send to the rest"]),
        (
            {"status": "finished"},
            ["uncertain"],
            ["Treat as sent", "Send again (may arrive twice)", "Send to the rest"],
        ),
        ({"status": "cancelled", "reason": "person"}, ["cancelled"], ["Send to the rest"]),
        ({"status": "cancelled", "reason": "broken"}, ["cancelled"], []),
        ({"status": "skipped", "reason": "missed"}, [], ["Send this skipped slot now"]),
    ],
)
def test_a_run_offers_what_makes_sense(moderator, editor, fields, deliveries, offered):
    run = make_empty_run(**fields)
    for status in deliveries:
        make_delivery(run, status=status, reason="" if status in {"queued", "sent", "cancelled"} else "refused")
    if fields["status"] == "finished":
        Run.objects.filter(pk=run.pk).update(totals=dict.fromkeys(deliveries, 1))
    assert offers(moderator, run) == offered
    assert offers(editor, run) == []


def test_a_run_about_events_has_no_rest_where_everybody_has_their_mail(moderator):
    campaign = make_campaign(trigger="event", event="user_verified")
    run = make_empty_run(campaign, status="finished", totals={"sent": 1})
    make_delivery(run, status="sent")
    assert offers(moderator, run) == []


def test_a_skipped_slot_of_a_campaign_that_is_not_live_is_not_offered(moderator):
    campaign = make_campaign()
    run = make_empty_run(campaign, status="skipped", reason="missed")
    campaign.live = False
    campaign.save(update_fields=["live"])
    assert offers(moderator, run) == []


def test_the_lines_of_the_list_offer_the_same(moderator, editor):
    run = make_empty_run()
    make_delivery(run)
    html = moderator.get(LIST).content.decode()
    assert f'data-w-action-url-value="{url(run, "pause")}?next=' in html
    assert f'href="{url(run, "cancel")}?next=' in html
    assert url(run, "pause") not in editor.get(LIST).content.decode()


# -- What is asked first -------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["cancel", "retry-failed", "send-to-rest", "treat-as-sent", "send-again"])
def test_what_cannot_be_undone_is_asked_with_its_count_and_consequence(moderator, action):
    run = make_empty_run(status="sending" if action == "cancel" else "finished", totals={"failed": 2, "uncertain": 2})
    for _ in range(2):
        make_delivery(run)
        make_delivery(run, status="failed", reason="refused")
        make_delivery(run, status="uncertain", reason="lost_reply")
    before = list(Delivery.objects.order_by("pk").values())
    response = moderator.get(url(run, action))
    (page,) = words(response)
    assert action == "send-to-rest" or " 2 " in words(response, "main h2")[0]
    assert "No, change nothing" in page
    assert run.campaign.name in page
    assert list(Delivery.objects.order_by("pk").values()) == before


def test_what_is_not_possible_any_more_is_said_instead_of_asked(moderator):
    run = make_empty_run(status="finished")
    response = moderator.get(url(run, "cancel"), follow=True)
    assert response.redirect_chain[-1][0] == url(run)
    assert "not possible any more" in message(response)


def test_a_post_without_a_token_does_nothing(moderator):
    run = make_empty_run()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = moderator.cookies
    assert strict.post(url(run, "pause")).status_code == 403
    assert Run.objects.get().status == "sending"


def test_the_way_back_never_leads_to_another_site(moderator):
    run = make_empty_run()
    response = moderator.post(f"{url(run, 'pause')}?next=https://evil.example/")
    assert response.url == url(run)
    assert moderator.post(f"{url(run, 'pause')}?next={LIST}").url == LIST


# -- What is done --------------------------------------------------------------------------------------------


def test_a_run_is_paused_and_resumed_and_says_by_whom(moderator):
    run = make_empty_run()
    make_delivery(run)
    assert "The run is paused." in steer(moderator, run, "pause")
    assert "was paused already" in steer(moderator, run, "pause")
    response = moderator.get(url(run))
    (told,) = words(response, ".help-block")
    assert told.startswith("Reader")
    assert "paused it on" in told
    assert "Nothing more goes until a person resumes it." in told
    assert steer(moderator, run, "resume").endswith("The run goes on.")
    assert words(moderator.get(url(run)), ".help-block") == []
    (first, second) = words(moderator.get(url(run)), ".lifecycle-entries li")
    assert first.startswith("Resumed the run of Friday 20 Nov 2026, 09:00")
    assert second.startswith("Paused the run of Friday 20 Nov 2026, 09:00")


def test_a_run_that_is_resumed_while_its_sender_is_paused_says_that_it_waits_and_what_for(moderator):
    run = make_empty_run()
    make_delivery(run)
    steer(moderator, run, "pause")
    senders.pause("news", "unreachable", "ConnectionRefusedError")
    failures = reverse("lifecycle_failures:index")
    assert "The next one that begins, or that a person resumes, tries one mail." in words(moderator.get(failures))[0]
    told = steer(moderator, run, "resume")
    assert "You have resumed the run, and it waits for its sender." in told
    assert "The mail server cannot be reached." in told
    assert "One mail is tried on" in told
    assert "1 run waits for it." in words(moderator.get(failures))[0]
    assert words(moderator.get(url(run)), ".help-block")[0].startswith("Its sender “")


def test_a_cancelled_run_says_how_many_mails_do_not_go(moderator):
    run = make_empty_run()
    for _ in range(3):
        make_delivery(run)
    assert "3 mails do not go" in steer(moderator, run, "cancel")
    run.refresh_from_db()
    assert (run.status, run.totals) == ("cancelled", {"cancelled": 3})
    assert "A person cancelled it." in words(moderator.get(url(run)), ".help-block")[0]


def test_what_failed_is_tried_again(moderator):
    make_users(2)
    run = make_run()
    run.deliveries.update(status="failed", reason="temporary", finished_at=NOW)
    dispatch.close_run(run.pk)
    failed = run.deliveries.count()
    assert f"{failed} failed mails are tried again." in steer(moderator, run, "retry-failed")
    assert "nothing is tried again" in steer(moderator, run, "retry-failed")
    dispatch.send_batch(run.pk)
    assert len(mail.outbox) == failed


def failed_about_events(*days):
    run = make_empty_run(on_event(), status="finished", totals={"failed": len(days)})
    for number in days:
        then = timezone.now() - timedelta(days=number)
        key = f"day {number}"
        make_delivery(run, status="failed", reason="refused", event_key=key, created_at=then, finished_at=then)
    return run


def test_mails_that_are_too_old_to_be_tried_again_are_told_before_and_after(moderator):
    run = failed_about_events(0, 9, 10)
    (asked,) = words(moderator.get(url(run, "retry-failed")))
    assert "Try 1 failed mail once more?" in asked
    assert "2 failed mails are about something too long ago to be told now, and stay as they are." in asked
    told = steer(moderator, run, "retry-failed")
    assert "1 failed mail is tried again. 2 failed mails are about something too long ago" in told
    assert sorted(run.deliveries.values_list("status", flat=True)) == ["failed", "failed", "queued"]


def test_where_all_are_too_old_nothing_is_asked_and_it_is_told_why(moderator):
    run = failed_about_events(9)
    assert "1 failed mail is about something too long ago" in message(
        moderator.get(url(run, "retry-failed"), follow=True)
    )
    group = reverse("lifecycle_failures:retry-failed", args=[run.campaign_id, "refused"])
    told = message(moderator.post(group, follow=True))
    assert "1 failed mail is about something too long ago" in told
    assert "tried again" not in told
    assert run.deliveries.get().status == "failed"


def test_the_rest_gets_its_mail(moderator):
    first, second = make_users(2)
    run = make_run()
    run.deliveries.filter(address=first.email).update(status="sent", finished_at=NOW)
    run.deliveries.filter(address=second.email).update(status="cancelled", finished_at=NOW)
    run.deliveries.exclude(address__in=[first.email, second.email]).update(status="sent", finished_at=NOW)
    dispatch.close_run(run.pk)
    assert "1 person who had no mail" in steer(moderator, run, "send-to-rest")
    while dispatch.send_batch(run.pk):
        pass
    assert [each.to[0] for each in mail.outbox if second.email in each.to[0]]
    assert not [each.to[0] for each in mail.outbox if first.email in each.to[0]]


def test_a_skipped_slot_is_sent_after_all(moderator):
    run = dispatch.skip_slots(make_campaign(), SLOT - timedelta(days=2), SLOT, 3, NOW)
    assert "The run begins." in steer(moderator, run, "send-skipped")
    assert "Somebody else was faster" in steer(moderator, run, "send-skipped")
    while dispatch.send_batch(run.pk):
        pass
    assert len(mail.outbox) == 1


def test_uncertain_mails_are_settled(moderator):
    run = make_empty_run(status="finished", totals={"uncertain": 2})
    for _ in range(2):
        make_delivery(run, status="uncertain", reason="lost_reply", finished_at=NOW)
    assert "2 uncertain mails count as sent." in steer(moderator, run, "treat-as-sent")
    run.refresh_from_db()
    assert run.totals == {"sent": 2}
    assert "nothing is sent again" in steer(moderator, run, "send-again")


def test_what_is_not_possible_is_a_message(moderator):
    run = make_empty_run(status="finished")
    assert "The run is finished." in steer(moderator, run, "pause")
    assert words(moderator.get(url(run)), ".lifecycle-entries li") == []


@pytest.mark.parametrize("action", ["pause", "cancel", "retry-failed", "send-to-rest", "send-skipped"])
def test_who_may_only_look_changes_nothing(editor, action):
    run = make_empty_run()
    make_delivery(run, status="failed", reason="refused")
    response = editor.post(url(run, action))
    assert (response.status_code, response.url) == (302, "/admin/")
    run.refresh_from_db()
    assert (run.status, run.deliveries.get().status) == ("sending", "failed")


# -- What is told --------------------------------------------------------------------------------------------


def test_the_history_of_the_campaign_says_who_did_what(moderator):
    run = make_empty_run()
    for _ in range(2):
        make_delivery(run)
    steer(moderator, run, "cancel")
    (history,) = words(moderator.get(campaign_url("history", run.campaign_id)))
    assert "Cancelled the run of Friday 20 Nov 2026, 09:00: 2 mails did not go" in history


def test_a_run_that_waits_for_its_sender_says_so_and_what_happens_next(moderator):
    run = make_empty_run()
    make_delivery(run)
    senders.pause("news", "unreachable", "ConnectionRefusedError: [Errno 111]")
    senders.make_wait(run.pk)
    (told,) = words(moderator.get(url(run)), ".help-block")
    assert told.startswith("Its sender “")
    assert "The mail server cannot be reached." in told
    assert "ConnectionRefusedError" in told
    assert "go on by themselves" in told
    steering.pause_sender("news", user=None, now=timezone.now())
    assert "a person has to resume it" in words(moderator.get(url(run)), ".help-block")[0]


def test_a_run_whose_mails_failed_says_how_many(moderator):
    run = make_empty_run(status="paused", reason="breaker")
    for _ in range(3):
        make_delivery(run, status="failed", reason="refused")
    make_delivery(run, status="sent")
    (told,) = words(moderator.get(url(run)), ".help-block")
    assert "Too many mails failed, so the run paused itself: 3 of 4." in told


def test_mails_that_wait_for_their_time_are_told(moderator):
    run = make_empty_run()
    make_delivery(run, status="deferred", reason="temporary", due_at=timezone.now() + timedelta(hours=2))
    assert "Mails of it wait for their time, the first until" in words(moderator.get(url(run)), ".help-block")[0]
