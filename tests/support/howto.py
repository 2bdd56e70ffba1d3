"""Follows a how-to: does with its blocks what the comment above each says."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"

_BLOCK = re.compile(r"^<!-- (?P<order>[^>]+?) -->\n```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_INSERT = re.compile(r'insert into (?P<file>\S+) below "(?P<line>[^"]+)"')


@dataclass(frozen=True)
class Block:
    """A fenced block and what the reader is to do with it."""

    #: "write FILE", "append to FILE", 'insert into FILE below "LINE"', "run", "start", "shell"
    order: str
    text: str

    @property
    def commands(self) -> list[list[str]]:
        return [shlex.split(line) for line in self.text.splitlines() if line]


def blocks(page: str) -> Iterator[Block]:
    for match in _BLOCK.finditer((DOCS / page).read_text()):
        yield Block(match["order"], match["text"])


def ordered(page: str, order: str) -> list[Block]:
    return [block for block in blocks(page) if block.order == order]


def edit_files(page: str, folder: Path) -> list[str]:
    """Write, append and insert what the page says; return the files that were touched."""
    return [edited for block in blocks(page) if (edited := _edit(block, folder))]


def _edit(block: Block, folder: Path) -> str:
    if block.order.startswith("write "):
        name = block.order.removeprefix("write ")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(block.text)
        return name
    if block.order.startswith("append to "):
        name = block.order.removeprefix("append to ")
        with (folder / name).open("a") as file:
            file.write(f"\n{block.text}")
        return name
    if match := _INSERT.fullmatch(block.order):
        path = folder / match["file"]
        before, line, after = path.read_text().partition(f"{match['line']}\n")
        assert line, f"{match['file']} has no line {match['line']!r}"
        path.write_text(f"{before}{line}{block.text}{after}")
        return match["file"]
    return ""
