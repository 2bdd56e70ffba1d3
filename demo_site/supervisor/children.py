"""A program that was started: what it says, whether it is ready, how it ended."""

import asyncio
import contextlib
import re
import subprocess
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

#: A longer line is cut into pieces: no program can fill the supervisor's memory.
LONGEST_LINE = 64 * 1024

Show = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True)
class Service:
    """One program to run."""

    name: str
    command: tuple[str, ...]
    #: The line by which it says that it is ready; None for one that works and ends.
    ready: re.Pattern[str] | None = None
    #: The lines that are worth a look on the screen; the log file gets all.
    important: re.Pattern[str] = re.compile(r"\b(ERROR|CRITICAL)\b|^\w*Error: ")
    #: Whether others need it to end in good order, so that it ends after them.
    foundation: bool = False


class Failure(Exception):
    """A program ended, or did not get ready; the message names it and quotes its log."""


class Child:
    """A started service."""

    def __init__(
        self, service: Service, process: subprocess.Popen[bytes], *, exited: asyncio.Future[int], log: Path, show: Show
    ) -> None:
        self.service, self.process, self.exited, self.log, self.show = service, process, exited, log, show
        self.last_lines: deque[str] = deque(maxlen=20)
        self.ready = asyncio.Event()
        #: Done when nobody can write any more, grandchildren included.
        self.read = asyncio.create_task(self._read(), name=f"output of {service.name}")
        self.ended = asyncio.create_task(self._end(), name=service.name)

    async def _end(self) -> int:
        code = await self.exited
        # What it wrote is in the pipe already; a grandchild may hold that open much longer.
        await asyncio.wait({self.read}, timeout=0.5)
        return code

    async def _read(self) -> None:
        reader = asyncio.StreamReader(limit=LONGEST_LINE)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self.process.stdout
        )
        with contextlib.closing(transport), self.log.open("w", encoding="utf-8", buffering=1) as log:
            async for line in _lines(reader):
                log.write(f"{line}\n")
                self._take(line)

    def _take(self, line: str) -> None:
        self.last_lines.append(line)
        if self.service.ready and self.service.ready.search(line):
            self.ready.set()
        if self.service.important.search(line):
            self.show(self.service.name, line)

    def failure(self, what: str) -> Failure:
        quoted = "".join(f"\n    {line}" for line in self.last_lines) or "\n    (it wrote nothing)"
        return Failure(f"{self.service.name} {what}. The end of its log, {self.log}:{quoted}")


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    while True:
        try:
            line = await stream.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            line = await stream.read(min(error.consumed, LONGEST_LINE))
        except asyncio.IncompleteReadError as error:
            line = error.partial
        if not line:
            return
        yield line.decode(errors="replace").rstrip()
