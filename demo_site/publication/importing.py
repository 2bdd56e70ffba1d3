"""Loads a publication kept as JSON and Markdown into the page tree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from django.contrib.auth.hashers import make_password
from django.core.files.images import ImageFile
from django.db import transaction
from django.utils.text import slugify
from PIL import Image as PillowImage
from wagtail.images.models import Image

from demo_site.accounts.models import User
from demo_site.publication.liquid import without_liquid
from demo_site.publication.models import HomePage, PostPage
from demo_site.publication.posts import NewPost, add_picture, add_post
from demo_site.publication.rich_text import TooDeepError, from_markdown
from demo_site.publication.source import PublicationError, SourcePost
from demo_site.publication.tree import ensure_author_index, ensure_author_page, ensure_home

AUTHORS_DOMAIN = "authors.example.org"

Progress = Callable[[int, int], None]


@dataclass
class Loaded:
    """What one run has done."""

    posts: int = 0
    authors: int = 0
    pictures: int = 0
    already_there: int = 0


@dataclass
class Pictures:
    """The pictures beside the publication, each loaded at most once."""

    folder: Path
    by_file: dict[str, Image] = field(default_factory=dict)

    def file_of(self, *addresses: str) -> str:
        """Return the file behind the first of several addresses that has one, or an empty name.

        A file is named after the address, or after its last two parts.
        """
        for address in filter(None, addresses):
            parts = PurePosixPath(address).parts
            for name in (parts[-1], "__".join(parts[-2:])) if parts else ():
                if "/" not in name and (self.folder / name).is_file():
                    return name
        return ""

    def get(self, file: str, *, title: str, description: str) -> Image:
        if file not in self.by_file:
            self.by_file[file] = self._load(file, title=title, description=description)
        return self.by_file[file]

    def _load(self, file: str, *, title: str, description: str) -> Image:
        path = self.folder / file
        try:
            with PillowImage.open(path) as opened:
                opened.verify()
        except (OSError, SyntaxError, PillowImage.DecompressionBombError) as error:
            raise PublicationError(f"{path} is not a picture that can be read. Mend or remove it.") from error
        with path.open("rb") as stream:
            return add_picture(ImageFile(stream, name=file), title=title, description=description)


@dataclass
class Links:
    """Where the links and pictures of one post lead."""

    home: HomePage
    pages_by_slug: dict[str, int]
    pictures: Pictures
    #: the file shown above the text, not to be shown twice
    lead: str
    title: str

    def page_id(self, address: str) -> int | None:
        path = urlsplit(address).path
        if path == "/":
            return self.home.pk
        slug = path.strip("/").rpartition("/")[2]
        return self.pages_by_slug.get(slug)

    def picture_id(self, address: str) -> int | None:
        file = self.pictures.file_of(urlsplit(address).path)
        if not file or file == self.lead:
            return None
        return self.pictures.get(file, title=self.title, description="").pk


@transaction.atomic
def load(posts: Sequence[SourcePost], images: Path, progress: Progress) -> Loaded:
    """Load the posts that are not there yet. All or nothing: a PublicationError changes nothing."""
    known = set(PostPage.objects.exclude(source_path="").values_list("source_path", flat=True))
    missing = [post for post in posts if post.path not in known]
    loaded = Loaded(posts=len(missing), already_there=len(posts) - len(missing))
    home = ensure_home()
    users = load_authors(home, [name for post in missing for name in post.authors], loaded)
    pictures = Pictures(images)
    pages = add_pages(home, missing, users, pictures)
    # Bodies come second: posts link to later posts too.
    slugs = dict(PostPage.objects.child_of(home).values_list("slug", "pk"))
    for number, (post, page) in enumerate(zip(missing, pages, strict=True), start=1):
        lead = pictures.file_of(post.local_image, post.image, post.hero)
        page.body = body_of(post, Links(home, slugs, pictures, lead, post.title))
        page.save(update_fields=["body"], clean=False)
        progress(number, len(missing))
    loaded.pictures = len(pictures.by_file)
    return loaded


def add_pages(
    home: HomePage, posts: Sequence[SourcePost], users: dict[str, User], pictures: Pictures
) -> list[PostPage]:
    taken = set(home.get_children().values_list("slug", flat=True))
    pages = []
    for post in posts:
        slug = free_slug(post.slug, taken)
        taken.add(slug)
        pages.append(add_post(home, new_post(post, slug, users, pictures)))
    return pages


def new_post(post: SourcePost, slug: str, users: dict[str, User], pictures: Pictures) -> NewPost:
    file = pictures.file_of(post.local_image, post.image, post.hero)
    return NewPost(
        slug=slug,
        title=post.title,
        date=post.date,
        intro=post.excerpt,
        authors=list(dict.fromkeys(users[address_of(name)] for name in post.authors)),
        picture=pictures.get(file, title=post.title, description="") if file else None,
        tags=post.tags,
        source_path=post.path,
    )


def body_of(post: SourcePost, links: Links) -> str:
    try:
        return from_markdown(without_liquid(post.body_markdown), links)
    except TooDeepError as error:
        raise PublicationError(f"{post.path}: {error}") from error


def load_authors(home: HomePage, names: Sequence[str], loaded: Loaded) -> dict[str, User]:
    """Return the user of each address, made where there is none; authors cannot log in."""
    named = {address_of(name): name for name in reversed(names)}
    present = set(User.objects.filter(email__in=named).values_list("email", flat=True))
    User.objects.bulk_create(
        User(email=email, name=name, is_verified=True, password=make_password(None))
        for email, name in sorted(named.items())
        if email not in present
    )
    users = {user.email: user for user in User.objects.filter(email__in=named)}
    loaded.authors = len(users) - len(present)
    if users:
        index = ensure_author_index(home)
        for email, user in sorted(users.items()):
            ensure_author_page(index, user, slug=email.partition("@")[0])
    return users


def address_of(name: str) -> str:
    # A name without a Latin letter has no slug.
    slug = slugify(name) or f"author-{sha256(name.encode()).hexdigest()[:10]}"
    return f"{slug[:64]}@{AUTHORS_DOMAIN}"


def free_slug(wanted: str, taken: set[str]) -> str:
    slug, number = wanted, 1
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug
