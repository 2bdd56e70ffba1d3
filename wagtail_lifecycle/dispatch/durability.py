"""What a commit is worth after a crash, and what the missing outcomes of a group therefore prove.

Rows are announced in small groups and sent in id order, and the outcome of a row is written before the next one's
final dot. So where no commit can have been lost, only the first rows of a group without an outcome are in doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from django.db import connection
from django.db.models import BooleanField, CharField, Value
from django.db.models.expressions import RawSQL

#: Every commit of the group was waited for: none can be missing.
DURABLE: Final = "durable"
#: Nothing can be told from the other rows of the group.
UNKNOWN: Final = ""
#: Rows announced together. More would make a longer list to write again after a crash.
GROUP: Final = 50
#: PRAGMA synchronous: 2 is FULL, 3 is EXTRA. With less a power cut takes the last commits of a WAL.
SQLITE_FULL: Final = 2

EPOCH: Final = "(SELECT value FROM wagtail_lifecycle_crash_epoch)"
ENSURE: Final = """
    WITH made AS (
        INSERT INTO wagtail_lifecycle_crash_epoch (value) VALUES (%s) ON CONFLICT DO NOTHING RETURNING value
    )
    SELECT value FROM made UNION ALL SELECT value FROM wagtail_lifecycle_crash_epoch LIMIT 1
"""
#: Part of a condition, so that it costs no statement of its own; ends with the transaction.
WAIT: Final = (
    "(SELECT CASE current_setting('synchronous_commit') WHEN 'off'"
    " THEN set_config('synchronous_commit', 'on', true) ELSE '' END) IS NOT NULL"
)


@dataclass(frozen=True, kw_only=True)
class Form:
    """How intents and outcomes are written here."""

    #: rows announced together
    size: int
    #: value of `crash_epoch`
    mark: Any
    #: outcomes need not be waited for
    is_fast: bool = False


def prepare() -> Form:
    """Bring the database into the state that the promises need, and answer what can be relied on."""
    if connection.vendor == "postgresql":
        ensure_epoch()
        # Read inside the statement that announces: a crash before it is as good as one after it.
        mark = RawSQL(f"COALESCE({EPOCH}, '')", (), output_field=CharField())  # noqa: S611 - a constant
        return Form(size=GROUP, mark=mark, is_fast=True)
    if connection.vendor == "sqlite" and _sqlite_waits():
        return Form(size=GROUP, mark=Value(DURABLE))
    return Form(size=1, mark=Value(UNKNOWN))


def waited_for() -> list[RawSQL]:
    """Return what makes the commit of an UPDATE wait for the disk, whatever the site has set: an extra condition."""
    if connection.vendor != "postgresql":
        return []
    return [RawSQL(WAIT, (), output_field=BooleanField())]  # noqa: S611 - a constant


def ensure_epoch() -> str:
    """Return what PostgreSQL forgets in a crash; a new value where it has been forgotten."""
    if connection.vendor != "postgresql":
        return UNKNOWN
    with connection.cursor() as cursor:
        cursor.execute(ENSURE, [uuid4().hex])
        row = cursor.fetchone()
    # Nothing where somebody else was writing one at this moment: then the next group will have it.
    return row[0] if row else UNKNOWN


def current_epoch() -> str:
    """Return the value that rows of this epoch carry; nothing after a crash, and on other databases."""
    if connection.vendor != "postgresql":
        return UNKNOWN
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM wagtail_lifecycle_crash_epoch")
        row = cursor.fetchone()
    return row[0] if row else UNKNOWN


def is_reliable(mark: str, epoch: str) -> bool:
    """Whether every outcome that was written for a row with this mark is still there. Read `epoch` after the row."""
    return mark == DURABLE or (mark != UNKNOWN and mark == epoch)


def _sqlite_waits() -> bool:
    with connection.cursor() as cursor:
        # Inside a transaction it cannot be changed; then it stays as the site has set it.
        if not connection.in_atomic_block:
            level = cursor.execute("PRAGMA synchronous").fetchone()[0]
            if level < SQLITE_FULL:
                cursor.execute("PRAGMA synchronous=FULL")
        level = cursor.execute("PRAGMA synchronous").fetchone()[0]
    return bool(level >= SQLITE_FULL)
