"""A page tree for tests, also after a test with real transactions has emptied the database."""

from django.conf import settings
from wagtail.coreutils import get_supported_content_language_variant
from wagtail.models import Locale, Page, Site


def root_page() -> Page:
    root = Page.get_first_root_node()
    if root is None:
        language = get_supported_content_language_variant(settings.LANGUAGE_CODE)
        Locale.objects.get_or_create(language_code=language)
        root = Page.add_root(instance=Page(title="Root", slug="root"))
    return root


def add_home(home: Page) -> Page:
    """Make `home` the front page of the default site, and the only one."""
    root = root_page()
    for other in root.get_children():
        other.delete()
    # Deleting changed the root's number of children.
    home = root_page().add_child(instance=home)
    Site.objects.update_or_create(
        is_default_site=True, defaults={"hostname": "testserver", "root_page": home, "port": 80}
    )
    return home
