"""The SMTP side: every mail for everybody is taken."""

import itertools
from collections.abc import Callable

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from demo_site.supervisor.mailbox.store import Mail, MailStore

LARGEST_MAIL = 10 * 1024 * 1024


class Receiver:
    """aiosmtpd's handler: what arrives goes into the store."""

    def __init__(self, store: MailStore, arrived: Callable[[Mail], None]) -> None:
        self.store, self.arrived = store, arrived
        self.connections = itertools.count(1)

    async def handle_EHLO(  # noqa: N802 - aiosmtpd names it
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        session.number = next(self.connections)
        return responses

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = self.store.add(
            conn=str(getattr(session, "number", 0)),
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            raw=envelope.original_content or b"",
        )
        self.arrived(mail)
        return "250 2.0.0 accepted"


def smtp_server(
    store: MailStore,
    *,
    port: int,
    arrived: Callable[[Mail], None] = lambda _mail: None,
    host: str = "127.0.0.1",
) -> Controller:
    """A server in a thread of its own; `start()` and `stop()` it."""
    return Controller(
        Receiver(store, arrived),
        hostname=host,
        port=port,
        server_hostname="mailbox.localhost",
        data_size_limit=LARGEST_MAIL,
        enable_SMTPUTF8=True,
    )
