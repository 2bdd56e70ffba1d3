from datetime import timedelta

from django.core.files.images import ImageFile
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from wagtail.models import Page

from demo_site.accounts.models import User
from demo_site.publication.branding import ensure_branding
from demo_site.publication.campaigns import NotSendableError, ensure_campaigns
from demo_site.publication.models import PostPage
from demo_site.publication.people import ensure_author, ensure_groups, ensure_logins
from demo_site.publication.pictures import MOTIFS, draw_picture
from demo_site.publication.posts import NewPost, add_picture, add_post
from demo_site.publication.rich_text import from_markdown
from demo_site.publication.texts import Post, read_authors, read_posts
from demo_site.publication.tree import ensure_author_index, ensure_author_page, ensure_home
from demo_site.publication.workflows import ensure_workflows
from wagtail_lifecycle import user_events


class Command(BaseCommand):
    help = "Loads the Quick Publisher: pages, people, permissions, campaigns. A second run adds nothing."

    @transaction.atomic
    @user_events.silence()
    def handle(self, **options: object) -> None:  # noqa: ARG002 - Django's signature
        home = ensure_home()
        ensure_groups(home)
        ensure_logins()
        ensure_workflows()
        ensure_branding()
        added = load_posts(home, load_authors(home))
        try:
            ensure_campaigns(home)
        except NotSendableError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The Quick Publisher has {PostPage.objects.count()} posts, {added} of them new.")


def load_authors(home: Page) -> dict[str, User]:
    index = ensure_author_index(home)
    users = {}
    for author in read_authors():
        user = users[author.key] = ensure_author(author)
        ensure_author_page(index, user, slug=author.key.replace(".", "-"), biography=author.biography)
    return users


def load_posts(home: Page, authors: dict[str, User]) -> int:
    present = set(PostPage.objects.child_of(home).values_list("slug", flat=True))
    missing = [post for post in read_posts() if post.slug not in present]
    for post in missing:
        add_post(home, new_post(post, authors))
    return len(missing)


def new_post(post: Post, authors: dict[str, User]) -> NewPost:
    drawn = ImageFile(draw_picture(post.slug, post.picture), name=f"{post.slug}.jpg")
    return NewPost(
        slug=post.slug,
        title=post.title,
        date=timezone.localdate() - timedelta(days=post.days_ago),
        intro=post.intro,
        authors=[authors[key] for key in post.authors],
        body=from_markdown(post.body),
        picture=add_picture(drawn, title=post.title, description=MOTIFS[post.picture].description),
        tags=post.tags,
    )
