"""From signing up to the welcome: what a person meets, and what somebody finds who tries to abuse it."""

import re
from datetime import timedelta
from time import monotonic

import pytest
import time_machine
from celery.contrib.testing.app import TestApp
from django.contrib.auth import get_user_model
from django.core import serializers
from django.core.cache import cache
from django.core.management import call_command
from django.core.signing import Signer, TimestampSigner
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path, reverse
from django.utils import timezone, translation
from wagtail.models import Locale

from demo_site.accounts.models import User
from demo_site.accounts.views import SignUp
from demo_site.urls import urlpatterns as demo_urls
from tests.support.campaigns import draft
from tests.support.events import (
    edit,
    on_event,
    recipient_of,
    silent_server,
    stopped_server,
    verification_campaign,
    work,
)
from tests.support.factories import make_topic, make_user
from wagtail_lifecycle import dispatch, links, tasks, triggers, user_events, verification
from wagtail_lifecycle.exceptions import InvalidToken
from wagtail_lifecycle.models import Campaign, Delivery, Run
from wagtail_lifecycle.models.people import hash_address
from wagtail_lifecycle.views import limits

pytestmark = pytest.mark.django_db

BASE = "https://publisher.example.org"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    cache.clear()
    monkeypatch.setattr(tasks, "broker", tasks.Broker())


@pytest.fixture
def user_events_on(settings):
    settings.WAGTAIL_LIFECYCLE_USER_EVENTS = True


@pytest.fixture
def ana():
    return make_user("Ana@Example.org", is_verified=False)


def token_of(user):
    return links.verify_token(user.pk, hash_address(user.email))


def path_of(token):
    return f"/lifecycle/verify/{token}/"


def is_verified(user):
    return get_user_model().objects.get(pk=user.pk).is_verified


def ask(client, address, **extra):
    return client.post(reverse("wagtail_lifecycle:verify_again"), {"address": address}, **extra)


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


def sign_up(client, email="ines@example.org", url="/accounts/sign-up/"):
    fields = {"name": "Ines Duarte", "email": email, "password1": "a-quiet-garden", "password2": "a-quiet-garden"}
    return client.post(url, fields)


def link_in(message):
    [link] = re.findall(rf"{BASE}/lifecycle/verify/\S+", message.body)
    return link


# -- The whole way -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_from_signing_up_to_the_welcome(client, mailoutbox, user_events_on):
    verification_campaign()
    on_event(event="user_verified", subject="Welcome")

    sign_up(client)
    work()
    [message] = mailoutbox
    link = link_in(message)
    assert f'href="{link}"' in message.alternatives[0][0]
    user = User.objects.get()
    page = link.removeprefix(BASE)
    assert "Confirm" in text_of(client.get(page))
    assert not is_verified(user)

    assert "Your address is confirmed" in text_of(Client(enforce_csrf_checks=True).post(page))
    assert is_verified(user)
    work()
    assert [message.subject for message in mailoutbox] == ["Confirm your address", "Welcome"]


def test_who_signs_up_again_before_verifying_gets_another_mail_within_limits(
    client, mailoutbox, user_events_on, settings
):
    settings.WAGTAIL_LIFECYCLE_VERIFICATION_LIMITS = {"address": 3}
    verification_campaign()
    for minutes in range(0, 20, 5):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
            assert sign_up(client, email="ines@example.org" if minutes else "Ines@example.org").status_code == 302
            work()
    assert len(mailoutbox) == 3
    assert User.objects.count() == 1


def test_who_is_verified_gets_no_mail_when_somebody_signs_up_with_their_address(client, mailoutbox, user_events_on):
    make_user("ines@example.org", is_verified=True)
    verification_campaign()
    assert sign_up(client).status_code == 302
    work()
    assert mailoutbox == []


def test_signing_up_is_limited_for_one_visitor_like_asking_again(client, settings, user_events_on):
    settings.WAGTAIL_LIFECYCLE_VERIFICATION_LIMITS = {"ip": 2}
    answers = [sign_up(client, email=f"ines{number}@example.org").status_code for number in range(3)]
    assert answers == [302, 302, 429]
    assert ask(client, "ines0@example.org").status_code == 429
    assert User.objects.count() == 2


@pytest.mark.parametrize("host", ["evil.example", "localhost"])
def test_the_link_never_begins_with_the_host_of_the_request(mailoutbox, user_events_on, settings, host):
    settings.ALLOWED_HOSTS = ["*"]
    verification_campaign()
    sign_up(Client(HTTP_HOST=host, HTTP_X_FORWARDED_HOST=host))
    work()
    assert link_in(mailoutbox[0])
    assert host not in mailoutbox[0].body


