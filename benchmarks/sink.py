"""A fast SMTP server that takes every message and forgets it: ``python -m benchmarks.sink``.

Prints its port and lives until standard input ends. Beside SMTP it knows two words: XRESET SECONDS forgets what was
counted and answers after a final dot that much later; XSTAT says how many messages came, when the first and the last
one did, and how many octets they had.
"""

import asyncio
import contextlib
import json
import sys
import time
from dataclasses import dataclass, field

HOST = "127.0.0.1"
END = b"\r\n.\r\n"
ANSWERS = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 10000000\r\n",
    b"HELO": b"250 sink\r\n",
    b"QUIT": b"221 bye\r\n",
}


@dataclass
class Tally:
    latency: float = 0.0
    count: int = 0
    octets: int = 0
    first: float = 0.0
    last: float = 0.0
    recipients: set[bytes] = field(default_factory=set)

    def add(self, recipient: bytes, size: int) -> None:
        self.last = time.time()
        self.first = self.first or self.last
        self.count += 1
        self.octets += size
        self.recipients.add(recipient)

    def told(self) -> dict[str, float]:
        return {"count": self.count, "distinct": len(self.recipients), "octets": self.octets,
                "first": self.first, "last": self.last}  # fmt: skip


class Session(asyncio.Protocol):
    tally = Tally()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.buffer = bytearray()
        self.in_data = False
        self.scanned = 0
        self.recipient = b""
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self._message_end() if self.in_data else self._command():
            pass

    def _message_end(self) -> bool:
        end = self.buffer.find(END, self.scanned)
        if end < 0:
            self.scanned = max(0, len(self.buffer) - len(END))
            return False
        del self.buffer[: end + len(END)]
        self.in_data, self.scanned = False, 0
        if Session.tally.latency:
            asyncio.get_running_loop().call_later(Session.tally.latency, self._take, self.recipient, end)
        else:
            self._take(self.recipient, end)
        return True

    def _take(self, recipient: bytes, size: int) -> None:
        Session.tally.add(recipient, size)
        self.transport.write(b"250 taken\r\n")

    def _command(self) -> bool:
        end = self.buffer.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self.buffer[:end])
        del self.buffer[: end + 2]
        self._answer(line)
        return True

    def _answer(self, line: bytes) -> None:
        word = line[:4].upper()
        if word == b"DATA":
            self.in_data = True
            self.transport.write(b"354 go\r\n")
        elif word == b"RCPT":
            self.recipient = line[8:]
            self.transport.write(b"250 ok\r\n")
        elif word == b"XRES":
            Session.tally = Tally(latency=float(line.split()[1]))
            self.transport.write(b"250 ok\r\n")
        elif word == b"XSTA":
            self.transport.write(b"250 " + json.dumps(Session.tally.told()).encode() + b"\r\n")
        else:
            self.transport.write(ANSWERS.get(word, b"250 ok\r\n"))
            if word == b"QUIT":
                self.transport.close()


async def serve() -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(Session, HOST, 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()
    server.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
