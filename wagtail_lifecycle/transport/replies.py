"""What an SMTP server answers, read strictly: what only looks like a reply is none."""

from __future__ import annotations

import re
import smtplib
import ssl
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket

#: RFC 5321 4.2: the code, and a hyphen where another line of the same reply follows.
LINE: Final = re.compile(rb"([2-5][0-5][0-9])(?:([ -])(.*))?", re.DOTALL)
#: RFC 5321 4.5.3.1.5 allows 512 octets; servers that explain themselves take more.
MAX_LINE: Final = 4096
MAX_LINES: Final = 128
CHUNK: Final = 8192

SERVICE_CLOSING: Final = 421
START_INPUT: Final = 354


class Garbled(smtplib.SMTPException):
    """The server said something that is no reply, or none to what was asked."""


@dataclass(frozen=True)
class Reply:
    """One reply of the server, its lines joined."""

    code: int
    text: str

    @property
    def is_yes(self) -> bool:
        return self.code // 100 == 2  # noqa: PLR2004 - RFC 5321 4.2.1

    @property
    def is_refusal(self) -> bool:
        return self.code // 100 in {4, 5}

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class Wire:
    """The socket of a session: writes octets, reads replies, each within a given time."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._buffer = b""
        self._timeout = connected.gettimeout()

    def write(self, octets: bytes, timeout: float) -> None:
        self._allow(timeout)
        self.socket.sendall(octets)

    def read(self, timeout: float) -> Reply:
        """Return the next reply. Raises OSError: closed, too late, or Garbled."""
        self._allow(timeout)
        deadline = time.monotonic() + timeout
        code, lines = b"", list[bytes]()
        while len(lines) < MAX_LINES:
            match = _matched(self._line(deadline))
            if match is None or (lines and match[1] != code):
                break
            code = match[1]
            lines.append(match[3] or b"")
            if match[2] != b"-":
                return _reply(code, b"\n".join(lines))
        raise Garbled("The server's answer is no SMTP reply.")

    @property
    def is_silent(self) -> bool:
        """Whether the server has neither closed the connection nor said anything that was not read."""
        if self._buffer:
            return False
        self._allow(0)
        try:
            self._buffer = self.socket.recv(CHUNK)
        # SSLWantReadError says so over TLS, where a readable socket may mean a session ticket.
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def _line(self, deadline: float) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_LINE:
                raise Garbled("The server's answer has a line without end.")
            self._receive(deadline)
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line.removesuffix(b"\r")

    def _receive(self, deadline: float) -> None:
        # Most replies come in one piece; for those that trickle the time goes on counting.
        if self._buffer:
            self._allow(_left(deadline))
        received = self.socket.recv(CHUNK)
        if not received:
            raise smtplib.SMTPServerDisconnected("The server closed the connection.")
        self._buffer += received

    def _allow(self, timeout: float) -> None:
        if timeout != self._timeout:
            self.socket.settimeout(timeout)
            self._timeout = timeout


# Servers say the same few things all the time.
@lru_cache(maxsize=64)
def _matched(line: bytes) -> re.Match[bytes] | None:
    return LINE.fullmatch(line)


@lru_cache(maxsize=64)
def _reply(code: bytes, text: bytes) -> Reply:
    return Reply(int(code), text.decode("utf-8", "replace"))


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("The server did not answer in time.")
    return left
