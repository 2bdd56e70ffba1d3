"""The mails of the Quick Publisher look like its pages: the colours are those of `site.css`."""

from django.conf import settings
from django.core.files.images import ImageFile
from wagtail.models import Site

from demo_site.publication.pictures import draw_logo
from demo_site.publication.posts import add_picture
from wagtail_lifecycle.models import Branding

COLOURS = {
    "light_page": "#f3f1e8",
    "light_card": "#ffffff",
    "light_line": "#dedacf",
    "light_text": "#1c1a16",
    "light_quiet": "#575247",
    "light_accent": "#14532d",
    "light_on_accent": "#ffffff",
    "dark_page": "#14150f",
    "dark_card": "#1d1f18",
    "dark_line": "#393b31",
    "dark_text": "#efece2",
    "dark_quiet": "#b5b0a2",
    "dark_accent": "#86dba4",
    "dark_on_accent": "#0b2414",
}
FOOTER = "<p>Bread, trains, cities and the printed word, from <b>The Quick Publisher</b>.</p>"


def ensure_branding() -> None:
    """Give the default site its brand, unless somebody has chosen one."""
    site = Site.objects.get(is_default_site=True)
    if Branding.objects.filter(site=site).exists():
        return
    name = settings.WAGTAIL_SITE_NAME
    logo = ImageFile(draw_logo(name), name="logo.png")
    Branding.objects.create(
        site=site,
        logo=add_picture(logo, title="Logo", description=name),
        logo_alt=name,
        logo_width=208,
        fonts=Branding.Fonts.PALATINO,
        footer=FOOTER,
        **COLOURS,
    )
