"""The processes of one round: the nursery, and the workers and the beat it has forked off."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from tests.chaos.servers import wait_for

ROOT = Path(__file__).parents[2]
WORKER = ("worker", "--pool", "prefork", "--loglevel", "INFO", "--without-mingle", "--without-gossip",
          "--without-heartbeat", "--prefetch-multiplier", "1")  # fmt: skip
BEAT = ("beat", "--scheduler", "django_celery_beat.schedulers:DatabaseScheduler", "--pidfile=", "--loglevel", "INFO")


class JobFailed(Exception):
    """The database, or what stands before it, was not there."""


class Crew:
    """Starts processes, and knows which are ours."""

    def __init__(self, folder: Path, environment: dict[str, str], queue: str, *, children: int) -> None:
        self.folder = folder
        for name in ("points", "taken", "died"):
            (folder / name).mkdir(exist_ok=True)
        self.queue, self.children = queue, children
        self.members: dict[str, psutil.Process] = {}
        #: workers that ended by themselves, as Celery's parent does when its new child dies while it starts
        self.fallen = 0
        self._killed: set[int] = set()
        self._silent: dict[str, psutil.Process] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nursery"],
            cwd=ROOT,
            env={**os.environ, **environment, "CHAOS_FOLDER": str(folder), "CHAOS_QUEUE": queue,
                 "DJANGO_SETTINGS_MODULE": "tests.chaos.settings", "TMPDIR": str(folder), "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=(folder / "nursery.log").open("ab"),
            text=True, start_new_session=True,
        )  # fmt: skip

    def close(self) -> None:
        """End the nursery, which ends everything below it."""
        self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    # -- Jobs ------------------------------------------------------------------------------------------------------

    def ask(self, name: str, seconds: float = 30, **arguments: Any) -> Any:
        """Run a job. Raises JobFailed."""
        answer = self._order(do="job", name=name, arguments=arguments, seconds=seconds)
        if "error" in answer:
            raise JobFailed(answer["error"])
        return answer["value"]

    def ask_patiently(self, name: str, **arguments: Any) -> Any:
        """Run a job, again if the database was not there."""
        faults: list[str] = []
        for _ in range(5):
            try:
                return self.ask(name, **arguments)
            except JobFailed as error:
                faults.append(str(error))
        raise JobFailed("; ".join(faults))

    def _order(self, **order: Any) -> Any:
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The nursery has ended: {(self.folder / 'nursery.log').read_text()[-2000:]}")
        return json.loads(line)

    # -- Workers and beat ------------------------------------------------------------------------------------------

    def fill(self) -> None:
        """Start who is not there."""
        bulk = (f"{self.queue}-bulk", self.children)
        wanted = {
            "beat": BEAT,
            "worker-bulk": self._worker("bulk", *bulk),
            "worker-second": self._worker("second", *bulk),
            "worker-transactional": self._worker("transactional", f"{self.queue}-transactional,{self.queue}", 1),
        }
        for name, argv in wanted.items():
            if not self._is_there(name):
                self.fallen += name in self.members and name != "beat" and self.members[name].pid not in self._killed
                pid = self._order(do="work", name=name, argv=list(argv))
                self.members[name] = psutil.Process(pid)

    def pool(self, *names: str) -> list[psutil.Process]:
        """The pool children that send, of these workers or of all."""
        found: list[psutil.Process] = []
        for name in names or ("worker-bulk", "worker-second", "worker-transactional"):
            if self._is_there(name):
                with contextlib.suppress(psutil.NoSuchProcess):
                    found += self.members[name].children()
        return found

    def kill(self, *processes: psutil.Process) -> int:
        """Kill, and answer how many were there."""
        killed = 0
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
                self._killed.add(process.pid)
                killed += 1
        return killed

    def deaf(self) -> list[psutil.Process]:
        """The workers that are there, but have not answered twice: what a liveness probe would restart."""
        hosts = {f"{name.removeprefix('worker-')}@{self.queue}": name for name in self.members if name != "beat"}
        try:
            answering = self.ask("answering", workers=list(hosts))
        except JobFailed:
            # The broker is not there: nobody could answer.
            return []
        silent = {name: self.members[name] for host, name in hosts.items() if host not in answering}
        # One that has just been started is a new process, and not asked for twice yet.
        found = [process for name, process in silent.items() if self._silent.get(name) == process and _runs(process)]
        self._silent = silent
        return found

    def finish(self) -> None:
        """Let everybody end its task, and end."""
        alive = [process for name, process in self.members.items() if self._is_there(name)]
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            wait_for(lambda: not any(map(_runs, alive)), seconds=10, what="the workers")

    def _worker(self, name: str, queues: str, children: int) -> tuple[str, ...]:
        return (*WORKER, "--hostname", f"{name}@{self.queue}", "--queues", queues, "--concurrency", str(children))

    def _is_there(self, name: str) -> bool:
        return name in self.members and _runs(self.members[name])


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
