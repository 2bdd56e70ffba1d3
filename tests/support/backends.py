"""Mail backends that fail in the way a test has written down."""

import smtplib
from collections.abc import Callable
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend

#: what happens to the mail of an address, by the part before the @; the other mails are taken
FAULTS: dict[str, Callable[[str], Exception]] = {
    "tempfail": lambda to: smtplib.SMTPRecipientsRefused({to: (451, f"4.7.1 <{to}> later".encode())}),
    "permfail": lambda to: smtplib.SMTPRecipientsRefused({to: (550, f"5.1.1 <{to}> unknown".encode())}),
    "permdata": lambda _to: smtplib.SMTPDataError(554, b"5.7.1 spam"),
    "lost": lambda _to: smtplib.SMTPServerDisconnected("Connection unexpectedly closed"),
    "busy": lambda to: smtplib.SMTPRecipientsRefused({to: (421, b"closing")}),
    "auth": lambda _to: smtplib.SMTPSenderRefused(530, b"5.7.0 authentication required", "news@example.org"),
}


class FaultyBackend(BaseEmailBackend):
    """Takes mails into `taken`, calls `before` with each, and refuses those whose address names a fault."""

    taken: list[Any] = []
    tried: list[str] = []
    before: Callable[[Any], None] | None = None

    @classmethod
    def reset(cls) -> None:
        cls.taken, cls.tried, cls.before = [], [], None

    def send_messages(self, messages: list[Any]) -> int:
        for message in messages:
            [to] = message.recipients()
            self.tried.append(to)
            if FaultyBackend.before is not None:
                FaultyBackend.before(message)
            fault = FAULTS.get(to.partition("@")[0].rstrip("0123456789"))
            if fault is not None:
                raise fault(to)
            self.taken.append(message)
        return len(messages)
