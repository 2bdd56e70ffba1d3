"""Puts a post with its picture and authors into the page tree."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from django.core.files.images import ImageFile
from django.utils import timezone
from wagtail.images.models import Image
from wagtail.models import Page

from demo_site.accounts.models import User
from demo_site.publication.models import PostAuthor, PostPage

#: Posts appear in the morning.
PUBLISHED_AT = time(6)


@dataclass(frozen=True, kw_only=True)
class NewPost:
    """A post that is about to become a page."""

    slug: str
    title: str
    date: date
    intro: str
    authors: Sequence[User]
    body: str = ""
    picture: Image | None = None
    tags: Sequence[str] = field(default_factory=tuple)
    source_path: str = ""


def add_post(home: Page, post: NewPost) -> PostPage:
    # Not later than now: the youngest post of the demo may be loaded before the morning.
    moment = min(timezone.now(), timezone.make_aware(datetime.combine(post.date, PUBLISHED_AT)))
    page = PostPage(
        slug=post.slug,
        title=post.title,
        date=post.date,
        intro=post.intro,
        body=post.body,
        picture=post.picture,
        source_path=post.source_path,
        owner=post.authors[0],
        first_published_at=moment,
        last_published_at=moment,
    )
    page.post_authors = [PostAuthor(user=user, sort_order=order) for order, user in enumerate(post.authors)]
    page.tags.add(*post.tags)
    return home.add_child(instance=page)


def add_picture(file: ImageFile, *, title: str, description: str) -> Image:
    picture = Image.objects.create(file=file, title=title[:255], description=description[:255])
    # Wagtail opened it to measure it, and leaves closing it to whoever comes last.
    picture.file.close()
    return picture
