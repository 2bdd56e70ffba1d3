"""The Quick Publisher as its visitors, members and editors meet it."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from wagtail.images.models import Image
from wagtail.models import GroupApprovalTask, Page, Site, Workflow, WorkflowContentType, WorkflowPage

from demo_site.accounts.forms import SignUpForm
from demo_site.accounts.logins import LOGINS
from demo_site.accounts.models import User
from demo_site.publication.authors import recipients_of_pages
from demo_site.publication.models import AuthorPage, HomePage, PostPage
from demo_site.publication.people import UNVERIFIED
from demo_site.publication.sample_views import days_until
from demo_site.publication.texts import read_authors
from tests.support.admin import form_data
from tests.support.factories import make_campaign, make_empty_run
from wagtail_lifecycle.audiences import get_audience
from wagtail_lifecycle.models import Branding, Campaign, DailyPageViews, Topic

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
POST = "/in-praise-of-the-short-letter/"


@pytest.fixture(scope="module")
def _loaded(django_db_setup, django_db_blocker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Load the demo once; each test's own transaction is a savepoint in this one."""
    media = override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("media"))
    with django_db_blocker.unblock(), media, transaction.atomic():
        call_command("load_demo", verbosity=0)
        # Tests open and close the connection's blocker themselves.
        with django_db_blocker.block():
            yield
        transaction.set_rollback(True)


@pytest.fixture
def demo(_loaded: None, db: None) -> HomePage:
    return HomePage.objects.get()


@pytest.fixture
def visitor(demo: HomePage) -> Client:
    return Client(HTTP_HOST="localhost", HTTP_USER_AGENT=BROWSER)


def page_text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def form_fields(html: str) -> dict[str, str]:
    """Return what a browser would send back of a page's form."""
    soup = BeautifulSoup(html, "html.parser")
    fields = {tag["name"]: tag.get("value", "") for tag in soup.select("input[name]:not([type=checkbox])")}
    for select in soup.select("select[name]"):
        chosen = select.select_one("option[selected]") or select.select_one("option")
        fields[select["name"]] = chosen["value"]
    return fields


def log_in(client: Client, role: str) -> User:
    login = next(login for login in LOGINS if login.role == role)
    client.post(reverse("login"), {"username": login.email, "password": login.password})
    return User.objects.get(pk=client.session["_auth_user_id"])


# -- Pages ---------------------------------------------------------------------------------------------------


def test_the_home_page_shows_the_latest_posts_with_their_pictures(visitor: Client) -> None:
    html = visitor.get("/").content.decode()
    assert "clock loaf" in html
    assert html.count("<img ") == html.count('class="card"') == 13
    assert "Leila Haddad and Amara Okafor" in page_text(visitor, "/")


def test_older_posts_are_on_the_next_pages(visitor: Client) -> None:
    assert "The quick and the published" in page_text(visitor, "/?page=3")


def test_the_home_page_takes_as_many_queries_for_thirteen_posts_as_for_two(
    visitor: Client, django_assert_num_queries
) -> None:
    visitor.get("/")
    with CaptureQueriesContext(connection) as many:
        visitor.get("/")
    PostPage.objects.filter(date__lt=timezone.localdate() - timedelta(days=1)).update(live=False)
    with django_assert_num_queries(len(many)):
        visitor.get("/")


def test_a_post_names_every_author_and_leads_to_their_pages(visitor: Client) -> None:
    html = visitor.get(POST).content.decode()
    assert 'href="/authors/leila-haddad/"' in html
    assert 'href="/authors/amara-okafor/"' in html
    assert "We made a rule: one letter each day" in html


def test_an_author_page_lists_co_written_posts_too(visitor: Client) -> None:
    text = page_text(visitor, "/authors/amara-okafor/")
    assert "clock loaf" in text
    assert "In praise of the short letter" in text
    assert "The margin is the message" not in text


