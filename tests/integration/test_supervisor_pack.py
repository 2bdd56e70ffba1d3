"""A pack of small programs, to see what the demo's own programs seldom do."""

import asyncio
import os
import re
import sys

import pytest

from demo_site.supervisor.children import Failure, Service
from demo_site.supervisor.pack import Pack
from tests.support.processes import left_of, tree

pytestmark = pytest.mark.services

#: Has a child that never listens to SIGTERM, and ends without it.
LEAVES_A_CHILD = """
import os, signal
if os.fork():
    signal.sigwait({signal.SIGTERM})
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready", flush=True)
    while True:
        signal.pause()
"""
SAYS_AND_FAILS = "print('the last words', flush=True); raise SystemExit(3)"


def program(name, code, *, ready="ready"):
    return Service(name=name, command=(sys.executable, "-c", code), ready=re.compile(ready))


def pack_in(directory, shown=None):
    lines = [] if shown is None else shown
    return Pack(logs=directory, environment=os.environ, show=lambda *line: lines.append(line))


def test_a_grandchild_that_ignores_sigterm_is_ended_too(tmp_path):
    async def scenario():
        async with pack_in(tmp_path) as pack:
            await pack.start_all(program("stubborn", LEAVES_A_CHILD))
            return tree(pack.children[0].process.pid)

    processes = asyncio.run(scenario())

    assert len(processes) == 2
    assert left_of(processes, seconds=2) == []


def test_a_program_that_fails_is_named_with_its_last_words(tmp_path):
    async def scenario():
        async with pack_in(tmp_path) as pack:
            await pack.run(program("migrate", SAYS_AND_FAILS))

    with pytest.raises(Failure, match=r"(?s)^migrate failed with exit code 3\..*the last words"):
        asyncio.run(scenario())


def test_a_program_that_ends_before_it_is_ready_is_not_waited_for(tmp_path):
    async def scenario():
        async with pack_in(tmp_path) as pack:
            await pack.start_all(program("web", SAYS_AND_FAILS))

    with pytest.raises(Failure, match=r"^web ended unexpectedly with exit code 3"):
        asyncio.run(scenario())


def test_a_line_without_end_does_not_fill_the_memory_and_hides_nothing(tmp_path):
    endless = "import sys; sys.stdout.write('x' * 1_000_000); print(); print('ready', flush=True); input()"

    async def scenario():
        async with pack_in(tmp_path) as pack:
            child = pack.start(program("endless", endless))
            await child.ready.wait()
            await child.ended
            return child

    child = asyncio.run(scenario())

    assert max(map(len, child.last_lines)) <= 64 * 1024
    assert child.log.read_text().count("x") == 1_000_000
