"""The views in an access log of the combined format, by the rules of the middleware."""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.exceptions import LifecycleError
from wagtail_lifecycle.page_views.people import is_empty, is_robot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: What a line has to look like, for messages.
EXAMPLE: Final = (
    '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /blog/ HTTP/1.1" 200 2326 "https://example.org/" "Mozilla/5.0 …"'
)
#: Files that a page pulls in, feeds and documents; never a page of Wagtail.
ASSET: Final = re.compile(
    r"""\.(?:
        avif|bmp|gif|ico|jpe?g|png|svg|tiff?|webp | css|js|mjs|map|json|webmanifest|swf
        | eot|otf|ttf|woff2? | mp3|mp4|ogg|wav|webm | pdf|txt|xml
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
#: Longer lines are attacks; no web server's own limit lets them through.
LINE_LENGTH: Final = 1 << 16
#: With no line of the format among the first ones, the file is something else.
PATIENCE: Final = 1_000
#: Paths without a page that are remembered for the report: memory does not grow with the log.
UNKNOWN_PATHS: Final = 10_000

_GZIP: Final = b"\x1f\x8b"
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_QUOTED: Final = r'"((?:[^"\\]|\\.)*)"'
_MOMENT: Final = r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d):\d\d ([+-]\d{4})\]"
_LINE: Final = re.compile(rf"\S+ [^\[]*{_MOMENT} {_QUOTED} (\d{{3}}) \S+ {_QUOTED} {_QUOTED}")


class WrongLog(LifecycleError, ValueError):
    """The file is not an access log of the combined format."""


class LeftOut(StrEnum):
    """Why a line of a log is no view."""

    UNPARSED = "not a line of the combined format"
    NOT_GET = "another method than GET"
    NOT_200 = "another status than 200"
    ASSET = "an image, style sheet, script, feed or document"
    NO_AGENT = "an empty user agent"
    ROBOT = "a robot"
    UNKNOWN_PATH = "no page at this path"


class Hit(NamedTuple):
    """One line of a log, as far as views are concerned: the address is not kept."""

    day: date
    method: str
    path: str
    status: int
    user_agent: str


@dataclass
class Reading:
    """What was found in a log."""

    #: views per page id and day
    views: Counter[tuple[int, date]] = field(default_factory=Counter)
    left_out: Counter[LeftOut] = field(default_factory=Counter)
    #: views by people per path that leads to no page
    unknown: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    digest: str = ""


def read_log(file: IO[bytes], pages: Mapping[str, int], progress: Callable[[], object]) -> Reading:
    """Count the views in a log, plain or gzip, line by line; `progress` is called now and then."""
    reading, digest, first_bad = Reading(), hashlib.sha256(), 0
    for line in _lines(file):
        reading.lines += 1
        digest.update(line)
        hit = parse(line)
        if hit is None:
            reading.left_out[LeftOut.UNPARSED] += 1
            first_bad = first_bad or reading.lines
        else:
            _judge(hit, pages, reading)
        if reading.lines % PATIENCE == 0:
            _refuse_another_format(reading, first_bad)
            progress()
    _refuse_another_format(reading, first_bad)
    reading.digest = digest.hexdigest()
    return reading


def parse(line: bytes) -> Hit | None:
    """Read one line; None when it is not of the combined format."""
    match = _LINE.match(line.decode("utf-8", "replace"))
    day = match and _site_day(match[1], match[2])
    if not match or not day:
        return None
    method, _, rest = match[3].partition(" ")
    return Hit(day, method, rest.partition(" ")[0], int(match[4]), match[6])


def normalised(target: str) -> str:
    """Make one path of its spellings: no query, decoded, no slash at the end."""
    try:
        path = urlsplit(target).path if "://" in target else target.partition("?")[0].partition("#")[0]
    except ValueError:  # an address of which nothing can be made
        return target
    return "/" + unquote(path).strip("/")


def is_asset(path: str) -> bool:
    return bool(ASSET.search(path))


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    packed = file.read(2) == _GZIP
    file.seek(0)
    stream: IO[bytes] | gzip.GzipFile = gzip.GzipFile(fileobj=file) if packed else file
    try:
        while line := stream.readline(LINE_LENGTH):
            if b"\0" in line:
                raise WrongLog(
                    "The file is binary. Give an access log as text, or packed by gzip; unpack other formats first."
                )
            yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise WrongLog("The gzip file is damaged or ends too early. Copy it again.") from error


def _refuse_another_format(reading: Reading, first_bad: int) -> None:
    if not reading.lines:
        raise WrongLog("The file is empty.")
    if reading.left_out[LeftOut.UNPARSED] == reading.lines:
        raise WrongLog(
            f"Line {first_bad} is not of the combined log format, nor is another of the first "
            f"{reading.lines}. A line should look like this:\n{EXAMPLE}"
        )


def _judge(hit: Hit, pages: Mapping[str, int], reading: Reading) -> None:
    path = normalised(hit.path)
    if reason := _reason(hit, path):
        reading.left_out[reason] += 1
    elif page_id := pages.get(path):
        reading.views[page_id, hit.day] += 1
    else:
        reading.left_out[LeftOut.UNKNOWN_PATH] += 1
        if path in reading.unknown or len(reading.unknown) < UNKNOWN_PATHS:
            reading.unknown[path] += 1


def _reason(hit: Hit, path: str) -> LeftOut | None:
    if hit.method != "GET":
        return LeftOut.NOT_GET
    if hit.status != 200:  # noqa: PLR2004 - the one status that is a view
        return LeftOut.NOT_200
    if is_asset(path):
        return LeftOut.ASSET
    if is_empty(hit.user_agent):
        return LeftOut.NO_AGENT
    return LeftOut.ROBOT if is_robot(hit.user_agent) else None


@lru_cache(maxsize=4096)
def _site_day(minute: str, offset: str) -> date | None:
    # strptime's %b would read the month in the language of the server.
    try:
        month = _MONTHS.index(minute[3:6]) + 1
        moment = datetime.strptime(f"{month:02} {minute[:2]}{minute[6:]} {offset}", "%m %d/%Y:%H:%M %z")
    except ValueError:
        return None
    return moment.astimezone(settings.time_zone).date()
