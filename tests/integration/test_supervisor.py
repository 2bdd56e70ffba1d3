"""The demo's processes start together and end together, whatever happens to them."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from demo_site.supervisor.__main__ import READY
from demo_site.supervisor.addresses import Addresses, exclusive
from tests.support.processes import left_of, tree

PROJECT = Path(__file__).parents[2]

pytestmark = pytest.mark.services


class Demo:
    """A demo that is running: its process, what it said, where it listens."""

    def __init__(self, process: subprocess.Popen[str], addresses: Addresses) -> None:
        self.process, self.addresses = process, addresses
        self.said: list[str] = []

    def read_until(self, text: str) -> None:
        for line in self.process.stdout:
            self.said.append(line)
            if text in line:
                return
        pytest.fail(f"It ended without saying {text!r}. It said:\n{''.join(self.said)}")

    def program(self, *words: str) -> psutil.Process:
        """The process whose command line has these words; the topmost of them."""
        return next(found for found in tree(self.process.pid) if set(words) <= set(found.cmdline()))

    def end(self) -> tuple[int, str]:
        self.said += self.process.stdout.readlines()
        return self.process.wait(timeout=60), "".join(self.said)


@contextlib.contextmanager
def starting(addresses: Addresses) -> Iterator[Demo]:
    with subprocess.Popen(
        # If the tests are killed, standard input ends, and the demo with it.
        [sys.executable, "-m", "demo_site.supervisor", "--until-stdin-ends"],
        cwd=PROJECT,
        env={**os.environ, **addresses.environment()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield Demo(process, addresses)
        finally:
            # The guard ends the rest.
            process.kill()


@contextlib.contextmanager
def running(addresses: Addresses) -> Iterator[Demo]:
    with starting(addresses) as demo:
        demo.read_until(READY)
        yield demo


@pytest.fixture(scope="module")
def directory(tmp_path_factory) -> Path:
    """One directory for all: only the first demo has to make the database."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def addresses(directory) -> Addresses:
    return Addresses(directory=directory).on_free_ports()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_signal_ends_every_process_and_is_no_failure(addresses, number):
    with running(addresses) as demo:
        processes = tree(demo.process.pid)

        os.killpg(demo.process.pid, number)

        code, said = demo.end()
        assert (code, left_of(processes)) == (0, [])
        assert "All processes have ended." in said


def test_it_ends_with_the_program_that_started_it_to_look_after_it(addresses):
    with running(addresses) as demo:
        processes = tree(demo.process.pid)

        demo.process.stdin.close()

        code, _said = demo.end()
        assert (code, left_of(processes)) == (0, [])


def test_a_killed_supervisor_leaves_no_process_behind(addresses):
    with running(addresses) as demo:
        processes = tree(demo.process.pid)
        assert len(processes) > 10, "the pools of the workers are among them"

        demo.process.kill()

        assert left_of(processes) == []


def test_the_crash_of_a_worker_ends_the_rest_and_says_which_it_was(addresses):
    with running(addresses) as demo:
        processes = tree(demo.process.pid)

        demo.program("worker", "lifecycle-bulk").kill()

        code, said = demo.end()
        assert (code, left_of(processes)) == (1, [])
        assert "worker-bulk ended unexpectedly by signal 9. The end of its log," in said


def test_a_second_demo_in_the_same_directory_is_refused_and_told_who_has_it(addresses):
    with exclusive(addresses.directory), starting(addresses) as second:
        code, said = second.end()

    assert code == 1
    assert f"A demo (process {os.getpid()}) is running in {addresses.directory} already." in said


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("web", "DEMO_PORT"),
        ("smtp", "DEMO_SMTP_PORT"),
        ("mailbox", "DEMO_MAILBOX_PORT"),
        ("valkey", "DEMO_VALKEY_PORT"),
    ],
)
def test_a_busy_port_is_an_error_that_names_the_setting_before_anything_starts(tmp_path, name, setting):
    addresses = Addresses(directory=tmp_path / "demo").on_free_ports()
    with socket.create_server(("127.0.0.1", getattr(addresses, name))), starting(addresses) as demo:
        code, said = demo.end()

    assert code == 1
    assert f"Port {getattr(addresses, name)} for " in said
    assert f"make demo {setting}=" in said
    assert not (addresses.directory / "logs").exists()


@pytest.mark.parametrize("given", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_an_error_that_says_what_is_allowed(tmp_path, given):
    addresses = Addresses(directory=tmp_path)
    environment = {**os.environ, **addresses.environment(), "DEMO_PORT": given}

    done = subprocess.run(
        [sys.executable, "-m", "demo_site.supervisor"],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stdout == f"DEMO_PORT is {given!r}; it must be a port, a number from 1 to 65535.\n"
