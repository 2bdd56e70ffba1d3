"""django-post_office as its documentation says: queue, then `send_queued_mail --processes 2`.

``python -m benchmarks.post_office COUNT`` begins when it reads a line.
"""

import os
import sys
import tempfile

import django

CHUNK = 500
PROCESSES = 2


def main(count: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    django.setup()
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415 - only now can models be imported
    from post_office.mail import send_many, send_queued_mail_until_done  # noqa: PLC0415

    from benchmarks import mail  # noqa: PLC0415
    from wagtail_lifecycle.data_sources import Period  # noqa: PLC0415

    html, text = mail.templates()
    period = Period.for_slot("day", timezone.now())
    people = list(mail.first_people(count))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for start in range(0, count, CHUNK):
        contexts = [(user, mail.context_of(user, period)) for user in people[start : start + CHUNK]]
        send_many([
            {"sender": "news@example.org", "recipients": [user.email], "subject": f"{user.name}: views of your pages",
             "message": text.render(context), "html_message": html.render(context)}
            for user, context in contexts
        ])  # fmt: skip
    # Closed, because it forks.
    connection.close()
    with tempfile.TemporaryDirectory() as directory:
        send_queued_mail_until_done(lockfile=f"{directory}/lock", processes=PROCESSES)


if __name__ == "__main__":
    main(int(sys.argv[1]))
