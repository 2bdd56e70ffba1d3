"""Who sends, and how one turn of each is measured."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from django.utils import timezone

from benchmarks import mail, tasks
from benchmarks.services import PROCESSES, ROOT, Sink, Workers
from wagtail_lifecycle.models import Campaign, Run

DJANGO_SMTP = "django.core.mail.backends.smtp.EmailBackend"
PATIENCE = 600.0
#: Slower than this, nothing is measured any more.
SLOWEST = 200
WARM_UP = 10
#: the workers of each queue, by what sets them apart
QUEUES = {
    "ours": {},
    "ours_20ms": {"BENCH_CONNECTIONS": "16"},
    "django": {"BENCH_EMAIL_BACKEND": DJANGO_SMTP},
}


@dataclass
class Turn:
    """What one contestant did in one round."""

    messages: int
    seconds: float
    first_mail_ms: float
    cpu_seconds: float
    rss_mb: float
    statements: int
    #: messages that came twice
    doubled: int

    @property
    def rate(self) -> float:
        return self.messages / self.seconds


@dataclass
class Arena:
    """What the contestants share."""

    sink: Sink
    directory: Path
    locale: object
    workers: dict[str, Workers] = field(default_factory=dict)

    @property
    def statements(self) -> Path:
        return self.directory / "statements"

    def start(self) -> None:
        """Start all workers at once; those who have nothing to do cost nothing."""
        for queue, environment in QUEUES.items():
            given = {**environment, "BENCH_QUEUE": queue, "BENCH_STATEMENTS": str(self.statements)}
            self.workers[queue] = Workers(given, self.directory)
        for queue, workers in self.workers.items():
            workers.wait_until_ready()
            warm_up(self, queue)

    def stop(self) -> None:
        for name in list(self.workers):
            self.workers.pop(name).stop()


@dataclass
class Contestant:
    name: str
    #: starts it; called with how many mails to send, and on which queue
    start: Callable[[int, Arena, str], None]
    #: whose workers do it
    queue: str
    latency: float = 0.0

    def turn(self, count: int, arena: Arena) -> Turn:
        workers = arena.workers[self.queue]
        arena.sink.reset(self.latency)
        before, statements, begun = workers.cpu_seconds(), size_of(arena.statements), time.time()
        self.start(count, arena, self.queue)
        try:
            tally = arena.sink.wait_for(count, seconds=max(PATIENCE, count / SLOWEST))
            wait_for_runs()
        except TimeoutError as error:
            raise RuntimeError(f"{self.name}: {error}\n{workers.said()}") from error
        return Turn(
            messages=count,
            seconds=tally["last"] - begun,
            first_mail_ms=(tally["first"] - begun) * 1000,
            cpu_seconds=workers.cpu_seconds() - before,
            rss_mb=workers.rss_mb(),
            statements=size_of(arena.statements) - statements,
            doubled=int(arena.sink.tally()["count"] - tally["distinct"]),
        )


def warm_up(arena: Arena, queue: str) -> None:
    """Let both processes import, connect and compile what they will need anyway."""
    arena.sink.reset()
    for _ in range(PROCESSES * 2):
        tutorial_loop(WARM_UP, arena, queue)
    ours(WARM_UP, arena, queue)
    arena.sink.wait_for((PROCESSES * 2 + 1) * WARM_UP, seconds=PATIENCE)
    wait_for_runs()


def wait_for_runs() -> None:
    deadline = time.monotonic() + PATIENCE
    while Run.objects.exclude(status=Run.Status.FINISHED).exists():
        if time.monotonic() > deadline:
            raise TimeoutError("A run did not finish.")
        time.sleep(0.05)


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


_slots = iter(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number) for number in range(100_000))


def ours(count: int, arena: Arena, queue: str) -> None:
    campaign = Campaign.objects.filter(audience=f"first_people:{count}").first()
    campaign = campaign or mail.make_campaign(count, arena.locale)
    tasks.open_and_send.apply_async([campaign.pk, next(_slots).isoformat()], queue=queue)


def tutorial_loop(count: int, _arena: Arena, queue: str) -> None:
    tasks.tutorial_loop.apply_async([count], queue=queue)


def tutorial_task_per_user(count: int, _arena: Arena, queue: str) -> None:
    tasks.tutorial_task_per_user.apply_async([count], queue=queue)


@dataclass
class Programs:
    """A contestant that needs no Celery: processes that wait for a line, then send."""

    name: str
    commands: Callable[[int, Arena], list[list[str]]]

    def turn(self, count: int, arena: Arena) -> Turn:
        environment = {**os.environ, "BENCH_STATEMENTS": str(arena.statements)}
        programs = [
            subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=environment, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True,
            )
            for command in self.commands(count, arena)
        ]  # fmt: skip
        for program in programs:
            program.stdout.readline()
        arena.sink.reset()
        before, statements, begun = _children_cpu(), size_of(arena.statements), time.time()
        spent = sum(_cpu(program.pid) for program in programs)
        for program in programs:
            program.stdin.write("go\n")
            program.stdin.flush()
        tally = arena.sink.wait_for(count, seconds=PATIENCE)
        rss = max(_rss(program.pid) for program in programs)
        for program in programs:
            program.communicate(timeout=PATIENCE)
        return Turn(
            messages=count,
            seconds=tally["last"] - begun,
            first_mail_ms=(tally["first"] - begun) * 1000,
            cpu_seconds=_children_cpu() - before - spent,
            rss_mb=rss,
            statements=size_of(arena.statements) - statements,
            doubled=int(arena.sink.tally()["count"] - tally["distinct"]),
        )


def _children_cpu() -> float:
    """CPU seconds of the children that have ended, and of theirs."""
    times = os.times()
    return times.children_user + times.children_system


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def _rss(pid: int) -> float:
    with_children = []
    try:
        tree = psutil.Process(pid)
        with_children = [process.memory_info().rss for process in (tree, *tree.children(recursive=True))]
    except psutil.NoSuchProcess:
        pass
    return max(with_children, default=0) / 2**20


def raw_sync(count: int, arena: Arena) -> list[list[str]]:
    message = arena.directory / "message"
    if not message.exists():
        message.write_bytes(one_message())
    share = count // PROCESSES
    shares = [share] * (PROCESSES - 1) + [count - share * (PROCESSES - 1)]
    return [["benchmarks.raw_sync", str(arena.sink.port), str(part), str(message)] for part in shares]


def post_office(count: int, _arena: Arena) -> list[list[str]]:
    return [["benchmarks.post_office", str(count)]]


def one_message() -> bytes:
    """Return the mail of the first person as it goes over the wire."""
    from benchmarks.measures import sample_letter  # noqa: PLC0415 - it compiles the mail
    from wagtail_lifecycle.transport import mime  # noqa: PLC0415

    return mime.octets(sample_letter(timezone.now())).replace(b"\r\n.", b"\r\n..")


CONTESTANTS: list[Contestant | Programs] = [
    Contestant("tutorial_loop", tutorial_loop, "django"),
    Contestant("ours", ours, "ours"),
    Programs("raw_sync", raw_sync),
    Programs("post_office", post_office),
    Contestant("tutorial_task_per_user", tutorial_task_per_user, "django"),
    Contestant("ours_foreign_backend", ours, "django"),
    Contestant("ours_20ms", ours, "ours_20ms", latency=0.02),
]