def test_who_has_verified_meanwhile_gets_no_mail(mailoutbox, ana):
    verification_campaign()
    user_events.registered(ana)
    verification.confirm(token_of(ana))
    work()
    assert mailoutbox == []
    assert list(Delivery.objects.values_list("status", "reason")) == [("skipped", "gone")]


def test_who_changed_their_address_gets_a_link_for_the_new_one(client, mailoutbox, ana):
    verification_campaign()
    user_events.registered(ana)
    get_user_model().objects.update(email="ana@new.example")
    work()
    assert "ana@new.example" in mailoutbox[0].to[0]
    assert client.post(link_in(mailoutbox[0]).removeprefix(BASE)).status_code == 200


def test_a_mail_whose_link_would_be_over_is_not_sent(mailoutbox, ana, settings):
    settings.WAGTAIL_LIFECYCLE_VERIFICATION_SECONDS = 3600
    verification_campaign()
    user_events.registered(ana)
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        work()
    assert mailoutbox == []
    assert Delivery.objects.get().reason == "expired"


def test_a_reminder_about_a_topic_can_carry_the_button_too(mailoutbox, ana):
    campaign = verification_campaign(trigger="schedule", event="", topic=make_topic())
    run = dispatch.open_run(campaign, timezone.now(), timezone.now())
    dispatch.send_batch(run.pk)
    assert link_in(mailoutbox[0])


def test_the_button_leads_to_the_site_for_who_is_no_user():
    assert links.verify_url("subscriber:7", hash_address("a@example.org")) == ""


def test_the_button_can_be_previewed():
    campaign = draft(body=[("verify_button", {"text": "Confirm here"})], audience="unverified_users", topic=None)
    for mode in ("html", "text"):
        assert "Confirm here" in campaign.serve_preview(None, mode).content.decode()


# -- The page ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing(client, ana, method):
    assert getattr(client, method)(path_of(token_of(ana))).status_code == 200
    assert not is_verified(ana)


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_other_methods_are_refused(client, ana, method):
    assert getattr(client, method)(path_of(token_of(ana))).status_code == 405
    assert not is_verified(ana)


def test_the_page_names_nobody_and_needs_no_cookie(client, ana):
    page = client.get(path_of(token_of(ana)))
    assert "ana" not in page.content.decode().lower().replace("manage", "")
    assert not page.cookies
    assert not client.post(path_of(token_of(ana))).cookies


@pytest.mark.parametrize("where", ["good", "bad", "again"])
def test_no_answer_is_kept_indexed_framed_or_told_to_other_sites(client, ana, where):
    answer = client.get(
        {"good": path_of(token_of(ana)), "bad": path_of("x"), "again": reverse("wagtail_lifecycle:verify_again")}[where]
    )
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"]
    assert answer["X-Frame-Options"] == "DENY"
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", answer.content.decode())


def test_the_pages_turn_around_for_right_to_left_languages(client):
    with translation.override("ar"):
        assert 'dir="rtl"' in client.get(path_of("x")).content.decode()


# -- The token -----------------------------------------------------------------------------------------------


def test_a_token_shows_no_address(ana):
    assert "ana" not in token_of(ana).lower()
    assert len(token_of(ana)) < 160


def test_every_flipped_character_makes_a_token_invalid(ana):
    token = token_of(ana)
    for place, character in enumerate(token):
        changed = "A" if character != "A" else "B"
        with pytest.raises(InvalidToken):
            verification.who_verifies(token[:place] + changed + token[place + 1 :])


def wrong_tokens(ana, bo):
    good = token_of(ana)
    value = good.rsplit(":", 2)[0]
    with time_machine.travel(timezone.now() - 3 * DAY - timedelta(seconds=2)):
        expired = token_of(ana)
    return {
        "cut": good[:-1],
        "junk": "nothing",
        "10 kB": "x" * 10_000,
        "for opting out": links.unsubscribe_token(hash_address(ana.email), 7),
        "another purpose": TimestampSigner(salt="password-reset").sign(value),
        "no time in it": Signer(salt=links.VERIFY_SALT).sign(value),
        "the other person's address": links.verify_token(ana.pk, hash_address(bo.email)),
        "no such person": links.verify_token(10**30, hash_address(ana.email)),
        "another kind of key": links.verify_token("abc", hash_address(ana.email)),
        "not unpackable": TimestampSigner(salt=links.VERIFY_SALT).sign("!!!.x"),
        "expired": expired,
    }


