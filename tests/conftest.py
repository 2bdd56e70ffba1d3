"""The services a test can ask for, and what happens where one is missing."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import redis

from demo_site.supervisor.mailbox.receiving import smtp_server
from demo_site.supervisor.mailbox.store import MailStore
from tests.support import services
from tests.support.embedded import free_port
from tests.support.redis_databases import emptied, own_database
from tests.support.run import OUTCOME
from tests.support.smtp_servers import FaultySmtp, ScriptedSmtp

#: Playwright must never fetch a browser: the machine's own is used, or none.
os.environ["PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD"] = "1"

#: How long an example takes depends on who else uses the machine.
hypothesis.settings.register_profile("shared", deadline=None)
hypothesis.settings.load_profile("shared")

ON_POSTGRES = os.environ.get("LIFECYCLE_TEST_DATABASE_URL", "").startswith("postgres")
FOUND = pytest.StashKey[dict[str, services.Found]]()


# -- What is missing is left out, or refused -----------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    names = [name for name in services.NAMES if name != "postgres"]
    config.stash[FOUND] = found = {name: services.FINDERS[name]() for name in names}
    try:
        required = services.required()
    except ValueError as error:
        pytest.exit(str(error), returncode=1)
    if missing := {name: found[name].missing for name in names if found[name].missing and name in required}:
        pytest.exit(f"LIFECYCLE_TEST_REQUIRE asks for more: {services.sentence(missing)}", returncode=1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    elsewhere = [item for item in items if not _belongs_here(item)]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in set(elsewhere)]
    for item in items:
        for name, found in config.stash[FOUND].items():
            if found.missing and item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=f"{services.TITLES[name]}: {found.missing}"))


def _belongs_here(item: pytest.Item) -> bool:
    """On PostgreSQL run the tests that touch the database; on SQLite those that do not need PostgreSQL."""
    if not ON_POSTGRES:
        return not item.get_closest_marker("postgres")
    if any(item.get_closest_marker(name) for name in ("chromium", "data", "any_database")):
        return False
    uses = set(getattr(item, "fixturenames", ()))
    return bool(item.get_closest_marker("django_db") or uses & {"db", "transactional_db", "live_server"})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if ON_POSTGRES:
        return
    outcome = os.environ.get(OUTCOME, "missing: only `make test` runs the tests on it too")
    missing = {name: found.missing for name, found in config.stash[FOUND].items() if found.missing}
    if outcome.startswith("missing: "):
        missing = {"postgres": outcome.removeprefix("missing: "), **missing}
    elif outcome == "failed":
        terminalreporter.write_line("The run on PostgreSQL, further up, has failed.", red=True, bold=True)
    else:
        terminalreporter.write_line("The run on PostgreSQL, further up, has passed.")
    if missing:
        terminalreporter.write_line(f"Not tested: {services.sentence(missing)}", yellow=True)


# -- Services ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _redis_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database nobody uses on the server that was found, or on one of our own."""
    found = request.config.stash[FOUND]["redis"]
    if found.missing:
        pytest.skip(f"Redis: {found.missing}")
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(own_database(found.address)) if found.address else None
        yield url or stack.enter_context(services.embedded("valkey"))


@pytest.fixture
def redis_url(_redis_server: str) -> str:
    """The address of an empty Redis database."""
    emptied(_redis_server)
    return _redis_server


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    with contextlib.closing(redis.Redis.from_url(redis_url)) as client:
        yield client


@pytest.fixture
def broker_url(redis_url: str) -> str:
    """The address of an empty broker, for real workers."""
    return redis_url


class SmtpSink:
    """A real SMTP server that takes everything; `store.after(n, wait=seconds)` waits for mail."""

    def __init__(self, store: MailStore, host: str, port: int) -> None:
        self.store, self.host, self.port = store, host, port

    @property
    def mails(self) -> list:
        return self.store.all()


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    store = MailStore()
    server = smtp_server(store, port=free_port())
    server.start()
    try:
        yield SmtpSink(store, server.hostname, server.port)
    finally:
        server.stop()


@pytest.fixture
def faulty_smtp(tmp_path: Path) -> Iterator[FaultySmtp]:
    """A real SMTP server that refuses, hangs or hangs up as the domain of the recipient says."""
    server = FaultySmtp(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def scripted_smtp() -> Iterator[Callable[..., ScriptedSmtp]]:
    """Makes SMTP servers that answer what the test has written down."""
    with contextlib.ExitStack() as stack:

        def start(**answers: bytes | list[bytes]) -> ScriptedSmtp:
            server = ScriptedSmtp(**answers)
            stack.callback(server.stop)
            return server

        yield start


# Per module: while Playwright runs, so does its event loop, and tests of asynchronous code cannot have theirs.
@pytest.fixture(scope="module")
def chromium(request: pytest.FixtureRequest) -> Iterator:
    """The machine's own Chromium, driven by Playwright."""
    found = request.config.stash[FOUND]["chromium"]
    if found.missing:
        pytest.skip(f"Chromium: {found.missing}")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - most runs need no browser

    with sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root or in a container.
        browser = playwright.chromium.launch(executable_path=found.address, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def real_data(request: pytest.FixtureRequest) -> Path:
    """The folder LIFECYCLE_REAL_DATA points to."""
    found = request.config.stash[FOUND]["data"]
    if found.missing:
        pytest.skip(f"real data: {found.missing}")
    return Path(found.address)
