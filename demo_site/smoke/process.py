"""The demo as a program that runs beside the proof."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from demo_site.supervisor.__main__ import READY
from demo_site.supervisor.addresses import Addresses

#: Seconds the mailbox holds a question back when there is nothing new.
LONGEST_QUESTION = 25
LINES_OF_A_LOG = 15


class DemoFailed(Exception):
    """The demo did not start or did not end as it should."""


@contextlib.contextmanager
def demo(addresses: Addresses) -> Iterator[None]:
    """Start it, wait until it says that it is ready, end it as Ctrl-C does."""
    with subprocess.Popen(
        [sys.executable, "-m", "demo_site.supervisor", "--until-stdin-ends"],
        env={**os.environ, **addresses.environment(), "NO_COLOR": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C in the terminal is for the proof, which then ends the demo.
        start_new_session=True,
    ) as process:
        try:
            _wait_until_ready(process)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            said = process.stdout.read()  # type: ignore[union-attr] # it was started with a pipe
            code = process.wait()
    if code:
        raise DemoFailed(f"The demo ended with exit code {code}. It said:\n{said}")


def _wait_until_ready(process: subprocess.Popen[str]) -> None:
    said = []
    for line in process.stdout:  # type: ignore[union-attr] # as above
        said.append(line)
        if READY in line:
            return
    raise DemoFailed(f"The demo did not start. It said:\n{''.join(said)}")


def mails_after(addresses: Addresses, number: int, *, wait: float) -> list[dict[str, object]]:
    """The mails that arrived after that one; waits up to so many seconds for the next."""
    seconds = max(0, min(int(wait), LONGEST_QUESTION))
    question = f"http://127.0.0.1:{addresses.mailbox}/mails.json?after={number}&wait={seconds}"
    with urllib.request.urlopen(question, timeout=LONGEST_QUESTION + 10) as answer:
        return json.load(answer)


def ends_of_logs(directory: Path) -> str:
    parts = []
    for log in sorted((directory / "logs").glob("*.log")):
        lines = log.read_text(errors="replace").splitlines()[-LINES_OF_A_LOG:]
        parts.append("\n".join([f"--- {log.name}", *lines]))
    return "\n".join(parts)
