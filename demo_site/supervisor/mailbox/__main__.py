"""``python -m demo_site.supervisor.mailbox``: take mails by SMTP, show them over HTTP."""

import argparse
import signal
import sys
from pathlib import Path

from django.conf import settings

from demo_site.supervisor.mailbox.receiving import smtp_server
from demo_site.supervisor.mailbox.serving import web_server
from demo_site.supervisor.mailbox.store import Mail, MailStore


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--time-zone", default="UTC", help="the zone that times are shown in")
    parser.add_argument("--file", type=Path, help="JSON lines that keep the mails")
    options = parser.parse_args()
    # Django's templates escape what they show; this is all they need of the settings.
    settings.configure(USE_I18N=False, USE_TZ=True, TIME_ZONE=options.time_zone)
    store = MailStore(options.file)
    smtp = smtp_server(store, port=options.smtp_port, arrived=_say)
    smtp.start()
    with web_server(store, port=options.port) as web:
        signal.signal(signal.SIGTERM, _end)
        _write(f"The mailbox is open: SMTP at port {options.smtp_port}, pages at port {options.port}")
        web.serve_forever()


def _say(mail: Mail) -> None:
    _write(f"Mail {mail.number} arrived ({len(mail.raw) / 1000:.0f} kB)")


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _end(_number: int, _frame: object) -> None:
    # All threads are daemons and the file is written at every mail: there is nothing to wait for.
    sys.exit(0)


if __name__ == "__main__":
    main()
