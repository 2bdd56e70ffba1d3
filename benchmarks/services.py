"""The servers and worker processes of a benchmark; all of them end with it."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg

from tests.support.redis_databases import own_database
from tests.support.services import embedded, find_postgres, find_redis

ROOT = Path(__file__).parents[1]
PROCESSES = 2


@contextlib.contextmanager
def database() -> Iterator[str]:
    """The address of a database of our own, gone afterwards."""
    found = find_postgres()
    if found.missing:
        raise SystemExit(f"The benchmark needs PostgreSQL: {found.missing}")
    with contextlib.ExitStack() as stack:
        server = found.address or stack.enter_context(embedded("postgres"))
        name = f"lifecycle_bench_{uuid.uuid4().hex[:12]}"
        _administer(server, f'CREATE DATABASE "{name}"')
        stack.callback(_administer, server, f'DROP DATABASE "{name}" WITH (FORCE)')
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def _administer(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """The address of a Redis database of our own."""
    found = find_redis()
    if found.missing:
        raise SystemExit(f"The benchmark needs Redis: {found.missing}")
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(own_database(found.address)) if found.address else None
        yield url or stack.enter_context(embedded("valkey"))


@dataclass
class Sink:
    """The SMTP server that everybody sends to."""

    port: int

    def reset(self, latency: float = 0.0) -> None:
        self._ask(f"XRESET {latency}")

    def tally(self) -> dict[str, float]:
        return json.loads(self._ask("XSTAT"))

    def wait_for(self, count: int, *, seconds: float) -> dict[str, float]:
        """Return the tally once `count` messages came. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while (tally := self.tally())["count"] < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Only {tally['count']} of {count} messages came in {seconds} s.")
            time.sleep(0.05)
        return tally

    def _ask(self, line: str) -> str:
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            answers = connection.makefile("r")
            answers.readline()
            connection.sendall(f"{line}\r\n".encode())
            return answers.readline().partition(" ")[2]


@contextlib.contextmanager
def sink() -> Iterator[Sink]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sink"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Sink(int(process.stdout.readline()))
        finally:
            process.stdin.close()


class Workers:
    """A Celery worker with two processes."""

    def __init__(self, environment: dict[str, str], directory: Path) -> None:
        self.log = (directory / f"worker-{uuid.uuid4().hex[:6]}.log").open("w+")
        command = [sys.executable, "-m", "celery", "--app", "benchmarks", "worker", "--concurrency", str(PROCESSES),
                   "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]  # fmt: skip
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=self.log, stderr=subprocess.STDOUT
        )
        self.tree = psutil.Process(self.process.pid)

    def wait_until_ready(self, *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while len(self.tree.children()) < PROCESSES:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The worker did not start:\n{self.said()}")
            time.sleep(0.05)

    def cpu_seconds(self) -> float:
        times = [process.cpu_times() for process in (self.tree, *self.tree.children(recursive=True))]
        return sum(spent.user + spent.system for spent in times)

    def rss_mb(self) -> float:
        """Resident memory of the larger worker process."""
        return max(process.memory_info().rss for process in self.tree.children()) / 2**20

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read()[-4000:]

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            for process in (*self.tree.children(recursive=True), self.tree):
                process.kill()
            self.process.wait()
        self.log.close()
