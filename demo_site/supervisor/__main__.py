"""``python -m demo_site.supervisor``: start the whole demo, end it with Ctrl-C."""

import argparse
import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from demo_site.accounts.logins import DEMO_LOGINS
from demo_site.supervisor import services
from demo_site.supervisor.addresses import Addresses, CannotStart, exclusive
from demo_site.supervisor.children import Failure
from demo_site.supervisor.pack import Pack
from demo_site.supervisor.screen import Screen

#: `smoke` waits for this line.
READY = "The Quick Publisher is ready"


async def demo(addresses: Addresses, screen: Screen) -> None:
    started = time.monotonic()
    directory = addresses.directory
    async with Pack(logs=directory / "logs", environment=services.environment(addresses), show=screen.line) as pack:
        broker = services.valkey(port=addresses.valkey, directory=directory)
        await pack.start_all(broker, services.mailbox(addresses))
        screen.say("Preparing the database; the first time this takes a few seconds …")
        await pack.run(services.PREPARE)
        await pack.start_all(services.web(addresses), *services.WORKERS, services.BEAT)
        _welcome(addresses, screen, seconds=time.monotonic() - started)
        await pack.until_one_ends()


def _welcome(addresses: Addresses, screen: Screen, *, seconds: float) -> None:
    places = [
        ("Site", f"{addresses.site_url}/"),
        ("Admin", f"{addresses.site_url}/admin/"),
        ("Mails", f"{addresses.mailbox_url}/"),
        ("Logs", str(addresses.directory / "logs")),
    ]
    logins = [("Role", "Email", "Password"), *DEMO_LOGINS]
    notes = [("The first mails arrive within a minute or so, without your doing anything. Ctrl-C ends all of it.",)]
    screen.box(f"{READY} (after {seconds:.0f} s)", [places, logins, notes])


async def until_told_to_end(addresses: Addresses, screen: Screen, *, by_stdin: bool) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, told.set)
    if by_stdin:
        loop.add_reader(sys.stdin, told.set)
    running = asyncio.create_task(demo(addresses, screen))
    telling = asyncio.create_task(told.wait())
    await asyncio.wait({running, telling}, return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        screen.say("\nEnding …")
        running.cancel()
    telling.cancel()
    try:
        await running
    except asyncio.CancelledError:
        screen.say("All processes have ended.")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description="The Quick Publisher with all it needs.")
    parser.add_argument("--dir", type=Path, help="where its files live (setting DEMO_DIR, default .demo)")
    parser.add_argument("--free-ports", action="store_true", help="choose ports that nobody uses")
    parser.add_argument(
        "--until-stdin-ends", action="store_true", help="end with the program that holds the other end of stdin"
    )
    return parser.parse_args(arguments)


def main() -> int:
    options, screen = parse(), Screen(sys.stdout)
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr] # a terminal that lacks the frame's lines
    try:
        addresses = Addresses.from_environment(os.environ, directory=options.dir)
        if options.free_ports:
            addresses = addresses.on_free_ports()
        with exclusive(addresses.directory):
            addresses.check_ports()
            asyncio.run(until_told_to_end(addresses, screen, by_stdin=options.until_stdin_ends))
    except (CannotStart, Failure) as error:
        screen.error(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
