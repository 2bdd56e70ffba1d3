"""The mails that arrived: a file that keeps them, and the newest of them in memory."""

import base64
import itertools
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from demo_site.supervisor.mailbox.reading import first_header

#: So many mails are shown, and so many bytes of them are held, whichever is reached first.
MOST_MAILS = 1000
MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail as the SMTP server took it; the fields of a log line of `faulty_smtpd.py --store raw`."""

    number: int
    conn: str
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    ts: float

    def as_line(self) -> dict[str, object]:
        return {
            "event": "accepted",
            "acked": True,
            "conn": self.conn,
            "from": self.sender,
            "rcpts": list(self.recipients),
            "size": len(self.raw),
            "message_id": first_header(self.raw, "message-id"),
            "subject": first_header(self.raw, "subject"),
            **_text_or_base64(self.raw),
            "ts": self.ts,
        }

    @classmethod
    def from_line(cls, number: int, line: dict[str, object]) -> Self:
        raw = line["raw"].encode() if "raw" in line else base64.b64decode(line["raw_b64"])  # type: ignore[attr-defined,arg-type]
        return cls(
            number=number, conn=str(line["conn"]), sender=str(line["from"]),
            recipients=tuple(map(str, line["rcpts"])), raw=raw, ts=float(line["ts"]),  # type: ignore[arg-type,call-overload]
        )  # fmt: skip


class MailStore:
    """Appends to the file, numbers the mails from 1, wakes whoever waits for the next one."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self.changed = threading.Condition()
        self._mails: deque[Mail] = deque()
        self._bytes = 0
        self._numbers = itertools.count(1)
        for line in _lines(file):
            self._keep(Mail.from_line(next(self._numbers), line))
        self._rewrite()

    def add(self, *, conn: str, sender: str, recipients: tuple[str, ...], raw: bytes) -> Mail:
        with self.changed:
            mail = Mail(
                number=next(self._numbers), conn=conn, sender=sender, recipients=recipients, raw=raw,
                ts=round(time.time(), 6),
            )  # fmt: skip
            self._keep(mail)
            self._append(mail)
            self.changed.notify_all()
        return mail

    def all(self) -> list[Mail]:
        """Oldest first."""
        with self.changed:
            return list(self._mails)

    def get(self, number: int) -> Mail | None:
        return next((mail for mail in self.all() if mail.number == number), None)

    def after(self, number: int, *, wait: float = 0) -> list[Mail]:
        """The mails with a higher number; if there is none, waits so many seconds for one."""
        with self.changed:
            self.changed.wait_for(lambda: self._mails and self._mails[-1].number > number, timeout=wait)
            return [mail for mail in self._mails if mail.number > number]

    def _keep(self, mail: Mail) -> None:
        self._mails.append(mail)
        self._bytes += len(mail.raw)
        while len(self._mails) > 1 and (len(self._mails) > MOST_MAILS or self._bytes > MOST_BYTES):
            self._bytes -= len(self._mails.popleft().raw)

    def _append(self, mail: Mail) -> None:
        if not self.file:
            return
        with self.file.open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(_dump(mail))
            large = file.tell() > 4 * MOST_BYTES
        if large:
            self._rewrite()

    def _rewrite(self) -> None:
        """Keep the file, like the memory, from growing without end."""
        if not self.file:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.file.with_suffix(".new")
        with fresh.open("w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(map(_dump, self._mails))
        fresh.replace(self.file)


def _dump(mail: Mail) -> str:
    return json.dumps(mail.as_line(), ensure_ascii=False) + "\n"


def _lines(file: Path | None) -> Iterator[dict[str, object]]:
    if not file or not file.exists():
        return
    with file.open(encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            # A demo that was killed while it wrote leaves half a line at the end.
            if line.endswith("}\n"):
                yield json.loads(line)


def _text_or_base64(raw: bytes) -> dict[str, str]:
    try:
        return {"raw": raw.decode()}
    except UnicodeDecodeError:
        return {"raw_b64": base64.b64encode(raw).decode("ascii")}