def test_an_author_page_without_a_user_lists_nothing(visitor: Client) -> None:
    AuthorPage.objects.filter(slug="amara-okafor").update(user=None)
    assert "0 posts" in page_text(visitor, "/authors/amara-okafor/")


def test_a_missing_page_leads_back_to_the_front_page(visitor: Client) -> None:
    response = visitor.get("/no-such-page/")
    assert response.status_code == 404
    heading = BeautifulSoup(response.content, "html.parser").select_one(".masthead h1")
    assert heading.text == "There is no such page"
    assert heading.find_next("a", href="/").text == "Go to the front page"


@pytest.mark.parametrize("path", ["/", POST, "/authors/", "/authors/junko-hayashi/", "/accounts/log-in/"])
def test_public_pages_have_no_inline_scripts_or_styles_and_load_nothing_foreign(visitor: Client, path: str) -> None:
    html = visitor.get(path).content.decode()
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", html)
    assert not re.search(r'(?:src|href)="(?:https?:)?//(?!localhost)', html)


def test_a_post_can_be_previewed(visitor: Client) -> None:
    log_in(visitor, "Editor")
    post = PostPage.objects.get(slug="fog-signals")
    response = visitor.get(reverse("wagtailadmin_pages:edit", args=[post.pk]))
    assert response.status_code == 200
    assert post.make_preview_request().status_code == 200


# -- The counter ---------------------------------------------------------------------------------------------


def test_a_post_says_how_often_it_was_viewed(visitor: Client) -> None:
    post = PostPage.objects.get(slug=POST.strip("/"))
    DailyPageViews.objects.create(page_id=post.pk, day=date(2026, 11, 1), count=1200)
    DailyPageViews.objects.create(page_id=post.pk, day=date(2026, 11, 2), source="imported", count=34)
    text = page_text(visitor, POST)
    assert "Viewed 1,234 times" in text
    assert "sample readers" not in text


def test_a_post_says_when_sample_readers_are_among_its_views(visitor: Client) -> None:
    post = PostPage.objects.get(slug=POST.strip("/"))
    DailyPageViews.objects.create(page_id=post.pk, day=date(2026, 11, 1), count=7)
    DailyPageViews.objects.create(page_id=post.pk, day=date(2026, 11, 2), source="sample", count=34)
    assert "Viewed 41 times, sample readers included" in page_text(visitor, POST)


def test_one_view_is_not_plural(visitor: Client) -> None:
    post = PostPage.objects.get(slug=POST.strip("/"))
    DailyPageViews.objects.create(page_id=post.pk, day=date(2026, 11, 1), count=1)
    assert "Viewed 1 time " in page_text(visitor, POST)


@pytest.mark.parametrize("role", ["Admin", "Editor", "Moderator"])
def test_whoever_edits_the_site_reads_that_their_views_do_not_count(visitor: Client, role: str) -> None:
    log_in(visitor, role)
    assert "Your own views are not counted" in page_text(visitor, POST)


@pytest.mark.parametrize("role", [None, "Member", "Author", "Owner"])
def test_readers_do_not_read_that_their_views_do_not_count(visitor: Client, role: str | None) -> None:
    if role:
        log_in(visitor, role)
    assert "Your own views are not counted" not in page_text(visitor, POST)


# -- Accounts ------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _new_hour() -> None:
    """How often one may sign up is counted in the cache."""
    cache.clear()


def sign_up(client: Client, **changes: str):
    data = {
        "name": "Ines Duarte",
        "email": "ines@example.org",
        "password1": "a-quiet-garden",
        "password2": "a-quiet-garden",
    }
    return client.post(reverse("sign_up"), data | changes, follow=True)


def test_showing_the_sign_up_page_makes_no_account(visitor: Client) -> None:
    before = User.objects.count()
    assert "Sign up" in page_text(visitor, reverse("sign_up"))
    assert User.objects.count() == before


