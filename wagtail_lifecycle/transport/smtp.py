"""A Django mail backend that knows in which phase a message failed.

`EMAIL_BACKEND = "wagtail_lifecycle.transport.smtp.EmailBackend"`; every EMAIL_* setting means what it means to Django.
"""

from __future__ import annotations

import re
import smtplib
from email.headerregistry import Address
from email.utils import getaddresses
from typing import TYPE_CHECKING, Any, Final

from django.core.mail.backends import smtp
from django.core.mail.utils import DNS_NAME
from django.utils.encoding import punycode

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.transport.connections import Connection, SecureConnection
from wagtail_lifecycle.transport.phases import Lost, Phase, Refused
from wagtail_lifecycle.transport.session import COMMAND_TIMEOUT, Envelope, Session

if TYPE_CHECKING:
    from django.core.mail import EmailMessage

LINE_END: Final = re.compile(rb"\r\n|\r|\n")


class EmailBackend(smtp.EmailBackend):
    """Django's SMTP backend with our own dialogue: pipelined, cheap, and clear about what happened."""

    session: Session | None = None
    #: what was being done last; tells a refused log-in from a refused connection
    phase = Phase.CONNECT

    @property
    def connection_class(self) -> type[Connection | SecureConnection]:
        return SecureConnection if self.use_ssl else Connection

    def open(self) -> bool | None:
        """Open a session unless there is one; answer whether there was none, None if that failed silently."""
        if self.session is not None and self.session.is_usable:
            return False
        try:
            self.session = self.connect()
        except OSError:
            if not self.fail_silently:
                raise
            return None
        self.connection = self.session.connection
        return True

    def connect(self) -> Session:
        """Return a new session that is encrypted and logged in as the settings say. Raises OSError."""
        self.phase = Phase.CONNECT
        command_timeout = COMMAND_TIMEOUT if self.timeout is None else float(self.timeout)
        options: dict[str, Any] = {"local_hostname": DNS_NAME.get_fqdn(), "timeout": command_timeout}
        if self.use_ssl:
            options["context"] = self.ssl_context
        connection = self.connection_class(self.host, self.port, **options)
        try:
            self._introduce(connection)
        except BaseException:
            connection.close()
            raise
        return Session(
            connection, timeout=command_timeout, dot_timeout=min(float(self.timeout or "inf"), settings.dot_timeout)
        )

    def close(self) -> None:
        """Say good-bye to the server, if there is one."""
        session, self.session, self.connection = self.session, None, None
        if session is not None:
            session.quit()

    def _introduce(self, connection: Connection | SecureConnection) -> None:
        if self.use_tls and not self.use_ssl:
            self.phase = Phase.ENCRYPT
            connection.starttls(context=self.ssl_context)
        self.phase = Phase.LOGIN
        connection.ehlo_or_helo_if_needed()
        if self.username and self.password:
            connection.login(self.username, self.password)

    def _send(self, email_message: EmailMessage) -> bool:
        """Send one message; raises what Django's own backend raises."""
        if not email_message.recipients():
            return False
        envelope = Envelope(
            sender=bare_address(email_message.from_email),
            recipients=tuple(bare_address(address) for address in email_message.recipients()),
        )
        raw = LINE_END.sub(b"\r\n", email_message.message().as_bytes())
        try:
            self._deliver(envelope, raw)
        except smtplib.SMTPException:
            if not self.fail_silently:
                raise
            return False
        return True

    def _deliver(self, envelope: Envelope, raw: bytes) -> None:
        # Closed by the message before: sent over a new connection, as the caller asked for one message after the other.
        if self.session is None or not self.session.is_ready_for(envelope):
            self.session = self.connect()
            self.connection = self.session.connection
        try:
            self.session.deliver(envelope, raw)
        except Refused as refusal:
            raise _as_smtplib(refusal, envelope) from refusal
        except Lost as loss:
            raise smtplib.SMTPServerDisconnected(f"{loss.phase}: {type(loss.cause).__name__}") from loss


def bare_address(value: str) -> str:
    """Return the address of `Name <address>` as SMTP takes it: the domain in its IDNA form."""
    found = getaddresses([str(value)])
    address = found[0][1] if len(found) == 1 and not set("\r\n") & set(str(value)) else ""
    local, _, domain = address.rpartition("@")
    if not address.isascii() and domain:
        address = Address(username=local, domain=punycode(domain)).addr_spec
    if not address:
        raise ValueError("A message has a sender or a recipient that is no address. Write it as name@domain.")
    return address


def _as_smtplib(refusal: Refused, envelope: Envelope) -> smtplib.SMTPException:
    code, text = refusal.reply.code, refusal.reply.text.encode()
    if refusal.phase is Phase.MAIL:
        return smtplib.SMTPSenderRefused(code, text, envelope.sender)
    if refusal.phase is Phase.RCPT:
        return smtplib.SMTPRecipientsRefused(dict.fromkeys(envelope.recipients, (code, text)))
    return smtplib.SMTPDataError(code, text)
