"""The outcome of nearly every mail, written to PostgreSQL without waiting for the disk and while the next mail is sent.

The statement goes out, the next message's body goes out, the answer is read before that message's dot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.utils import OperationalError

from wagtail_lifecycle.dispatch import clock
from wagtail_lifecycle.models import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

try:
    from psycopg import pq
except ImportError:  # another database, or psycopg 2: then outcomes are written one after the other
    pq = None  # type: ignore[assignment]

#: The statement for one mail, and the one for several.
ONE: Final = b"wagtail_lifecycle_sent_one"
MANY: Final = b"wagtail_lifecycle_sent_many"
#: Seconds a plan is used: it was made for the table as it was, and a run may multiply the rows of that.
PLAN_SECONDS: Final = 5.0
#: Every column that says how a sent mail ended. PostgreSQL takes the partial index of leases for empty and would read
#: all of it for each mail; the concatenation keeps it from that.
SENT: Final = f"""
    UPDATE {Delivery._meta.db_table}
    SET status = '{Delivery.Status.SENT.value}', reason = '', detail = '', attempts = attempts + 1,
        due_at = NULL, token = NULL, lease_until = NULL, finished_at = statement_timestamp()
    WHERE token = $2::uuid AND status || '' = '{Delivery.Status.SENDING.value}'
"""  # noqa: S608 - constants
#: Does not wait for the flush; in the same round trip, and over with the transaction.
FAST: Final = " AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL"
#: For one row the server keeps its plan; for several it makes a new one each time.
WHICH: Final = {ONE: " AND id = $1::bigint", MANY: " AND id = ANY($1::bigint[])"}

#: when a connection has prepared its statements
_prepared: WeakKeyDictionary[Any, float] = WeakKeyDictionary()


def is_possible() -> bool:
    """Whether outcomes can be written this way: psycopg 3, and no transaction of somebody else's around us."""
    return connection.vendor == "postgresql" and pq is not None and connection.get_autocommit()


class Pipe:
    """At most one statement on its way at a time, on Django's own connection."""

    def __init__(self) -> None:
        self._connection: Any = None

    @property
    def is_busy(self) -> bool:
        return self._connection is not None

    def send(self, ids: Sequence[int], token: UUID | None, *, waits: bool) -> None:
        """Have these rows marked as sent; the answer is read by `receive`."""
        connection.ensure_connection()
        psycopg = connection.connection
        name = ONE if len(ids) == 1 else MANY
        which = str(ids[0]) if name is ONE else "{" + ",".join(map(str, ids)) + "}"
        parameters = [which.encode(), str(token).encode()]
        with connection.wrap_database_errors:
            if waits or not self._prepare(psycopg):
                statement = f"{SENT}{WHICH[name]}{'' if waits else FAST}"
                psycopg.pgconn.send_query_params(statement.encode(), parameters)
            else:
                psycopg.pgconn.send_query_prepared(name, parameters)
            self._connection = psycopg
            while psycopg.pgconn.flush():
                pass

    def receive(self) -> int:
        """Return how many rows were changed. Raises a database error; then the connection is of no use any more."""
        psycopg, self._connection = self._connection, None
        try:
            with connection.wrap_database_errors:
                return self._read(psycopg)
        except BaseException:
            # Also a task's time limit: the next statement would read the answer to this one.
            psycopg.close()
            raise

    @staticmethod
    def _read(psycopg: Any) -> int:
        changed, fault = 0, ""
        while (result := psycopg.pgconn.get_result()) is not None:
            if result.status == pq.ExecStatus.COMMAND_OK:
                changed = result.command_tuples or 0
            else:
                fault = pq.error_message(result)
        if fault:
            raise OperationalError(fault)
        return changed

    def _prepare(self, psycopg: Any) -> bool:
        # Behind a pooler the next statement may reach another server process, which has prepared nothing.
        if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
            return False
        prepared_at = _prepared.get(psycopg)
        if prepared_at is not None and clock.elapsed() - prepared_at < PLAN_SECONDS:
            return True
        for name, which in WHICH.items():
            if prepared_at is not None:
                self._done(psycopg.pgconn.exec_(b"DEALLOCATE " + name))
            self._done(psycopg.pgconn.prepare(name, f"{SENT}{which}{FAST}".encode()))
        _prepared[psycopg] = clock.elapsed()
        return True

    @staticmethod
    def _done(result: Any) -> None:
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise OperationalError(pq.error_message(result))