def test_signing_up_makes_an_unverified_account(visitor: Client) -> None:
    response = sign_up(visitor)
    assert not User.objects.get(email="ines@example.org").is_verified
    assert "_auth_user_id" not in visitor.session
    assert "We have sent a mail to ines@example.org" in response.content.decode()
    assert visitor.login(email="ines@example.org", password="a-quiet-garden")


def answer_to(address: str) -> tuple[object, ...]:
    """What a stranger gets to see, apart from what they typed and from random tokens."""
    client = Client()
    response = sign_up(client, email=address)
    page = re.sub(r'(name="csrfmiddlewaretoken" value=")[^"]*', r"\1", response.content.decode())
    return response.redirect_chain, sorted(client.cookies), page.replace(address, "")


@pytest.mark.parametrize("known", ["editor@example.org", "EDITOR@example.org", "member@example.org"])
def test_signing_up_tells_nobody_who_has_an_account(visitor: Client, known: str) -> None:
    before = User.objects.values_list("email", "name", "password", "is_verified").get(email__iexact=known)
    assert answer_to(known) == answer_to("nobody.yet@example.org")
    assert User.objects.values_list("email", "name", "password", "is_verified").get(email__iexact=known) == before


def test_two_who_sign_up_with_one_address_at_once_get_the_same_answer(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SignUpForm, "is_known", False)
    response = sign_up(visitor, email="EDITOR@example.org")
    assert "We have sent a mail to" in response.content.decode()
    assert User.objects.filter(email__iexact="editor@example.org").count() == 1


