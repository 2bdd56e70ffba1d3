"""A process that has imported the site and forks workers, beat and jobs off: python -m tests.chaos.nursery

Reads one JSON order a line, answers one JSON line each. Ends with its standard input, and all it has started with it.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import traceback
from pathlib import Path

import django
import psutil

#: Linux: orphans of our descendants become our own children.
PR_SET_CHILD_SUBREAPER = 36
FOLDER = Path(os.environ["CHAOS_FOLDER"])


def main() -> None:
    django.setup()
    from tests.chaos import grief  # noqa: PLC0415 - only now can models be imported

    grief.plan_in_pieces()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        for line in sys.stdin:
            reap()
            order = json.loads(line)
            answer = {"work": work, "job": job}[order.pop("do")](**order)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    finally:
        end_all()


def work(*, name: str, argv: list[str]) -> int:
    """Start a worker or beat; answer its process id."""
    if pid := os.fork():
        return pid
    redirect(FOLDER / f"{name}.log")
    with leaving():
        from celery.signals import worker_process_init  # noqa: PLC0415

        from demo_site.celery import app  # noqa: PLC0415
        from tests.chaos import grief  # noqa: PLC0415

        worker_process_init.connect(lambda **_: grief.take_one(FOLDER), weak=False)
        app.start(argv)
    return 0


def job(*, name: str, arguments: dict, seconds: float) -> dict:
    """Run a job to its end, or kill it when it takes too long."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        redirect(FOLDER / "jobs.log")
        with leaving(), os.fdopen(writing, "w") as answer:
            json.dump(outcome(name, arguments), answer, default=str)
        return {}
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = read_within(answer.fileno(), seconds)
    if not said:
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return json.loads(said) if said else {"error": f"{name} took longer than {seconds} s"}


def outcome(name: str, arguments: dict) -> dict:
    from tests.chaos import jobs  # noqa: PLC0415

    try:
        return {"value": getattr(jobs, name)(**arguments)}
    except Exception as error:  # noqa: BLE001 - the driver decides
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"}


def read_within(descriptor: int, seconds: float) -> bytes:
    parts = []
    while select.select([descriptor], [], [], seconds)[0]:
        part = os.read(descriptor, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)
    return b""


@contextlib.contextmanager
def leaving():
    """Never return into the parent's loop."""
    code = 1
    try:
        yield
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - written into the log of this process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def redirect(log: Path) -> None:
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, out), (2, out)):
        os.dup2(source, target)


def reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def end_all() -> None:
    """Kill, by id, whatever is left below us."""
    while left := psutil.Process().children(recursive=True):
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=5)
        reap()


if __name__ == "__main__":
    main()
