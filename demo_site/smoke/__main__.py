"""``python -m demo_site.smoke``: exits 0 when the main job works, else says what does not."""

import argparse
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import django
from django.utils import timezone

from demo_site.accounts.logins import LOGINS
from demo_site.smoke.browser import Browser, Refused
from demo_site.smoke.process import DemoFailed, demo, ends_of_logs, mails_after
from demo_site.supervisor.addresses import Addresses

#: Seconds between the views and the run, at least: the counted views reach the database within ten.
SOONEST = 12
#: Seconds the mails may take from the time they are due, and to wait for one too many.
LONGEST_WAIT = 40
QUIET = 3
MODERATOR = next(login for login in LOGINS if login.role == "Moderator")


class NotProven(Exception):
    """The demo runs, but does not do its main job."""


def prove(addresses: Addresses, say: Callable[[str], None]) -> None:
    # Only now is the environment known that the settings read.
    from demo_site.smoke import expecting  # noqa: PLC0415

    posts = expecting.posts()
    _stay_on_one_day()
    views = Counter({post.pk: number for number, post in enumerate(posts[:3], start=1)})
    expected = expecting.reports(timezone.localdate(), views)
    say(f"{len(posts)} posts by {len(expected)} authors are there; viewing {views.total()} pages")
    reader = Browser(addresses.site_url)
    for path in (post.get_url() for post in posts for _ in range(views[post.pk])):
        reader.get(path)
    subject = f"Your views, told by the smoke test {uuid.uuid4().hex[:8]}"
    due = publish_campaign(addresses, subject)
    say(f"The moderator has published a campaign that is due at {due:%H:%M:%S}; waiting for its mails")
    seconds = (due - timezone.now()).total_seconds() + LONGEST_WAIT
    mails = wait_for_mails(addresses, subject, count=len(expected), seconds=seconds)
    if problems := expecting.problems(mails, expected):
        raise NotProven("\n".join(problems))
    say(f"{len(mails)} authors have their mail, each one and with the right numbers")


def publish_campaign(addresses: Addresses, subject: str) -> datetime:
    """Write a campaign in the admin as a moderator does."""
    admin = Browser(addresses.site_url)
    admin.get("/admin/login/")
    admin.submit({"username": MODERATOR.email, "password": MODERATOR.password}, containing="password")
    admin.get("/admin/snippets/wagtail_lifecycle/campaign/add/")
    due = _full_minute(timezone.localtime() + timedelta(seconds=SOONEST))
    admin.submit(_campaign(subject, due), containing="subject")
    refusals = [error.get_text(" ", strip=True) for error in admin.page.select(".error-message, .help-critical")]
    if refusals or "/add/" in admin.url:
        raise NotProven(f"The admin refused the campaign: {' '.join(refusals) or admin.url}")
    return due


def _full_minute(moment: datetime) -> datetime:
    """The next one: schedules know no seconds."""
    return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _campaign(subject: str, due: datetime) -> dict[str, str]:
    from wagtail_lifecycle.models import Topic  # noqa: PLC0415 - as in prove()

    return {
        "name": "Smoke test",
        "subject": subject,
        "sender": "news",
        "audience": "page_authors",
        "topic": str(Topic.objects.earliest("pk").pk),
        "period": "today",
        "frequency": "once",
        "date": f"{due:%Y-%m-%d}",
        "time_of_day": f"{due:%H:%M}",
        "body-count": "1",
        "body-0-deleted": "",
        "body-0-order": "0",
        "body-0-type": "page_views",
        "body-0-id": "",
        "body-0-value-heading": "Views of your pages",
        "body-0-value-when_empty": "Nobody has opened your pages today.",
        "action-publish": "action-publish",
    }


def wait_for_mails(addresses: Addresses, subject: str, *, count: int, seconds: float) -> list[dict[str, object]]:
    """The campaign's mails; when all are there, a moment longer for one too many."""
    ours: list[dict[str, object]] = []
    seen, deadline = 0, time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        new = mails_after(addresses, seen, wait=left)
        seen = max([seen, *(int(str(mail["number"])) for mail in new)])
        ours += [mail for mail in new if mail["subject"] == subject]
        if len(ours) >= count:
            late = mails_after(addresses, seen, wait=QUIET)
            return ours + [mail for mail in late if mail["subject"] == subject]
    raise NotProven(f"{len(ours)} of {count} mails arrived within {seconds:.0f} seconds.")


def _stay_on_one_day() -> None:
    """“Today” must not end between the views and the mails."""
    now = timezone.localtime()
    left = 86_400 - (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
    if left < SOONEST + 60 + LONGEST_WAIT:
        threading.Event().wait(left + 1)


def main() -> int:
    # Whatever ends the proof ends the demo, in the same order as a failure does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parser = argparse.ArgumentParser(prog="make smoke", description="Prove the main job without a screen.")
    parser.add_argument("--mails", type=Path, metavar="FILE", help="keep the raw mails as JSON lines")
    options = parser.parse_args()
    started = time.monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - started:5.1f} s  {text}\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory(prefix="lifecycle-smoke-") as temporary:
        addresses = Addresses(directory=Path(temporary).resolve()).on_free_ports()
        try:
            _run(addresses, say)
        except (DemoFailed, NotProven, Refused) as error:
            sys.stderr.write(f"{ends_of_logs(addresses.directory)}\n\nThe smoke test failed. {error}\n")
            return 1
        finally:
            if options.mails:
                with contextlib.suppress(FileNotFoundError):
                    shutil.copyfile(addresses.directory / "mails.jsonl", options.mails)
    say("The smoke test passed; everything has ended.")
    return 0


def _run(addresses: Addresses, say: Callable[[str], None]) -> None:
    os.environ.update(addresses.environment(), DJANGO_SETTINGS_MODULE="demo_site.settings.demo")
    django.setup()
    say(f"Starting the demo on free ports, the site at {addresses.site_url}")
    with demo(addresses):
        say("The demo is ready")
        prove(addresses, say)


if __name__ == "__main__":
    sys.exit(main())
