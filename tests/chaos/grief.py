"""Where pool children come to grief: named points of the send path, which itself knows nothing of it.

The driver drops files named NUMBER-POINT-TIMES into a folder; each child that starts takes one and kills itself when it
passes the point for the so-manyth time.
"""

import os
from pathlib import Path

from tests.support import dying_worker
from wagtail_lifecycle.dispatch import claiming, closing, composing, opening, recovering
from wagtail_lifecycle.dispatch.book import Book
from wagtail_lifecycle.transport import Line

#: owner, name of the function, before or after it
POINTS = {
    "while_planning": (opening.Planner, "write", "after"),
    "after_claim": (claiming, "claim", "after"),
    "before_rendering": (composing, "compose", "before"),
    "before_intent": (claiming, "announce", "before"),
    "after_intent": (claiming, "announce", "after"),
    "before_dot": (Book, "begin", "after"),
    "after_dot": (Line, "send", "after"),
    "before_outcome": (Book, "note", "before"),
    "after_outcome": (Book, "_finish", "after"),
    "while_rescuing": (Book, "rescue", "before"),
    "while_recovering": (recovering, "_give_up", "before"),
    "before_closing": (closing, "close_run", "before"),
}


def plan_in_pieces() -> None:
    """Plan in small pieces, so that much happens between them."""
    opening.CHUNK, opening.MOMENT = 100, 0.0


def take_one(folder: Path) -> str:
    """Take one of the points that were dropped, if there is one left."""
    for file in sorted((folder / "points").iterdir()):
        try:
            file.rename(folder / "taken" / f"{os.getpid()}-{file.name}")
        except FileNotFoundError:
            continue
        _await_grief(folder, *file.name.split("-")[1:])
        return file.name
    return ""


def _await_grief(folder: Path, point: str, times: str) -> None:
    owner, name, when = POINTS[point]

    def die() -> None:
        if (folder / "armed").exists():
            (folder / "died" / f"{os.getpid()}-{point}").touch()
            dying_worker.die()

    dying_worker.wrap(owner, name, when, die, int(times))
