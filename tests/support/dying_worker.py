"""A worker for tests that kill things: python -m tests.support.dying_worker JOB RUN_ID [POINT NUMBER]

    send RUN_ID POINT NUMBER   work on the run; when POINT is passed for the NUMBERth time, come to grief
    finish RUN_ID              do what beat and workers do until nothing of the run is open, and print its totals
    prepare PEOPLE             make the tables of an empty database and a run for so many people; print its id

Uses the database of LIFECYCLE_TEST_DATABASE_URL, the SMTP server at SMTP_PORT, leases of LEASE seconds, LINES lines.
"""

import json
import os
import signal
import sys
from itertools import count
from threading import Event

import django
from django.conf import settings

#: where: the function, whether before or after it, and what happens there
POINTS = {
    "before_intent": ("claiming.announce", "before", "die"),
    "after_intent": ("claiming.announce", "after", "die"),
    "before_dot": ("Book.begin", "after", "die"),
    "after_dot": ("Line.send", "after", "die"),
    "after_outcome": ("Book._finish", "after", "die"),
    "stop_before_check": ("Book.hold", "before", "stop"),
    "stop_before_dot": ("Book.begin", "after", "stop"),
    "database_crash": ("Line.send", "after", "crash_database"),
    "database_crash_and_death": ("Line.send", "after", "crash_database_and_die"),
}


def main(job: str, *arguments: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "demo_site.settings.test"
    django.setup()
    settings.EMAIL_BACKEND = "wagtail_lifecycle.transport.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(os.environ.get("SMTP_PORT", "0"))
    settings.WAGTAIL_LIFECYCLE_LEASE_SECONDS = float(os.environ.get("LEASE", "600"))
    settings.WAGTAIL_LIFECYCLE_CONNECTIONS = int(os.environ.get("LINES", "1"))
    {"send": send, "finish": finish, "prepare": prepare}[job](*arguments)


def send(run_id: str, point: str, number: str) -> None:
    from wagtail_lifecycle import dispatch  # noqa: PLC0415 - only now can models be imported

    come_to_grief(point, int(number))
    while dispatch.send_batch(int(run_id)):
        pass


def finish(run_id: str) -> None:
    from django.utils import timezone  # noqa: PLC0415

    from wagtail_lifecycle import dispatch  # noqa: PLC0415
    from wagtail_lifecycle.models import Run  # noqa: PLC0415

    pause, run = Event(), Run.objects.get(pk=run_id)
    while run.status in Run.OPEN:
        for due in dispatch.recover(timezone.now()):
            dispatch.send_batch(due)
        run.refresh_from_db()
        pause.wait(0.1)
    sys.stdout.write(json.dumps(run.totals))


def prepare(people: str) -> None:
    from django.core.management import call_command  # noqa: PLC0415

    from tests.support.factories import make_run, make_users  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    # Of a second run everybody is there already.
    make_users(int(people))
    sys.stdout.write(str(make_run().pk))


# -- Grief ---------------------------------------------------------------------------------------------------


def come_to_grief(point: str, number: int) -> None:
    """Wrap the function of the point, which itself knows nothing of tests."""
    from wagtail_lifecycle.dispatch import claiming  # noqa: PLC0415
    from wagtail_lifecycle.dispatch.book import Book  # noqa: PLC0415
    from wagtail_lifecycle.transport import Line  # noqa: PLC0415

    where, when, what = POINTS[point]
    owner, name = where.split(".")
    wrap({"claiming": claiming, "Book": Book, "Line": Line}[owner], name, when, globals()[what], number)


def wrap(owner, name, when, action, number) -> None:
    original, calls = getattr(owner, name), count(1)

    def wrapper(*arguments, **options):
        # Several threads may be under way in the function.
        is_it = next(calls) == number
        if is_it and when == "before":
            action()
        result = original(*arguments, **options)
        if is_it and when == "after":
            action()
        return result

    setattr(owner, name, wrapper)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def crash_database() -> None:
    """Kill our own server process: PostgreSQL then recovers from its log, without what was not flushed."""
    from django.db import connection  # noqa: PLC0415

    os.kill(connection.connection.info.backend_pid, signal.SIGKILL)


def crash_database_and_die() -> None:
    crash_database()
    die()


if __name__ == "__main__":
    main(*sys.argv[1:])