def test_what_is_wrong_is_said_once_at_each_field(visitor: Client) -> None:
    page = BeautifulSoup(sign_up(visitor, name="", email="nobody").content, "html.parser")
    ids = [tag["id"] for tag in page.select("[id]")]
    assert {"id_name_error", "id_email_error"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_a_name_in_the_header_does_not_turn_what_stands_around_it(visitor: Client) -> None:
    log_in(visitor, "Moderator")
    page = BeautifulSoup(visitor.get("/").content, "html.parser")
    assert page.select_one(".site-nav__name bdi").text == "Marek Dvořák"


def test_signing_up_with_a_weak_password_is_refused(visitor: Client) -> None:
    sign_up(visitor, password1="12345678", password2="12345678")
    assert not User.objects.filter(email="ines@example.org").exists()


def test_one_logs_in_with_the_address_in_any_case(visitor: Client) -> None:
    response = visitor.post(
        reverse("login"), {"username": "EDITOR@example.org", "password": "demo-editor"}, follow=True
    )
    assert "Edda Lindqvist" in response.content.decode()
    assert "Log out" in response.content.decode()


def test_a_wrong_password_says_so(visitor: Client) -> None:
    response = visitor.post(reverse("login"), {"username": "editor@example.org", "password": "wrong"})
    assert "Please enter a correct e-mail address and password" in response.content.decode()


def test_a_get_does_not_log_out(visitor: Client) -> None:
    log_in(visitor, "Member")
    assert visitor.get(reverse("logout")).status_code == 405
    assert "_auth_user_id" in visitor.session
    visitor.post(reverse("logout"))
    assert "_auth_user_id" not in visitor.session


def test_the_log_in_page_lists_the_logins_only_in_the_demo(visitor: Client, settings) -> None:
    assert "demo-moderator" not in page_text(visitor, reverse("login"))
    settings.DEMO = True
    text = page_text(visitor, reverse("login"))
    assert all(login.email in text and login.password in text for login in LOGINS)


def test_only_the_demo_leads_to_its_mails(visitor: Client, settings) -> None:
    assert "Read the demo's mails" not in page_text(visitor, "/")
    settings.DEMO, settings.DEMO_MAILBOX_URL = True, "http://localhost:8126/"
    page = BeautifulSoup(visitor.get("/").content, "html.parser")
    link = page.select_one("footer a")
    assert (link.text, link["href"]) == ("Read the demo's mails", "http://localhost:8126/")


def test_only_who_may_use_the_admin_sees_the_way_there(visitor: Client) -> None:
    log_in(visitor, "Member")
    assert reverse("wagtailadmin_home") not in visitor.get("/").content.decode()
    visitor.post(reverse("logout"))
    log_in(visitor, "Editor")
    assert f'href="{reverse("wagtailadmin_home")}"' in visitor.get("/").content.decode()


# -- Wagtail's own screens for users -------------------------------------------------------------------------


def test_the_admin_adds_a_user_with_one_name(visitor: Client) -> None:
    log_in(visitor, "Admin")
    assert "first_name" not in visitor.get(reverse("wagtailusers_users:add")).content.decode()
    visitor.post(
        reverse("wagtailusers_users:add"),
        {
            "email": "nour@example.org",
            "name": "Nour Saleh",
            "password1": "a-quiet-garden",
            "password2": "a-quiet-garden",
        },
    )
    assert User.objects.get(email="nour@example.org").name == "Nour Saleh"


def test_the_admin_verifies_a_user(visitor: Client) -> None:
    log_in(visitor, "Admin")
    member = User.objects.get(email="member@example.org")
    url = reverse("wagtailusers_users:edit", args=[member.pk])
    assert "Milo Santos" in visitor.get(url).content.decode()
    visitor.post(url, {"email": member.email, "name": "Milo", "is_verified": "on", "is_active": "on"})
    member.refresh_from_db()
    assert (member.name, member.is_verified) == ("Milo", True)


def test_the_admin_lists_the_users(visitor: Client) -> None:
    log_in(visitor, "Admin")
    assert "Amara Okafor" in visitor.get(reverse("wagtailusers_users:index")).content.decode()


def test_an_editor_changes_their_own_name(visitor: Client) -> None:
    editor = log_in(visitor, "Editor")
    url = reverse("wagtailadmin_account")
    html = visitor.get(url).content.decode()
    assert 'name="name_email-name"' in html
    assert "first_name" not in html
    visitor.post(url, form_fields(html) | {"name_email-name": "Edda L."})
    editor.refresh_from_db()
    assert editor.name == "Edda L."


def test_the_account_page_is_for_the_admin_only(visitor: Client) -> None:
    response = visitor.get(reverse("wagtailadmin_account"))
    assert response.status_code == 302
    assert "login" in response.url


def test_two_addresses_that_differ_in_case_are_refused_by_the_database(demo: HomePage) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("EDITOR@example.org")


# -- load_demo -----------------------------------------------------------------------------------------------


def test_the_demo_has_six_authors_and_thirty_posts(demo: HomePage) -> None:
    assert AuthorPage.objects.live().count() == 6
    assert PostPage.objects.live().count() == 30
    assert PostPage.objects.values("picture__title").distinct().count() == 30
    assert PostPage.objects.filter(picture=None).count() == 0
    words = [len(re.sub(r"<[^>]+>", " ", post.body).split()) for post in PostPage.objects.all()]
    assert min(words) > 100


def test_the_demo_has_at_least_three_members_who_are_not_verified(demo: HomePage) -> None:
    assert User.objects.filter(is_verified=False, is_active=True).count() >= 3


def test_the_site_stands_where_the_settings_say(demo: HomePage) -> None:
    site = Site.objects.get(is_default_site=True)
    assert site.root_url == "https://publisher.example.org"
    assert site.root_page_id == demo.pk
    assert Page.objects.filter(depth=2).count() == 1


def test_the_mails_look_like_the_site(demo: HomePage) -> None:
    branding = Branding.objects.get(site__is_default_site=True)
    assert list(branding.problems()) == []
    brand = Campaign.objects.first().content.brand
    assert (brand.logo_alt, brand.logo_width, brand.light.accent) == ("The Quick Publisher", 208, "#14532d")
    assert brand.logo_url.startswith("https://publisher.example.org/media/images/logo")
    assert brand.home_url == "https://publisher.example.org/"


@pytest.mark.parametrize("login", LOGINS, ids=lambda login: login.role)
def test_every_login_works(demo: HomePage, login) -> None:
    assert Client().login(username=login.email, password=login.password)
    user = User.objects.get(email=login.email)
    assert user.is_verified == login.is_verified
    assert set(user.groups.values_list("name", flat=True)) == set(login.groups)


def test_loading_the_demo_twice_changes_nothing(demo: HomePage) -> None:
    def state() -> list[object]:
        return [
            list(PostPage.objects.order_by("pk").values("pk", "slug", "date", "body", "picture", "path")),
            list(User.objects.order_by("pk").values("pk", "email", "password", "name")),
            list(Group.objects.order_by("pk").values_list("name", "permissions", "page_permissions__pk")),
            list(Site.objects.values()),
            list(Campaign.objects.order_by("pk").values()),
            list(PeriodicTask.objects.order_by("pk").values()),
            list(WorkflowContentType.objects.values_list("content_type__model", "workflow__name")),
            list(GroupApprovalTask.objects.order_by("pk").values_list("name", "groups__name")),
            list(WorkflowPage.objects.values()),
            Image.objects.count(),
            list(Branding.objects.values()),
        ]

    before = state()
    call_command("load_demo", verbosity=0)
    assert state() == before


def test_loading_the_demo_again_keeps_what_people_changed(demo: HomePage) -> None:
    editor = User.objects.get(email="editor@example.org")
    editor.set_password("another-password")
    editor.save()
    PostPage.objects.filter(slug="fog-signals").update(title="Fog")
    call_command("load_demo", verbosity=0)
    editor.refresh_from_db()
    assert editor.check_password("another-password")
    assert PostPage.objects.get(slug="fog-signals").title == "Fog"


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (
            "Editor",
            ["add_campaign", "change_campaign", "change_topic", "view_run"],
            ["publish_campaign", "delete_campaign"],
        ),
        (
            "Moderator",
            ["add_campaign", "change_campaign", "publish_campaign", "delete_campaign", "view_run"],
            ["delete_run"],
        ),
        ("Member", [], ["view_campaign", "view_run"]),
    ],
)
def test_roles_may_do_what_they_should(visitor: Client, role: str, may: list[str], may_not: list[str]) -> None:
    user = log_in(visitor, role)
    assert all(user.has_perm(f"wagtail_lifecycle.{name}") for name in may)
    assert not any(user.has_perm(f"wagtail_lifecycle.{name}") for name in may_not)


