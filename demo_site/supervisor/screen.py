"""What the person at the terminal sees."""

import contextlib
import os
from collections.abc import Iterable
from typing import TextIO

COLOURS = {"web": 36, "beat": 35, "mailbox": 32, "valkey": 33, "worker-transactional": 34, "worker-bulk": 94}
RED = 31
BOLD = 1


class Screen:
    """Prefixed lines, in colour where a person is looking."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.coloured = stream.isatty() and not os.environ.get("NO_COLOR")

    def say(self, text: str) -> None:
        # Whoever reads this may leave earlier (`make demo | head`); the demo goes on.
        with contextlib.suppress(BrokenPipeError):
            self.stream.write(f"{text}\n")
            self.stream.flush()

    def line(self, name: str, text: str) -> None:
        self.say(f"{self.paint(f'{name:>20}', COLOURS.get(name, BOLD))} │ {text}")

    def error(self, text: str) -> None:
        self.say(self.paint(text, RED))

    def box(self, title: str, sections: Iterable[Iterable[tuple[str, ...]]]) -> None:
        """A title and tables with aligned columns, in a frame."""
        blocks = [_aligned(list(rows)) for rows in sections]
        width = max(len(title), *(len(row) for block in blocks for row in block))
        self.say(f"╭─{'─' * width}─╮")
        self.say(f"│ {self.paint(title.ljust(width), BOLD)} │")
        for block in blocks:
            self.say(f"├─{'─' * width}─┤")
            for row in block:
                self.say(f"│ {row.ljust(width)} │")
        self.say(f"╰─{'─' * width}─╯")

    def paint(self, text: str, colour: int) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.coloured else text


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
