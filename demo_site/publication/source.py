"""Reads and checks a publication kept as a JSON list of posts."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path, PurePosixPath

from django.utils.text import slugify

REQUIRED = {"path": str, "title": str, "date": str, "authors": list, "body_markdown": str}
OPTIONAL = {"tags": list, "excerpt": str, "image": str, "hero": str, "local_image": str}
LONGEST_TITLE = 255
LONGEST_SLUG = 200
DATE_IN_NAME = re.compile(r"^\d{4}-\d{2}-\d{2}-")


class PublicationError(ValueError):
    """The publication cannot be loaded; the message says what to mend."""


@dataclass(frozen=True, kw_only=True)
class SourcePost:
    """One post as the publication keeps it."""

    path: str
    title: str
    date: date
    authors: Sequence[str]
    body_markdown: str
    tags: Sequence[str] = ()
    excerpt: str = ""
    image: str = ""
    hero: str = ""
    local_image: str = ""

    @property
    def slug(self) -> str:
        name = DATE_IN_NAME.sub("", PurePosixPath(self.path).stem)
        return (slugify(name) or slugify(self.title) or "post")[:LONGEST_SLUG]


def find_file(path: Path) -> Path:
    """Return the JSON file: `path` itself, or the only one in the folder."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise PublicationError(f"There is no file or folder {path}. Name the JSON file or its folder.")
    found = sorted(path.glob("*.json"))
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise PublicationError(f"{path} must hold one JSON file (found: {names}). Name the file itself.")
    return found[0]


def read_posts(file: Path) -> list[SourcePost]:
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise PublicationError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise PublicationError(f"{file} is not JSON: {error}. It must be a list of posts.") from error
    if not isinstance(entries, list):
        raise PublicationError(f"{file} holds {type(entries).__name__}; it must be a list of posts.")
    posts = [read_post(number, entry) for number, entry in enumerate(entries, start=1)]
    refuse_doubles(posts)
    return posts


def read_post(number: int, entry: object) -> SourcePost:
    if not isinstance(entry, dict):
        raise PublicationError(f"Post {number} is {type(entry).__name__}; it must be an object with keys.")
    missing = [key for key in REQUIRED if key not in entry]
    if missing:
        raise PublicationError(f"Post {number} lacks {', '.join(missing)}; each post needs {', '.join(REQUIRED)}.")
    where = f"Post {number} ({str(entry['path'])[:80]})"
    check_types(where, entry)
    known = {key: entry[key] for key in (field.name for field in fields(SourcePost)) if key in entry}
    return SourcePost(**known | {"date": read_date(where, entry["date"])})


def check_types(where: str, entry: dict[str, object]) -> None:
    for key, kind in (REQUIRED | OPTIONAL).items():
        value = entry.get(key, kind())
        if not isinstance(value, kind):
            raise PublicationError(f"{where}: {key} is {type(value).__name__}; it must be {kind.__name__}.")
        texts = value if isinstance(value, list) else [value]
        if any(not isinstance(text, str) or "\0" in text for text in texts):
            raise PublicationError(f"{where}: {key} must be text without NUL characters.")
    if not entry["path"] or not any(map(str.strip, entry["authors"])):
        raise PublicationError(f"{where}: path and authors must not be empty.")
    if not 0 < len(entry["title"].strip()) <= LONGEST_TITLE:
        raise PublicationError(f"{where}: the title must have 1 to {LONGEST_TITLE} characters.")


def read_date(where: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise PublicationError(f"{where}: date is {text!r}; write it as 2026-11-20.") from error


def refuse_doubles(posts: Sequence[SourcePost]) -> None:
    seen: set[str] = set()
    for post in posts:
        if post.path in seen:
            raise PublicationError(f"The path {post.path} occurs twice; each post needs its own.")
        seen.add(post.path)