def test_editors_may_change_posts_and_only_moderators_publish(visitor: Client) -> None:
    post = PostPage.objects.get(slug="fog-signals")
    editor, moderator = (User.objects.get(email=f"{role}@example.org") for role in ("editor", "moderator"))
    assert post.permissions_for_user(editor).can_edit()
    assert not post.permissions_for_user(editor).can_publish()
    assert post.permissions_for_user(moderator).can_publish()


# -- Campaigns -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "audience", "period", "sentence"),
    [
        ("Daily views digest", "page_authors", "day", ("0", "7", "*", "*")),
        ("Today so far", "page_authors", "today", None),
        ("Monthly report", "group_members", "month", ("0", "8", "1", "*")),
        ("Weekly reminder to verify", "unverified_users", "week", ("0", "9", "*", "1")),
    ],
)
def test_the_campaigns_of_the_demo_are_live_and_scheduled(
    demo: HomePage, name: str, audience: str, period: str, sentence: tuple[str, ...] | None
) -> None:
    campaign = Campaign.objects.get(name=name)
    assert (campaign.live, campaign.state.problem) == (True, "")
    assert campaign.latest_revision is not None
    assert (campaign.audience.partition(":")[0], campaign.period) == (audience, period)
    task = PeriodicTask.objects.get(name=f"wagtail_lifecycle.campaign.{campaign.pk}")
    assert task.enabled
    if sentence:
        crontab = task.crontab
        assert (crontab.minute, crontab.hour, crontab.day_of_month, crontab.day_of_week) == sentence


