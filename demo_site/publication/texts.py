"""The publication's own texts: authors and posts out of the `content` folder."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

CONTENT = Path(__file__).parent / "content"
FENCE = "+++\n"


@dataclass(frozen=True, kw_only=True)
class Author:
    """One author; the key is the local part of the address."""

    key: str
    name: str
    biography: str

    @property
    def email(self) -> str:
        return f"{self.key}@example.org"


@dataclass(frozen=True, kw_only=True)
class Post:
    """One post as it stands in its file."""

    slug: str
    title: str
    #: keys of the authors, first author first
    authors: list[str]
    #: age on the day the demo is loaded, so that the front page is never stale
    days_ago: int
    tags: list[str]
    #: name of the motif of its picture
    picture: str
    intro: str
    #: Markdown
    body: str


def read_authors() -> list[Author]:
    entries = tomllib.loads((CONTENT / "authors.toml").read_text(encoding="utf-8"))
    return [Author(key=key, **fields) for key, fields in entries.items()]


def read_posts() -> list[Post]:
    """Return the posts, oldest first."""
    posts = [read_post(path) for path in (CONTENT / "posts").glob("*.md")]
    return sorted(posts, key=lambda post: (-post.days_ago, post.slug))


def read_post(path: Path) -> Post:
    _nothing, head, body = path.read_text(encoding="utf-8").split(FENCE, 2)
    return Post(slug=path.stem, body=body.strip(), **tomllib.loads(head))
