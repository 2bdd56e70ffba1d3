from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo_site.publication.importing import load
from demo_site.publication.source import PublicationError, find_file, read_posts
from wagtail_lifecycle import user_events

REPORT_EVERY = 50


class Command(BaseCommand):
    help = "Loads a publication: a JSON list of Markdown posts, with pictures in a folder `images` beside it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="The JSON file, or the folder that holds it.")
        parser.add_argument("--limit", type=int, help="Load only the first so many posts.")

    @user_events.silence()
    def handle(self, *, path: Path, limit: int | None, **options: object) -> None:  # noqa: ARG002 - Django's
        if limit is not None and limit < 0:
            raise CommandError(f"--limit is {limit}; it must be 0 or more.")
        try:
            file = find_file(path)
            loaded = load(read_posts(file)[:limit], file.parent / "images", self.progress)
        except PublicationError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Loaded {loaded.posts} posts, {loaded.authors} new authors and {loaded.pictures} pictures; "
            f"{loaded.already_there} posts were there already."
        )

    def progress(self, number: int, total: int) -> None:
        if number == total or number % REPORT_EVERY == 0:
            self.stdout.write(f"{number} of {total} posts")