def test_the_audiences_of_the_campaigns_are_who_they_should_be(demo: HomePage) -> None:
    def addresses(name: str) -> set[str]:
        audience = get_audience(Campaign.objects.get(name=name).audience)
        pages = audience.pages(timezone.now())
        return {recipient.address for page in pages for recipient in page.recipients}

    assert (
        addresses("Daily views digest")
        == {f"{author.key}@example.org" for author in read_authors()}
        == addresses("Today so far")
    )
    assert addresses("Monthly report") == {"owner@example.org"}
    assert addresses("Weekly reminder to verify") == {"member@example.org", *UNVERIFIED}


def test_a_campaign_that_cannot_be_sent_stops_the_loading(demo: HomePage, settings) -> None:
    Campaign.objects.filter(name="Weekly reminder to verify").delete()
    settings.WAGTAIL_LIFECYCLE_SENDERS = {}
    with pytest.raises(CommandError, match="cannot be sent"):
        call_command("load_demo", verbosity=0)


@pytest.mark.parametrize("name", ["Daily views digest", "Today so far", "Monthly report"])
def test_campaigns_about_views_say_that_sample_readers_did_the_reading(demo: HomePage, name: str) -> None:
    body = Campaign.objects.get(name=name).body
    words = [str(block.value["text"]) for block in body if block.block_type == "call_out"]
    assert any("Sample readers did the reading" in text for text in words)


# -- Approval ------------------------------------------------------------------------------------------------


def campaign_url(view: str, *args: object) -> str:
    return reverse(Campaign.snippet_viewset.get_url_name(view), args=args)


def submitted_campaign(client: Client) -> Campaign:
    """Write a campaign and hand it in, as an editor."""
    log_in(client, "Editor")
    topic = Topic.objects.get(slug="news")
    fields = {"name": "Autumn letter", "audience": "active_users", "topic": str(topic.pk), "is_transactional": ""}
    assert b"Submit to Moderators approval" in client.get(campaign_url("add")).content
    client.post(campaign_url("add"), form_data(action="submit", **fields))
    campaign = Campaign.objects.get(name="Autumn letter")
    assert not campaign.live
    client.post(reverse("logout"))
    return campaign


def approve(client: Client, campaign: Campaign) -> None:
    log_in(client, "Moderator")
    assert b"Approve" in client.get(campaign_url("edit", campaign.pk)).content
    state = campaign.current_workflow_task_state
    client.post(campaign_url("workflow_action", campaign.pk, "approve", state.pk), {"comment": ""})
    campaign.refresh_from_db()


def test_an_editor_hands_in_a_campaign_and_it_is_scheduled_once_a_moderator_approves(visitor: Client) -> None:
    campaign = submitted_campaign(visitor)
    assert not PeriodicTask.objects.filter(name=f"wagtail_lifecycle.campaign.{campaign.pk}").exists()
    approve(visitor, campaign)
    assert (campaign.live, campaign.state.problem) == (True, "")
    assert PeriodicTask.objects.get(name=f"wagtail_lifecycle.campaign.{campaign.pk}").enabled


def test_an_editor_hands_in_a_post_and_it_is_live_once_a_moderator_approves(visitor: Client) -> None:
    editor = log_in(visitor, "Editor")
    post = PostPage.objects.get(slug="fog-signals")
    assert b"Submit to Moderators approval" in visitor.get(reverse("wagtailadmin_pages:edit", args=[post.pk])).content
    post.title = "Fog horns"
    post.save_revision(user=editor)
    state = post.get_workflow().start(post, editor)
    visitor.post(reverse("logout"))
    log_in(visitor, "Moderator")
    url = reverse("wagtailadmin_pages:workflow_action", args=[post.pk, "approve", state.current_task_state.pk])
    visitor.post(url, {"comment": ""})
    post.refresh_from_db()
    assert (post.title, post.live, post.has_unpublished_changes) == ("Fog horns", True, False)


