"""Which requests are views."""

import asyncio
from datetime import UTC, date, datetime

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connections
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client, RequestFactory
from django.utils import timezone
from wagtail.models import PageViewRestriction

from demo_site.publication.models import HomePage
from tests.support.page_trees import add_home
from wagtail_lifecycle import page_views
from wagtail_lifecycle.middleware import PageViewMiddleware, remember_page
from wagtail_lifecycle.models.page_views import DailyPageViews

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def _no_redis(settings):
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = ""
    page_views.counting._counter.after_fork()


@pytest.fixture
def home(db):
    return add_home(HomePage(title="Home", slug="home-of-views"))


@pytest.fixture
def browser():
    return Client(headers={"User-Agent": FIREFOX})


def views():
    page_views.flush(timezone.now())
    return DailyPageViews.objects.all().by_page()


def person(email, *codenames):
    user = get_user_model().objects.create_user(email=email, password="a long passphrase")
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def served(response, page, method="GET", **headers):
    """What the middleware makes of a page that answers with `response`."""
    request = RequestFactory().generic(method, "/", headers={"User-Agent": FIREFOX, **headers})
    serve = remember_page(lambda page, request, args, kwargs: response)
    return request, PageViewMiddleware(lambda request: serve(page, request, (), {}))


def test_a_persons_get_of_a_page_is_a_view(home, browser):
    assert browser.get("/").status_code == 200
    assert views() == {home.pk: 1}


def test_every_visit_counts(home, browser):
    for _ in range(3):
        browser.get("/?page=1")
    assert views() == {home.pk: 3}


def test_a_head_is_no_view(home, browser):
    browser.head("/")
    assert views() == {}


def test_a_robots_visit_is_no_view(home):
    Client(headers={"User-Agent": "Googlebot/2.1"}).get("/")
    Client(headers={"User-Agent": ""}).get("/")
    Client().get("/")
    assert views() == {}


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose", "X-Moz"])
def test_a_prefetch_is_no_view(home, browser, header):
    browser.get("/", headers={header: "prefetch"})
    assert views() == {}


def test_a_page_that_is_not_there_is_no_view(home, browser):
    assert browser.get("/nowhere/").status_code == 404
    assert views() == {}


def test_other_addresses_of_the_site_are_no_views(home, browser):
    browser.get("/admin/login/")
    assert views() == {}


def test_a_draft_is_no_view(home, browser):
    home.unpublish()
    assert browser.get("/").status_code == 404
    assert views() == {}


def test_the_form_that_asks_for_a_pages_password_is_no_view(home, browser):
    PageViewRestriction.objects.create(page=home, restriction_type="password", password="secret")
    assert browser.get("/").status_code == 200
    assert views() == {}


def test_a_preview_is_no_view(home):
    home.make_preview_request(extra_request_attrs={"is_preview": True})
    assert views() == {}


def test_a_member_who_is_logged_in_is_a_person(home, browser):
    browser.force_login(person("reader@example.org"))
    browser.get("/")
    assert views() == {home.pk: 1}


def test_an_editors_visit_is_no_view(home, browser):
    browser.force_login(person("editor@example.org", "access_admin"))
    assert browser.get("/").status_code == 200
    assert views() == {}


@pytest.mark.parametrize("status", [201, 204, 301, 302, 304, 403, 404, 500])
def test_another_status_is_no_view(home, status):
    request, middleware = served(HttpResponse(status=status), home)
    middleware(request)
    assert views() == {}


def test_a_streamed_page_is_a_view(home):
    request, middleware = served(StreamingHttpResponse(iter([b"a page"])), home)
    middleware(request)
    assert views() == {home.pk: 1}


def test_a_page_that_is_not_live_is_no_view(home):
    home.live = False
    request, middleware = served(HttpResponse(), home)
    middleware(request)
    assert views() == {}


def test_counting_asks_the_database_nothing_for_a_visitor_without_a_session(home, django_assert_num_queries):
    request, middleware = served(HttpResponse(), home)
    with django_assert_num_queries(0):
        middleware(request)


def test_counting_does_not_touch_the_session_of_a_visitor_without_one(home, browser, settings):
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "wagtail_lifecycle.middleware.PageViewMiddleware",
        f"{__name__}.PlainPage",
    ]
    response = browser.get("/")

    assert response.content == b"plain"
    assert "Cookie" not in response.headers.get("Vary", "")
    assert views() == {home.pk: 1}


class PlainPage:
    """Answers for a page as its template would, without asking who is there."""

    def __init__(self, get_response):
        self.serve = remember_page(lambda page, request, args, kwargs: HttpResponse(b"plain"))

    def __call__(self, request):
        return self.serve(HomePage.objects.get(), request, (), {})


def test_the_view_is_of_the_sites_day(home, browser, time_machine, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    time_machine.move_to(datetime(2026, 3, 1, 23, 30, tzinfo=UTC), tick=False)
    browser.get("/")
    views()
    assert DailyPageViews.objects.get().day == date(2026, 3, 2)


@pytest.mark.django_db(transaction=True)
def test_it_counts_under_asgi_too(home):
    async def visit():
        client = AsyncClient()
        visits = [client.get("/", headers={"User-Agent": FIREFOX}) for _ in range(3)]
        responses = await asyncio.gather(*visits)
        await sync_to_async(connections.close_all)()
        return [response.status_code for response in responses]

    assert asyncio.run(visit()) == [200, 200, 200]
    assert views() == {home.pk: 3}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_a_robots_visit_writes_what_people_viewed_before(home, browser, time_machine, client):
    time_machine.move_to(datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC), tick=False)
    browser.get("/")
    time_machine.move_to(datetime(2026, 3, 2, 12, 0, 10, tzinfo=UTC), tick=False)
    assert not DailyPageViews.objects.exists()

    async def visit():
        await AsyncClient().get("/nowhere/")
        await sync_to_async(connections.close_all)()

    if client is AsyncClient:
        asyncio.run(visit())
    else:
        Client().get("/nowhere/")

    assert DailyPageViews.objects.all().by_page() == {home.pk: 1}


def test_nothing_about_the_visitor_is_kept(home):
    assert {field.name for field in DailyPageViews._meta.get_fields()} == {
        "id",
        "page",
        "day",
        "source",
        "count",
    }