@pytest.mark.parametrize("method", ["get", "post"])
def test_every_wrong_token_gets_the_same_page_and_changes_nothing(client, ana, method):
    bo = make_user("bo@example.org", is_verified=False)
    expected = client.get(path_of("other")).content
    for kind, token in wrong_tokens(ana, bo).items():
        answer = getattr(client, method)(path_of(token))
        assert (answer.status_code, answer.content) == (404, expected), kind
    assert not is_verified(ana)
    assert not is_verified(bo)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "change", [{"email": "ana@new.example"}, {"is_verified": True}, {"is_active": False}], ids=lambda c: next(iter(c))
)
def test_a_token_is_over_when_the_account_has_changed(client, ana, method, change):
    token = token_of(ana)
    get_user_model().objects.filter(pk=ana.pk).update(**change)
    before = get_user_model().objects.values().get(pk=ana.pk)
    answer = getattr(client, method)(path_of(token))
    assert (answer.status_code, answer.content) == (404, client.get(path_of("other")).content)
    assert get_user_model().objects.values().get(pk=ana.pk) == before


def test_a_deleted_account_has_no_token(client, ana):
    token = token_of(ana)
    ana.delete()
    assert client.post(path_of(token)).status_code == 404


def test_a_token_works_once(client, ana, mailoutbox):
    on_event(event="user_verified")
    answers = [client.post(path_of(token_of(ana))).status_code for _ in range(3)]
    assert answers == [200, 404, 404]
    work()
    assert len(mailoutbox) == 1


def test_a_token_signed_with_a_retired_key_still_works(client, ana, settings):
    token = token_of(ana)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a-new-secret-key-after-the-rotation-of-the-old-one"
    assert client.post(path_of(token)).status_code == 200


def test_a_long_token_is_refused_before_anybody_is_looked_up(django_assert_max_num_queries, client):
    # The page only asks whose site it is.
    with django_assert_max_num_queries(1):
        assert client.post(path_of("x" * 10_000)).status_code == 404


def test_the_address_may_differ_in_the_case_of_its_domain(client, ana):
    token = token_of(ana)
    get_user_model().objects.update(email="Ana@EXAMPLE.org")
    assert client.post(path_of(token)).status_code == 200


def test_without_a_verified_field_nothing_can_be_verified(client, ana, settings):
    settings.WAGTAIL_LIFECYCLE_VERIFIED_FIELD = "no_such_field"
    assert client.post(path_of(token_of(ana))).status_code == 404
    assert ask(client, ana.email).status_code == 200


# -- Another mail --------------------------------------------------------------------------------------------


def test_another_mail_can_be_asked_for_without_logging_in(mailoutbox, ana):
    verification_campaign()
    user_events.registered(ana)
    work()
    answer = ask(Client(enforce_csrf_checks=True), ana.email.upper())
    assert answer.status_code == 200
    assert not answer.cookies
    work()
    assert len(mailoutbox) == 2
    assert link_in(mailoutbox[0]).split(":")[1] == link_in(mailoutbox[1]).split(":")[1]


def test_only_the_first_mail_that_asks_to_verify_is_sent_again_and_at_once(mailoutbox, ana):
    on_event(audience="unverified_users", subject="Thanks for registering")
    verification_campaign(subject="Reminder", delay=3 * DAY)
    verification_campaign(subject="Please verify", delay=timedelta(minutes=1))
    verification.send_again(ana)
    work()
    assert [message.subject for message in mailoutbox] == ["Please verify"]


def test_showing_the_form_sends_nothing(client, ana):
    verification_campaign()
    assert client.get(reverse("wagtail_lifecycle:verify_again"), {"address": ana.email}).status_code == 200
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("address", ["", "nobody", "a@b\r\nBcc: x@y.example", "x" * 10_000 + "@example.org"])
def test_what_is_no_address_is_said(client, address):
    answer = ask(client, address)
    assert answer.status_code == 400
    assert "No mail can be sent to this address" in text_of(answer)
    assert "x" * 400 not in answer.content.decode()


def test_pressing_twice_sends_one_mail(client, mailoutbox, ana):
    verification_campaign()
    with time_machine.travel(timezone.now().replace(second=0), tick=False):
        ask(client, ana.email)
        ask(client, ana.email)
    work()
    assert len(mailoutbox) == 1


