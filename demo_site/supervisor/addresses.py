"""Where the demo listens and keeps its files, and whether it may."""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

HIGHEST_PORT = 65535
HOST = "127.0.0.1"
#: The setting of each port and what listens there.
PORTS = {
    "web": ("DEMO_PORT", "the web server"),
    "smtp": ("DEMO_SMTP_PORT", "the mailbox's SMTP server"),
    "mailbox": ("DEMO_MAILBOX_PORT", "the mailbox's pages"),
    "valkey": ("DEMO_VALKEY_PORT", "the message broker (Valkey)"),
}


class CannotStart(Exception):
    """The demo cannot start; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """The ports and the directory of one demo."""

    directory: Path
    web: int = 8000
    smtp: int = 8025
    mailbox: int = 8026
    valkey: int = 6390

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, directory: Path | None = None) -> Self:
        chosen = directory or Path(environment.get("DEMO_DIR") or ".demo")
        ports = {name: _port(environment, key) for name, (key, _) in PORTS.items() if environment.get(key)}
        return cls(directory=chosen.resolve(), **ports)

    def on_free_ports(self) -> Self:
        with contextlib.ExitStack() as stack:
            # All are held at once, or the system might hand the same one out twice.
            sockets = {name: stack.enter_context(socket.socket()) for name in PORTS}
            for held in sockets.values():
                held.bind((HOST, 0))
            return replace(self, **{name: held.getsockname()[1] for name, held in sockets.items()})

    def environment(self) -> dict[str, str]:
        ports = {key: str(getattr(self, name)) for name, (key, _) in PORTS.items()}
        return ports | {"DEMO_DIR": str(self.directory)}

    @property
    def site_url(self) -> str:
        return f"http://localhost:{self.web}"

    @property
    def mailbox_url(self) -> str:
        return f"http://localhost:{self.mailbox}"

    def check_ports(self) -> None:
        self._check_for_one_port_twice()
        for name, (key, what) in PORTS.items():
            port = getattr(self, name)
            if error := _why_not(port):
                raise CannotStart(
                    f"Port {port} for {what} cannot be used: {error}. End what uses it, or choose another "
                    f"port: make demo {key}={port + 1 if port < HIGHEST_PORT else port - 1}"
                )

    def _check_for_one_port_twice(self) -> None:
        taken: dict[int, str] = {}
        for name, (key, _) in PORTS.items():
            port = getattr(self, name)
            if port in taken:
                raise CannotStart(f"{taken[port]} and {key} are both {port}; give each a port of its own.")
            taken[port] = key


def _port(environment: Mapping[str, str], key: str) -> int:
    given = environment[key]
    if given.isascii() and given.isdigit() and 0 < int(given) <= HIGHEST_PORT:
        return int(given)
    raise CannotStart(f"{key} is {given!r}; it must be a port, a number from 1 to 65535.")


def _why_not(port: int) -> str:
    with socket.socket() as probe:
        # As the servers do: connections that are closing down do not keep a port busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError as error:
            return (error.strerror or str(error)).lower()
    return ""


@contextlib.contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Keep a second demo out of the directory; the lock goes with the process, however that ends."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise CannotStart(
                f"A demo (process {lock.read().strip() or 'unknown'}) is running in {directory} already. "
                "End it, or start this one elsewhere: make demo ARGS='--dir other --free-ports'"
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
