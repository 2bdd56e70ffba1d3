"""``make test``: the tests on PostgreSQL, where there is one, then all of them on SQLite.

Both runs are pytest's own, on a few processes; arguments go to both (``-n0``: one process). The run on SQLite comes
last and says what was left out.
"""

import contextlib
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.support.services import Found, embedded, find_postgres, required

#: How the run on PostgreSQL went, for the summary of the last run; `pytest` alone does not set it.
OUTCOME = "LIFECYCLE_TEST_POSTGRES_OUTCOME"
#: Most tests wait for a service now and then: the processor has time for another one. The order stays (no `--dist
#: worksteal`): tests that empty the tables come last in every process.
SIDE_BY_SIDE = ["-n", "auto", "--maxprocesses", "4"]
NO_TESTS = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}


def main(arguments: list[str]) -> int:
    try:
        found, needed = find_postgres(), required()
    except ValueError as error:
        return _refuse(str(error))
    if found.missing and "postgres" in needed:
        return _refuse(f"LIFECYCLE_TEST_REQUIRE asks for more: PostgreSQL ({found.missing})")
    if found.missing:
        return _pytest(arguments, {OUTCOME: f"missing: {found.missing}"})
    with _server(found) as url:
        first = _pytest(arguments, {"LIFECYCLE_TEST_DATABASE_URL": _database_of_this_run(url)})
    passed = first in NO_TESTS
    last = _pytest(arguments, {OUTCOME: "passed" if passed else "failed"})
    if passed or last not in NO_TESTS:
        return last
    return first


@contextlib.contextmanager
def _server(found: Found) -> Iterator[str]:
    if not found.embedded:
        yield found.address
        return
    with embedded("postgres") as url:
        yield url


def _database_of_this_run(url: str) -> str:
    # Django puts test_ before the name; two runs at once must not share it.
    return urlunsplit(urlsplit(url)._replace(path=f"/lifecycle_{uuid.uuid4().hex[:12]}"))


def _pytest(arguments: list[str], environment: dict[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", *SIDE_BY_SIDE, *arguments]
    return subprocess.call(command, env={**os.environ, **environment})


def _refuse(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
