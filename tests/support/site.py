"""A site in processes of its own: workers, beat and web server as the demo starts them, on the database of the test."""

import contextlib
import http.cookiejar
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, build_opener

from django.db import connections

from demo_site.supervisor.children import Service
from demo_site.supervisor.services import PROJECT, WORKERS, worker
from tests.support.embedded import free_port
from wagtail_lifecycle import schedules

T = TypeVar("T")

TRANSACTIONAL, BULK = WORKERS
#: one for both queues
WORKER = worker("all", "lifecycle-transactional", "lifecycle-bulk", "celery")
TICK = Service(
    name="tick",
    command=(sys.executable, str(PROJECT / "manage.py"), "lifecycle_tick", "--loop", "1"),
    ready=re.compile("^Runs: "),
)
#: A look every second, so that tests need not wait for a minute.
HASTE = {"WAGTAIL_LIFECYCLE_RECOVER_SECONDS": 1, "WAGTAIL_LIFECYCLE_PROBE_SECONDS": 0.5}
RECOVERED = r"Task wagtail_lifecycle\.recover\[\S+ succeeded"


def until(condition: Callable[[], T], *, seconds: float = 30) -> T:
    """Look again and again until it is true, and return what it then is."""
    pause, deadline = Event(), monotonic() + seconds
    while not (found := condition()):
        assert monotonic() < deadline, f"It did not come true in {seconds} seconds."
        pause.wait(0.05)
    return found


class Program:
    """A started program, which writes into a file."""

    def __init__(self, service: Service, environment: dict[str, str], log: Path) -> None:
        self.log, self._ready = log, service.ready
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                service.command,
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def count(self, pattern: str) -> int:
        """How many lines it wrote match."""
        return sum(bool(re.search(pattern, line)) for line in self.log.read_text(errors="replace").splitlines())

    def until_it_says(self, pattern: str, times: int = 1, *, seconds: float = 60) -> None:
        def said() -> bool:
            assert not self.has_ended, f"{self.log.stem} has ended:\n{self.log.read_text()[-3000:]}"
            return self.count(pattern) >= times

        until(said, seconds=seconds)

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def until_ready(self) -> None:
        self.until_it_says(self._ready.pattern)

    def signal(self, number: int) -> None:
        """Send it to the program and all that it has forked."""
        os.killpg(self._process.pid, number)

    def ask_to_stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGCONT)
            self._process.terminate()

    def stop(self, *, seconds: float = 5) -> None:
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=seconds)
        # Also what a worker has left behind.
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)
        self._process.wait(timeout=10)


class Site:
    """Starts programs on one database, one broker and one SMTP server."""

    def __init__(self, *, database: str, broker: str, smtp_port: int, folder: Path) -> None:
        self.programs: list[Program] = []
        self._folder, self._settings = folder, {}
        self.web_port = free_port()
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.support.site_settings",
            "LIFECYCLE_TEST_DATABASE_URL": database,
            "LIFECYCLE_TEST_BROKER_URL": broker,
            "LIFECYCLE_TEST_SMTP_PORT": str(smtp_port),
            "PYTHONUNBUFFERED": "1",
        }

    def configure(self, settings: Any, **changes: Any) -> None:
        """Let these settings hold for the test and for the programs started from now on."""
        self._settings |= changes
        for name, value in changes.items():
            setattr(settings, name, value)
        schedules.sync_system_tasks()

    def start(self, *services: Service) -> list[Program]:
        """Start programs side by side and wait until they are ready."""
        started = self.launch(*services)
        for program in started:
            program.until_ready()
        return started

    def launch(self, *services: Service) -> list[Program]:
        """Start programs side by side."""
        environment = {**self._environment, "LIFECYCLE_TEST_SETTINGS": json.dumps(self._settings)}
        started = []
        for service in services:
            log = self._folder / f"{len(self.programs)}-{service.name}.log"
            started.append(Program(service, environment, log))
            self.programs.append(started[-1])
        return started

    @property
    def web(self) -> Service:
        command = (sys.executable, str(PROJECT / "manage.py"), "runserver", "--noreload", f"127.0.0.1:{self.web_port}")
        return Service(name="web", command=command, ready=re.compile("Quit the server with"))

    def stop(self) -> None:
        for program in self.programs:
            program.ask_to_stop()
        for program in self.programs:
            program.stop()


@contextlib.contextmanager
def shared_database(folder: Path) -> Iterator[str]:
    """The address under which other processes find the database of this test."""
    connection = connections["default"]
    if connection.vendor == "postgresql":
        names = ("USER", "PASSWORD", "NAME", "HOST", "PORT")
        values = {key: quote(str(connection.settings_dict[key]), safe="") for key in names}
        yield "postgresql://{USER}:{PASSWORD}@/{NAME}?host={HOST}&port={PORT}".format(**values)
        return
    # That of the tests is in memory, where no other process sees it.
    file = folder / "shared.sqlite3"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(file)])
    connections["default"] = on_file = connection.copy()
    on_file.settings_dict = {**connection.settings_dict, "NAME": str(file)}
    try:
        yield f"sqlite:///{quote(str(file))}"
    finally:
        on_file.close()
        connections["default"] = connection


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_args: Any) -> None:
        return None


class Visitor:
    """Somebody with a browser, who signs up."""

    def __init__(self, site: Site) -> None:
        self._base = f"http://127.0.0.1:{site.web_port}"
        self._cookies = http.cookiejar.CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self._cookies), _NoRedirects)

    def sign_up(self, email: str, path: str = "/accounts/sign-up/") -> tuple[int, float]:
        """Fill in the form; answer the status and how many seconds that took."""
        self._open(path)
        [token] = [cookie.value for cookie in self._cookies if cookie.name == "csrftoken"]
        person = {"name": "Ines Duarte", "email": email, "password1": "a-quiet-garden", "password2": "a-quiet-garden"}
        begun = monotonic()
        status = self._open(path, urlencode({**person, "csrfmiddlewaretoken": token}).encode())
        return status, monotonic() - begun

    def _open(self, path: str, data: bytes | None = None) -> int:
        try:
            with self._opener.open(f"{self._base}{path}", data=data, timeout=30) as response:
                response.read()
                return response.status
        except HTTPError as error:
            with error:
                return error.code