@pytest.fixture
def everybody():
    verification_campaign()
    make_user("verified@example.org")
    make_user("inactive@example.org", is_verified=False, is_active=False)
    make_user("new@example.org", is_verified=False)
    return ["new@example.org", "stranger@example.org", "verified@example.org", "inactive@example.org"]


def test_nobody_learns_who_has_an_account(client, everybody, mailoutbox, django_capture_on_commit_callbacks):
    ask(client, "first@example.org")  # the run of the day is made
    answers = set()
    for address in everybody:
        with CaptureQueriesContext(connection) as queries, django_capture_on_commit_callbacks() as callbacks:
            answer = ask(client, address)
        # What is done to which tables, without the values.
        shapes = tuple(re.sub(r"\s.*?(\bFROM|\bINTO|$)", r" \1", query["sql"], count=1)[:60] for query in queries)
        answers.add((answer.status_code, answer.content, shapes, len(callbacks)))
    assert len(answers) == 1
    work()
    assert ["new@example.org" in message.to[0] for message in mailoutbox] == [True]


def test_what_strangers_type_is_not_kept(client, everybody):
    ask(client, "stranger@example.org")
    row = Delivery.objects.get()
    assert "stranger" not in str(Delivery.objects.values())
    assert row.address_hash != hash_address("stranger@example.org")
    work()
    row.refresh_from_db()
    assert (row.status, row.reason) == ("skipped", "gone")


def test_nobody_learns_who_has_an_account_from_a_message_in_the_log(client, everybody, caplog):
    for address in everybody:
        ask(client, address)
    assert "example.org" not in caplog.text


# -- Limits --------------------------------------------------------------------------------------------------


def test_one_address_gets_three_mails_an_hour_whoever_asks(mailoutbox, ana):
    verification_campaign()
    with time_machine.travel(timezone.now() - timedelta(minutes=20)) as clock:
        for number in range(6):
            assert ask(Client(REMOTE_ADDR=f"192.0.2.{number}"), ana.email).status_code == 200
            clock.shift(timedelta(minutes=2))
    work()
    assert len(mailoutbox) == 3


