"""Take over the views of an access log."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from wagtail_lifecycle.exceptions import LifecycleError
from wagtail_lifecycle.models.page_views import DailyPageViews, Views
from wagtail_lifecycle.page_views.access_log import Reading, read_log
from wagtail_lifecycle.page_views.paths import live_paths, read_map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BAR = 40
#: Paths without a page that the report names.
SHOWN = 10


class Command(BaseCommand):
    help = (
        "Import the page views of an access log in the combined format, plain or .gz. "
        "Importing a log again replaces what it brought; it never adds twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the access log")
        parser.add_argument(
            "--map",
            type=Path,
            metavar="CSV",
            help="old paths and where they lead now: the old path, then a page's id or its current path",
        )

    def handle(self, *args: Any, file: Path, **options: Any) -> None:  # noqa: ARG002 - Django's own signature
        try:
            paths = self._paths(options["map"])
            with file.open("rb") as log, self._progress(log) as progress:
                reading = read_log(log, paths, progress)
        except OSError as error:
            raise CommandError(f"Cannot read {error.filename}: {error.strerror}.") from error
        except LifecycleError as error:
            raise CommandError(str(error)) from error
        rows = [Views(page_id, day, count) for (page_id, day), count in reading.views.items()]
        added = DailyPageViews.objects.replace_source(reading.digest, rows)
        self.stdout.write("\n".join(_report(reading, added)))
        self._warn_of_overlap(reading)

    def _paths(self, map_file: Path | None) -> Mapping[str, int]:
        paths = live_paths()
        if map_file is None:
            return paths
        try:
            with map_file.open(encoding="utf-8-sig", newline="") as rows:
                return paths | read_map(rows, paths)
        except UnicodeDecodeError as error:
            raise CommandError(f"{map_file} is not UTF-8. Save the map as CSV in UTF-8.") from error

    @contextmanager
    def _progress(self, log: IO[bytes]) -> Iterator[Callable[[], object]]:
        if not self.stderr.isatty():
            yield lambda: None
            return
        size = os.fstat(log.fileno()).st_size or 1

        def show() -> None:
            share = log.tell() / size
            bar = ("#" * round(share * BAR)).ljust(BAR)
            self.stderr.write(f"\r[{bar}] {share:4.0%}", self.style.NOTICE, ending="")

        try:
            yield show
        finally:
            show()
            self.stderr.write("")

    def _warn_of_overlap(self, reading: Reading) -> None:
        days = {day for _, day in reading.views}
        if not days:
            return
        others = DailyPageViews.objects.exclude(source=reading.digest).filter(day__range=(min(days), max(days)))
        if twice := sorted(days.intersection(others.values_list("day", flat=True).distinct())):
            self.stderr.write(
                f"{len(twice)} of these days have views from elsewhere too, counted live or imported from "
                f"another log ({twice[0]} to {twice[-1]}). Where both saw the same visits, they count twice.",
                self.style.WARNING,
            )


def _report(reading: Reading, added: int) -> list[str]:
    days = sorted(day for _, day in reading.views)
    pages = len({page_id for page_id, _ in reading.views})
    span = f" from {days[0]} to {days[-1]}" if days else ""
    left_out = [f"{count:>9,} {reason}" for reason, count in reading.left_out.most_common()]
    unknown = [f"{count:>9,} {path}" for path, count in reading.unknown.most_common(SHOWN)]
    return [
        f"{reading.lines:,} lines read, {added:,} views of {pages:,} pages imported{span}.",
        *(["Left out:", *left_out] if left_out else []),
        *(["Most wanted paths without a page (--map leads them somewhere):", *unknown] if unknown else []),
    ]
