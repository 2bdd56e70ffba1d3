"""A web server with the Quick Publisher's people, and pages of a browser that show it."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import DEFAULT_DB_ALIAS, connections
from django.test import Client
from django.test.testcases import LiveServerThread
from playwright.sync_api import expect

from demo_site.accounts.logins import LOGINS
from demo_site.publication.people import ensure_groups, ensure_logins
from tests.support.publication import home_page
from wagtail_lifecycle import schedules

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PASSWORDS = {login.role: (login.email, login.password) for login in LOGINS}


@pytest.fixture(scope="module", autouse=True)
def _orm_beside_playwright() -> Iterator[None]:
    """Playwright's synchronous interface runs an event loop in this thread; the ORM is used between its calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture(scope="session", autouse=True)
def _patience() -> None:
    """A preview is a mail compiled anew, which a busy machine takes its time for."""
    expect.set_options(timeout=20_000)


class OneAtATime(StaticFilesHandler):
    """Requests in turn: all threads share one connection, because SQLite in memory is gone with its last one."""

    turn = threading.RLock()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        with self.turn:
            return super().__call__(environ, start_response)


class Site:
    """The running site, as a test sees it."""

    def __init__(self, url: str) -> None:
        self.url = url

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Keep the server from the database while the test uses it."""
        with OneAtATime.turn:
            yield

    def cookie_of(self, role: str) -> dict[str, str]:
        """Return a session of one of the demo's logins."""
        with self.quiet():
            client = Client()
            email, password = PASSWORDS[role]
            assert client.login(username=email, password=password)
        return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": self.url}


@pytest.fixture
def site(transactional_db, settings) -> Iterator[Site]:
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    for name in ("Editors", "Moderators"):
        Group.objects.get_or_create(name=name)
    ensure_groups(home_page())
    ensure_logins()
    schedules.sync_system_tasks()
    connection = connections[DEFAULT_DB_ALIAS]
    shared = {DEFAULT_DB_ALIAS: connection} if connection.vendor == "sqlite" else {}
    # For good: a thread that ends late still gives the connection back.
    connection.inc_thread_sharing()
    server = LiveServerThread("localhost", OneAtATime, connections_override=shared)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    try:
        if server.error:
            raise server.error
        settings.WAGTAIL_LIFECYCLE_BASE_URL = settings.WAGTAILADMIN_BASE_URL = f"http://localhost:{server.port}"
        yield Site(f"http://localhost:{server.port}")
    finally:
        server.terminate()


@pytest.fixture
def open_page(site, chromium) -> Iterator[Any]:
    """Return a function that opens a page of the site for one of the demo's logins."""
    contexts = []

    def open_page(role: str = "", **options: Any) -> Any:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **options})
        context.set_default_timeout(20_000)
        if role:
            context.add_cookies([site.cookie_of(role)])
        contexts.append(context)
        page = context.new_page()
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def screenshot() -> Any:
    """Return a function that keeps a picture for the docs: where there is none, or LIFECYCLE_SCREENSHOTS asks."""

    def screenshot(page: Any, name: str, **options: Any) -> None:
        path = IMAGES / f"{name}.png"
        if path.exists() and os.environ.get("LIFECYCLE_SCREENSHOTS") != "1":
            return
        IMAGES.mkdir(parents=True, exist_ok=True)
        page.evaluate("document.fonts.ready")
        page.screenshot(path=path, animations="disabled", caret="hide", **options)

    return screenshot