def test_one_visitor_may_ask_twenty_times_an_hour(client, settings):
    verification_campaign()
    settings.WAGTAIL_LIFECYCLE_VERIFICATION_LIMITS = {"ip": 4}
    answers = [ask(client, f"reader{number}@example.org") for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 2
    assert "Try again in an hour" in text_of(answers[-1])
    assert ask(Client(REMOTE_ADDR="192.0.2.7"), "reader@example.org").status_code == 200


def test_an_hour_later_one_may_ask_again():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert [limits.is_allowed("test", "ana", 1) for _ in range(2)] == [True, False]
        clock.shift(timedelta(hours=1, seconds=1))
        assert limits.is_allowed("test", "ana", 1)


def test_a_network_of_ipv6_is_one_visitor(rf):
    def visitor(address):
        return limits.visitor(rf.get("/", REMOTE_ADDR=address))

    assert visitor("2001:db8::1") == visitor("2001:db8::ffff:2") != visitor("2001:db8:0:1::1")
    assert visitor("::ffff:192.0.2.1") == visitor("192.0.2.1") == "192.0.2.1"
    assert visitor("") == ""


def test_no_address_stands_in_the_cache(client, ana):
    verification_campaign()
    ask(client, ana.email)
    assert "ana" not in str(list(cache._cache)).lower()


def test_switched_off_limits_still_leave_one_mail_a_minute(client, settings, mailoutbox, ana):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    verification_campaign()
    with time_machine.travel(timezone.now().replace(second=0), tick=False):
        for _ in range(5):
            assert ask(client, ana.email).status_code == 200
    work()
    assert len(mailoutbox) == 1


# -- Users who are saved -------------------------------------------------------------------------------------


def test_saving_users_is_no_event_unless_the_site_says_so(ana):
    verification_campaign()
    on_event(event="user_verified")
    make_user(is_verified=False)
    ana.is_verified = True
    ana.save()
    assert not Delivery.objects.exists()


def test_a_new_user_and_a_newly_verified_one_are_events(user_events_on):
    verification_campaign()
    on_event(event="user_verified")
    user = make_user(is_verified=False)
    assert Delivery.objects.get().campaign.event == "user_registered"
    for _ in range(2):
        user.is_verified = True
        user.save()
    assert sorted(Delivery.objects.values_list("campaign__event", flat=True)) == ["user_registered", "user_verified"]


def test_saving_a_user_who_was_verified_long_ago_is_no_event(user_events_on, settings):
    settings.WAGTAIL_LIFECYCLE_USER_EVENTS = False
    user = make_user()
    settings.WAGTAIL_LIFECYCLE_USER_EVENTS = True
    on_event(event="user_verified")
    user.name = "Another"
    user.save()
    assert not Delivery.objects.exists()


def test_logging_in_costs_no_query(client, user_events_on, django_assert_num_queries, ana):
    ana.last_login = timezone.now()
    with django_assert_num_queries(1):
        ana.save(update_fields=["last_login"])


def test_users_from_fixtures_bulk_loads_and_imports_are_no_event(user_events_on):
    verification_campaign()
    with user_events.silence():
        user = make_user(is_verified=False)
    fixture = serializers.serialize("json", [user])
    user.delete()
    for loaded in serializers.deserialize("json", fixture):
        loaded.save()
    User.objects.bulk_create([User(email="bulk@example.org")])
    assert not Delivery.objects.exists()


def test_loading_the_demo_mails_nobody(user_events_on, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    call_command("load_demo", verbosity=0)
    User.objects.filter(email="wen.li@example.org").delete()
    call_command("load_demo", verbosity=0)
    assert User.objects.filter(email="wen.li@example.org").exists()
    assert not Delivery.objects.exists()
    # Translations go with their source and have no state of their own.
    sources = Campaign.objects.filter(trigger="event", locale=Locale.get_default())
    assert {campaign.name: campaign.state.problem for campaign in sources} == {
        "Verify your address": "",
        "Welcome": "",
    }


def test_an_account_is_told_once_however_often_the_site_says_so(ana):
    verification_campaign()
    assert [user_events.registered(ana) for _ in range(3)] == [1, 0, 0]


# -- The demo's pages ----------------------------------------------------------------------------------------


def test_the_account_page_sends_the_mail_again(client, mailoutbox, ana):
    verification_campaign()
    client.force_login(ana)
    page = client.get(reverse("account")).content.decode()
    assert "not verified" in page
    [action] = re.findall(r'action="(/lifecycle/[^"]+)"', page)
    [address] = re.findall(r'name="address" value="([^"]+)"', page)
    client.post(action, {"address": address})
    work()
    assert link_in(mailoutbox[0])


def test_the_account_page_of_a_verified_user_asks_for_nothing(client):
    client.force_login(make_user())
    page = client.get(reverse("account")).content.decode()
    assert "not verified" not in page
    assert "Send it again" not in page


def test_the_account_page_is_for_who_is_logged_in(client):
    assert client.get(reverse("account")).status_code == 302


# -- A broker out of reach, a view that raises ---------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("server", [stopped_server, silent_server])
def test_a_registration_answers_within_two_seconds_without_a_broker_and_the_mail_arrives(
    client, server, monkeypatch, mailoutbox, user_events_on
):
    verification_campaign()
    on_event(audience="unverified_users")
    with server() as address:
        monkeypatch.setattr(tasks, "broker", tasks.Broker(TestApp(broker=address)))
        start = monotonic()
        assert sign_up(client).status_code == 302
        assert monotonic() - start < 2
    assert mailoutbox == []
    work()
    assert len(mailoutbox) == 2


class FailingSignUp(SignUp):
    def form_valid(self, form):
        super().form_valid(form)
        raise RuntimeError("something after the registration")


urlpatterns = [path("failing/", FailingSignUp.as_view()), *demo_urls]


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls(__name__)
def test_a_view_that_raises_after_registering_sends_nothing(mailoutbox, user_events_on, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    verification_campaign()
    assert sign_up(Client(raise_request_exception=False), url="/failing/").status_code == 500
    work()
    assert not User.objects.filter(email="ines@example.org").exists()
    assert not Run.objects.exists()
    assert mailoutbox == []


def test_the_verification_of_one_person_is_not_that_of_another_with_the_same_key(ana):
    """Two occurrences of one key belong to different addresses."""
    verification_campaign()
    bo = make_user("bo@example.org", is_verified=False)
    assert triggers.fire("user_registered", recipient_of(ana), "1") == 1
    assert triggers.fire("user_registered", recipient_of(bo), "1") == 1


def test_an_edited_verification_mail_is_what_people_get_next(mailoutbox, ana):
    campaign = verification_campaign()
    verification.send_again(ana)
    edit(campaign, subject="Better words")
    verification.send_again(ana)
    work()
    assert {message.subject for message in mailoutbox} == {"Confirm your address", "Better words"}