def test_a_workflow_that_was_removed_comes_back(demo: HomePage) -> None:
    GroupApprovalTask.objects.all().delete()
    Workflow.objects.all().delete()
    call_command("load_demo", verbosity=0)
    for thing in (demo, Campaign.objects.first()):
        [task] = thing.get_workflow().tasks
        assert [group.name for group in task.specific.groups.all()] == ["Moderators"]


def test_another_workflow_that_the_admin_chose_stays(demo: HomePage) -> None:
    other = Workflow.objects.create(name="Two pairs of eyes")
    WorkflowContentType.objects.update(workflow=other)
    call_command("load_demo", verbosity=0)
    assert Campaign.objects.first().get_workflow() == other


def test_a_moderator_deletes_a_stray_draft_and_not_what_has_run(visitor: Client) -> None:
    draft = make_campaign(publish=False)
    ran = Campaign.objects.get(name="Today so far")
    make_empty_run(ran)
    log_in(visitor, "Moderator")
    for campaign in (draft, ran):
        visitor.post(campaign_url("delete", campaign.pk))
    assert list(Campaign.objects.filter(pk__in=[draft.pk, ran.pk])) == [ran]


# -- Authors of pages ----------------------------------------------------------------------------------------


def test_the_authors_of_pages_are_named_in_their_order(demo: HomePage) -> None:
    post = PostPage.objects.get(slug="a-timetable-is-a-promise")
    authors = recipients_of_pages(Page.objects.all())
    assert [author.name for author in authors[post.pk]] == [
        "Tomasz Wiśniewski",
        "Søren Bjørndal",
        "Lucía Fernández Prat",
    ]
    assert authors[post.pk][0].address == "tomasz.wisniewski@example.org"
    assert demo.pk not in authors


def test_the_authors_of_thirty_pages_cost_as_many_queries_as_those_of_two(
    demo: HomePage, django_assert_num_queries
) -> None:
    pages = list(Page.objects.filter(pk__in=PostPage.objects.values("pk")))
    for some in (pages[:2], pages):
        with django_assert_num_queries(2):
            recipients_of_pages(some)


# -- Sample views --------------------------------------------------------------------------------------------


def test_sample_views_are_marked_and_cover_every_day_of_two_months_and_of_this_one(demo: HomePage) -> None:
    call_command("load_sample_views", verbosity=0)
    assert set(DailyPageViews.objects.values_list("source", flat=True)) == {"sample"}
    days = list(DailyPageViews.objects.by_day())
    assert days == days_until(timezone.localdate())
    today = DailyPageViews.objects.filter(day=timezone.localdate())
    assert today.count() == PostPage.objects.count()


@pytest.mark.parametrize(
    ("today", "first", "count"),
    [
        (date(2026, 3, 1), date(2026, 1, 1), 60),
        (date(2028, 3, 31), date(2028, 1, 1), 91),
        (date(2027, 1, 31), date(2026, 11, 1), 92),
    ],
)
def test_the_sampled_days_are_two_whole_months_and_this_one_so_far(today: date, first: date, count: int) -> None:
    days = days_until(today)
    assert (days[0], days[-1], len(days), len(set(days))) == (first, today, count, count)


def test_sample_views_are_the_same_every_time_and_leave_real_views_alone(demo: HomePage) -> None:
    post = PostPage.objects.first()
    DailyPageViews.objects.create(page_id=post.pk, day=timezone.localdate(), count=7)
    call_command("load_sample_views", verbosity=0)
    before = list(DailyPageViews.objects.order_by("page", "day", "source").values("page", "day", "count"))
    call_command("load_sample_views", verbosity=0)
    after = list(DailyPageViews.objects.order_by("page", "day", "source").values("page", "day", "count"))
    assert after == before
    assert DailyPageViews.objects.get(source="").count == 7
