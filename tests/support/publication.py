"""People and posts for tests, with defaults that matter to nobody."""

from collections.abc import Sequence
from datetime import date
from itertools import count

from wagtail.models import Page

from demo_site.accounts.models import User
from demo_site.publication.models import HomePage, PostAuthor, PostPage
from tests.support.page_trees import add_home

_numbers = count(1)


def home_page(**fields: object) -> HomePage:
    return add_home(HomePage(**{"title": "The Quick Publisher", "slug": "home", **fields}))


def person(name: str = "Ana Lindqvist", **fields: object) -> User:
    number = next(_numbers)
    defaults = {"email": f"person-{number}@example.org", "name": name, "is_verified": True}
    return User.objects.create_user(**{**defaults, **fields})


def post(parent: Page, *, authors: Sequence[User] = (), **fields: object) -> PostPage:
    number = next(_numbers)
    defaults = {"title": f"Post {number}", "slug": f"post-{number}", "date": date(2015, 5, 1)}
    page = parent.add_child(instance=PostPage(**{**defaults, **fields}))
    PostAuthor.objects.bulk_create(PostAuthor(post=page, user=user) for user in authors)
    return page
