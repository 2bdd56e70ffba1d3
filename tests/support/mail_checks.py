"""What the standards checker finds in raw messages."""

from argparse import Namespace
from collections.abc import Iterable

from tests.support.check_email import CHECKS, Checker

OPTIONS = {
    "profile": "bulk",
    "domain": "example.org",
    "postal": "1 Main St",
    "unsubscribe_words": r"unsubscri|abbestellen|abmelden|désabonn|إلغاء الاشتراك",
    "dkim": False,
    "smtputf8": False,
    "allow_http": False,
    "allow_loopback": False,
    "ignore": [],
}


def faults(raw: bytes, *, rcpts: Iterable[str] = (), **options: object) -> list[str]:
    """Return every error and warning of one message, as sentences."""
    checker = Checker(Namespace(**{**OPTIONS, **options}))
    found = checker.check(raw, envelope_from="news@example.org", rcpts=list(rcpts))
    return [f"{check} {CHECKS[check][2]}: {detail}" for check, detail in found]
