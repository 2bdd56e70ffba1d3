"""smtplib's connections, read by our own reader: they connect, encrypt and log in."""

from __future__ import annotations

import smtplib
import socket

from wagtail_lifecycle.transport.replies import Wire


class _Replies:
    """smtplib's replies through our own reader, so that nothing is buffered where we do not see it."""

    sock: socket.socket | None
    timeout: float
    _wire: Wire | None = None

    @property
    def wire(self) -> Wire:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("Not connected.")
        # STARTTLS replaces the socket. What came before it is dropped: it may be somebody else's (RFC 3207 4.2).
        if self._wire is None or self._wire.socket is not self.sock:
            self._wire = Wire(self.sock)
            # The dot follows the body in a packet of its own; Nagle would hold it back until the body is acknowledged.
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._wire

    def getreply(self) -> tuple[int, bytes]:
        try:
            reply = self.wire.read(self.timeout)
        except OSError:
            self.close()
            raise
        return reply.code, reply.text.encode()

    def close(self) -> None:
        super().close()  # type: ignore[misc]


class Connection(_Replies, smtplib.SMTP):
    """A connection that is plain at first."""


class SecureConnection(_Replies, smtplib.SMTP_SSL):
    """A connection over TLS from the first octet."""
