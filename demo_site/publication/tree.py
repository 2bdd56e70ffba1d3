"""The fixed pages of the site, made where they are missing."""

from urllib.parse import urlsplit

from django.conf import settings
from django.utils.text import slugify
from django.utils.translation import gettext as _
from wagtail.models import Page, Site

from demo_site.accounts.models import User
from demo_site.publication.models import AuthorIndexPage, AuthorPage, HomePage

TAGLINE = "Bread, trains, cities and the printed word. Nothing here takes longer than a cup of coffee."


def ensure_home() -> HomePage:
    """Return the front page; it takes the place of Wagtail's welcome page."""
    home = HomePage.objects.first()
    if home is None:
        root = Page.get_first_root_node()
        home = root.add_child(
            instance=HomePage(title=settings.WAGTAIL_SITE_NAME, slug="quick-publisher", tagline=TAGLINE)
        )
    ensure_site(home)
    # The welcome page goes once the site no longer points to it.
    Page.objects.filter(depth=2, slug="home", content_type__model="page").delete()
    return home


def ensure_site(home: HomePage) -> None:
    address = urlsplit(settings.WAGTAILADMIN_BASE_URL)
    wanted = {
        "hostname": address.hostname,
        "port": address.port or (443 if address.scheme == "https" else 80),
        "root_page": home.page_ptr,
        "site_name": settings.WAGTAIL_SITE_NAME,
    }
    site = Site.objects.filter(is_default_site=True).first() or Site(is_default_site=True)
    if any(getattr(site, field, None) != value for field, value in wanted.items()):
        for field, value in wanted.items():
            setattr(site, field, value)
        site.save()


def ensure_author_index(home: HomePage) -> AuthorIndexPage:
    index = AuthorIndexPage.objects.first()
    return index or home.add_child(instance=AuthorIndexPage(title=_("Authors"), slug="authors"))


def ensure_author_page(index: AuthorIndexPage, user: User, *, slug: str, biography: str = "") -> AuthorPage:
    page = AuthorPage.objects.filter(user=user).first()
    if page is None:
        page = AuthorPage(title=user.name, slug=slug or slugify(user.name), user=user, biography=biography)
        index.add_child(instance=page)
    return page
