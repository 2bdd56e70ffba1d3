"""Programs that are started together and end together, grandchildren included."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from demo_site.supervisor.children import Child, Service, Show
from demo_site.supervisor.guard import ask_to_end, kill_groups

HERE = Path(__file__).parent
#: Seconds a program may take to end by itself before it is killed; fewer when the supervisor is gone.
PATIENCE = 10.0
PATIENCE_OF_GUARD = 3.0
#: Seconds a program may take to get ready.
SLOWEST_START = 90.0

T = TypeVar("T")


class Pack:
    """Starts programs, each in a process group of its own, and leaves none of them behind.

    Ctrl-C in a terminal reaches the supervisor's group only, so the order of ending is decided here. Every
    process inherits the writing end of one pipe, `life`: when it can be read to its end, all are gone.
    """

    def __init__(self, *, logs: Path, environment: Mapping[str, str], show: Show) -> None:
        self.logs, self.environment, self.show = logs, environment, show
        self.children: list[Child] = []
        self.finished: list[Child] = []
        self._exits: dict[subprocess.Popen[bytes], asyncio.Future[int]] = {}

    async def __aenter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        # asyncio's own processes count as running as long as a grandchild holds their output: the crash of a
        # worker whose pool lives on would go unnoticed.
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._note_exits)
        read_register, self._register = os.pipe()
        self._read_life, self._life = os.pipe()
        # In a session of its own neither the terminal nor a signal to the supervisor's group reaches it.
        self._guard = self._spawn(
            _script("guard.py", read_register, self._read_life, PATIENCE_OF_GUARD),
            stdout=subprocess.DEVNULL,
            pass_fds=(read_register, self._read_life),
            start_new_session=True,
        )
        os.close(read_register)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._end(child for child in self.children if not child.service.foundation)
        await self._end(self.children)
        everyone = [*self.children, *self.finished]
        os.close(self._life)
        if not await self._all_gone(seconds=0.2):
            kill_groups(child.process.pid for child in everyone)
            await self._all_gone(seconds=PATIENCE_OF_GUARD)
        # The guard now does what is still to be done: a start that was interrupted is on its list only.
        os.close(self._register)
        await self._exits[self._guard]
        os.close(self._read_life)
        if everyone:
            await asyncio.wait({child.read for child in everyone}, timeout=PATIENCE_OF_GUARD)
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)

    def start(self, service: Service) -> Child:
        process = self._spawn(
            _script("leash.py", self._register, *service.command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(self.environment),
            pass_fds=(self._register, self._life),
            process_group=0,
        )
        log = self.logs / f"{service.name}.log"
        child = Child(service, process, exited=self._exits[process], log=log, show=self.show)
        self.children.append(child)
        return child

    def _spawn(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)  # noqa: S603 - our own commands
        self._exits[process] = asyncio.get_running_loop().create_future()
        return process

    def _note_exits(self) -> None:
        for process, exited in self._exits.items():
            if not exited.done() and process.poll() is not None:
                exited.set_result(process.returncode)

    async def start_all(self, *services: Service) -> None:
        """Start them side by side; done when all are ready."""
        children = [self.start(service) for service in services]
        everyone = asyncio.gather(*(child.ready.wait() for child in children))
        try:
            async with asyncio.timeout(SLOWEST_START):
                await self._unless_one_ends(everyone)
        except TimeoutError:
            late = next(child for child in children if not child.ready.is_set())
            raise late.failure(f"was not ready after {SLOWEST_START:.0f} seconds") from None

    async def run(self, service: Service) -> None:
        """Run a program that works and ends."""
        child = self.start(service)
        self.children.remove(child)
        self.finished.append(child)
        try:
            code = await self._unless_one_ends(asyncio.shield(child.ended))
        finally:
            await self._end([child])
        if code:
            raise child.failure(f"failed with exit code {code}")

    async def until_one_ends(self) -> None:
        await self._unless_one_ends(asyncio.Event().wait())

    async def _unless_one_ends(self, awaited: Awaitable[T]) -> T:
        task = asyncio.ensure_future(awaited)
        try:
            await asyncio.wait({task, *(child.ended for child in self.children)}, return_when=asyncio.FIRST_COMPLETED)
            for child in self.children:
                if child.ended.done():
                    raise child.failure(f"ended unexpectedly {_how(child.ended.result())}")
            return await task
        finally:
            task.cancel()
            await asyncio.wait({task})
            # Whatever became of it has been seen.
            _ = task.cancelled() or task.exception()

    async def _end(self, children: Iterable[Child]) -> None:
        running = [child for child in children if not child.ended.done()]
        ask_to_end(child.process.pid for child in running)
        if running:
            await asyncio.wait({child.ended for child in running}, timeout=PATIENCE)
        left = [child for child in running if not child.ended.done()]
        kill_groups(child.process.pid for child in left)
        if left:
            await asyncio.wait({child.ended for child in left})

    async def _all_gone(self, *, seconds: float) -> bool:
        gone, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(self._read_life, gone.set)
        try:
            await asyncio.wait_for(gone.wait(), seconds)
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(self._read_life)
        return True


def _script(name: str, *arguments: object) -> tuple[str, ...]:
    # Isolated and without site: it starts in a fraction of the time, and nothing around can change it.
    return (sys.executable, "-I", "-S", str(HERE / name), *map(str, arguments))


def _how(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"
