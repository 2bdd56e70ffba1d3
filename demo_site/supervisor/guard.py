"""End what a killed supervisor leaves behind.

A supervisor that gets SIGKILL cannot end its processes. This one can: it reads the process groups that were
started from a pipe, and the end of that pipe means that the supervisor is gone, however it went. It works
wherever there are pipes and process groups, so on Linux and macOS alike.

Run as a script: ``guard.py REGISTER_FD LIFE_FD SECONDS``. Every process of the demo holds the writing end of
the second pipe, grandchildren included; its end means that none is left.
"""

import contextlib
import os
import select
import signal
import sys
from collections.abc import Iterable


def read_groups(register: int) -> list[int]:
    with open(register, encoding="ascii") as lines:
        return [int(line) for line in lines]


def ask_to_end(leaders: Iterable[int]) -> None:
    """Only the leader is asked: a Celery worker ends its own pool, after the task it is at."""
    for leader in leaders:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(leader, signal.SIGTERM)


def kill_groups(groups: Iterable[int]) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def main(register: int, life: int, patience: float) -> None:
    # The terminal's signals are for the supervisor; the guard ends after it, never before.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups = read_groups(register)
    # All gone already: their numbers may belong to others by now.
    if select.select([life], [], [], 0)[0]:
        return
    ask_to_end(groups)
    if not select.select([life], [], [], patience)[0]:
        kill_groups(groups)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
