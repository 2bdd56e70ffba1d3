"""The mailbox as pages: a list, one mail, its HTML apart, its source."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from django.template import Context, Engine
from django.utils import timezone

from demo_site.supervisor.mailbox.reading import Content, read, subject
from demo_site.supervisor.mailbox.store import Mail, MailStore

HERE = Path(__file__).parent
ENGINE = Engine(dirs=[HERE / "templates"])
STATIC = {"mailbox.css": "text/css; charset=utf-8", "mailbox.js": "text/javascript; charset=utf-8"}
LONGEST_WAIT = 30

OWN_PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: A mail runs no code, reads nothing of the mailbox and reaches no machine but this one.
SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
MAIL_HTML = (
    f"sandbox {SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data: http://localhost:* http://127.0.0.1:*; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What goes back to the browser."""

    body: bytes
    content_type: str = "text/html; charset=utf-8"
    policy: str = OWN_PAGES
    status: int = 200
    filename: str = ""

    @property
    def headers(self) -> dict[str, str]:
        headers = {
            "Content-Type": self.content_type,
            "Content-Length": str(len(self.body)),
            "Content-Security-Policy": self.policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
        if self.filename:
            headers["Content-Disposition"] = f'attachment; filename="{self.filename}"'
        return headers


def answer(store: MailStore, target: str) -> Answer:
    """The page behind a request's target."""
    parts = urlsplit(target)
    if parts.path == "/":
        return _list(store)
    if parts.path in WAITING:
        return _waiting(store, parts.path, parse_qs(parts.query))
    if parts.path.startswith("/static/"):
        return _static(parts.path.removeprefix("/static/"))
    if match := re.fullmatch(r"/mails/([0-9]{1,9})/(html|source|)", parts.path):
        mail = store.get(int(match[1]))
        return ONE_MAIL[match[2]](mail) if mail else _missing()
    return _missing()


def page(template: str, values: Mapping[str, object], *, status: int = 200) -> Answer:
    text = ENGINE.get_template(template).render(Context(dict(values)))
    return Answer(body=text.encode("utf-8", "replace"), status=status)


def _list(store: MailStore) -> Answer:
    mails = store.all()
    rows = [{"mail": mail, "subject": subject(mail.raw), "time": _local(mail.ts)} for mail in reversed(mails)]
    newest = mails[-1].number if mails else 0
    return page("list.html", {"rows": rows, "newest": newest, "zone": timezone.get_current_timezone_name()})


def _waiting(store: MailStore, path: str, query: Mapping[str, list[str]]) -> Answer:
    """`after` says what the asker has; `wait`, how many seconds it wants to wait for more."""
    try:
        after = int(query.get("after", ["0"])[0])
        wait = min(int(query.get("wait", ["0"])[0]), LONGEST_WAIT)
    except ValueError:
        return page("message.html", {"text": "“after” and “wait” must be whole numbers."}, status=400)
    body = json.dumps(WAITING[path](store.after(after, wait=wait), after))
    return Answer(body=body.encode(), content_type="application/json")


def _lines(mails: list[Mail], _after: int) -> object:
    return [{"number": mail.number, **mail.as_line()} for mail in mails]


def _newest(mails: list[Mail], after: int) -> object:
    return mails[-1].number if mails else after


WAITING = {"/mails.json": _lines, "/newest.json": _newest}


def _mail(mail: Mail) -> Answer:
    content = read(mail.raw)
    return page("mail.html", {"mail": mail, "content": content, "time": _local(mail.ts), "sandbox": SANDBOX})


def _html(mail: Mail) -> Answer:
    return Answer(body=_opening_links_apart(read(mail.raw)).encode("utf-8", "replace"), policy=MAIL_HTML)


def _source(mail: Mail) -> Answer:
    return Answer(body=mail.raw, content_type="message/rfc822", filename=f"mail-{mail.number}.eml")


ONE_MAIL = {"": _mail, "html": _html, "source": _source}


def _opening_links_apart(content: Content) -> str:
    # The frame may not leave the mailbox, so links need a tab of their own.
    return re.sub(r"(?i)<head\b[^>]*>", r'\g<0><base target="_blank">', content.html, count=1)


def _static(name: str) -> Answer:
    if name not in STATIC:
        return _missing()
    return Answer(body=(HERE / "static" / name).read_bytes(), content_type=STATIC[name])


def _missing() -> Answer:
    return page("message.html", {"text": "There is no such page or mail here."}, status=404)


def _local(timestamp: float) -> datetime:
    """The time in the site's zone, as its admin shows times."""
    return timezone.localtime(datetime.fromtimestamp(timestamp, UTC))
