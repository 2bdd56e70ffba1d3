"""How the mails of each site look, as its editors chose."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.contrib.settings.models import BaseSiteSetting
from wagtail.fields import RichTextField
from wagtail.images import get_image_model_string
from wagtail.models import PreviewableMixin, Site

from wagtail_lifecycle import contrast, rendering
from wagtail_lifecycle.domains import ascii_url
from wagtail_lifecycle.exceptions import CompileError
from wagtail_lifecycle.fields import ColourField
from wagtail_lifecycle.rendering.brand import DARK, FONTS, Brand, Palette
from wagtail_lifecycle.rendering.example import example_content
from wagtail_lifecycle.rendering.images import MailImage, mail_image
from wagtail_lifecycle.rendering.mjml import refuse_oversized
from wagtail_lifecycle.rendering.rich_text import MERGE_TAG_ATTRIBUTE

if TYPE_CHECKING:
    from django.utils.functional import Promise
    from wagtail.admin.panels import Panel

logger = logging.getLogger(__name__)

LIGHT: Final = Palette()
#: names of the colours, as `Palette` and, after "light_" and "dark_", the fields have them
COLOURS: Final = tuple(Palette.__dataclass_fields__)
#: what header and footer may hold; merge tags differ by audience, so they are not for a whole site
FEATURES: Final = ["bold", "italic", "link"]
_CHIP: Final = re.compile(MERGE_TAG_ATTRIBUTE, re.IGNORECASE)
#: rich text that says something: the editor leaves an empty paragraph where somebody deletes the words
_TEXT: Final = re.compile(r">[^<]*[^<\s]|^[^<]*[^<\s]")
#: pixels; the most is the room that text has
NARROWEST, WIDEST = 24, 536

#: What must be readable on what (WCAG 2.2, 1.4.3), and the sentence where it is not.
READABLE: Final[dict[tuple[str, str], Promise]] = {
    ("text", "card"): _(
        "Text on the card has a contrast of %(ratio)s:1; people need at least %(needed)s:1 to read it. "
        "Make one of the two lighter or darker."
    ),
    ("quiet", "card"): _(
        "Quiet text on the card has a contrast of %(ratio)s:1; people need at least %(needed)s:1 to read it. "
        "Make one of the two lighter or darker."
    ),
    ("quiet", "page"): _(
        "Quiet text on the page has a contrast of %(ratio)s:1; people need at least %(needed)s:1 to read it. "
        "Make one of the two lighter or darker."
    ),
    ("accent", "card"): _(
        "The accent, as a link on the card, has a contrast of %(ratio)s:1; people need at least %(needed)s:1 to read "
        "it. Make one of the two lighter or darker."
    ),
    ("on_accent", "accent"): _(
        "Text on the accent, as on buttons, has a contrast of %(ratio)s:1; people need at least %(needed)s:1 to read "
        "it. Make one of the two lighter or darker."
    ),
}


class Branding(PreviewableMixin, BaseSiteSetting):
    """Logo, colours, fonts and fixed words of one site's mails."""

    class Fonts(models.TextChoices):
        SYSTEM = "system", _("The reader's own (most modern)")
        HELVETICA = "helvetica", _("Helvetica or Arial")
        VERDANA = "verdana", _("Verdana")
        TREBUCHET = "trebuchet", _("Trebuchet")
        GEORGIA = "georgia", _("Georgia, with serifs")
        PALATINO = "palatino", _("Palatino, with serifs")
        COURIER = "courier", _("Courier, like a typewriter")

    logo = models.ForeignKey(
        get_image_model_string(),
        verbose_name=_("logo"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_(
            "It stands above every mail and leads to the site's home page. Choose one that can be seen on both cards, "
            "the light and the dark. Without a logo, the sender's name stands there."
        ),
    )
    logo_alt = models.CharField(
        _("alternative text"),
        max_length=100,
        blank=True,
        help_text=_("What people read who see no pictures: usually the name of the site."),
    )
    logo_width = models.PositiveSmallIntegerField(
        _("width in pixels"),
        default=160,
        validators=[MinValueValidator(NARROWEST), MaxValueValidator(WIDEST)],
        help_text=_("The picture itself should be twice as wide, so that it is sharp on every screen."),
    )
    fonts = models.CharField(
        _("font"),
        max_length=20,
        choices=Fonts,
        default=Fonts.SYSTEM,
        help_text=_("Mail programs load no fonts, so these are the ones that nearly every computer and telephone has."),
    )

    light_page = ColourField(_("page"), default=LIGHT.page, help_text=_("Behind everything."))
    light_card = ColourField(_("card"), default=LIGHT.card, help_text=_("Behind the body of the mail."))
    light_line = ColourField(_("lines"), default=LIGHT.line, help_text=_("Dividers, and the lines of tables."))
    light_text = ColourField(_("text"), default=LIGHT.text, help_text=_("Headings, paragraphs, numbers."))
    light_quiet = ColourField(_("quiet text"), default=LIGHT.quiet, help_text=_("Dates, and what stands at the foot."))
    light_accent = ColourField(_("accent"), default=LIGHT.accent, help_text=_("Links and buttons."))
    light_on_accent = ColourField(
        _("text on the accent"), default=LIGHT.on_accent, help_text=_("The words on buttons.")
    )
    dark_page = ColourField(_("page"), default=DARK.page, help_text=_("Behind everything."))
    dark_card = ColourField(_("card"), default=DARK.card, help_text=_("Behind the body of the mail."))
    dark_line = ColourField(_("lines"), default=DARK.line, help_text=_("Dividers, and the lines of tables."))
    dark_text = ColourField(_("text"), default=DARK.text, help_text=_("Headings, paragraphs, numbers."))
    dark_quiet = ColourField(_("quiet text"), default=DARK.quiet, help_text=_("Dates, and what stands at the foot."))
    dark_accent = ColourField(_("accent"), default=DARK.accent, help_text=_("Links and buttons."))
    dark_on_accent = ColourField(_("text on the accent"), default=DARK.on_accent, help_text=_("The words on buttons."))

    header = RichTextField(
        _("words above"), blank=True, features=FEATURES, help_text=_("They stand between the logo and the body.")
    )
    footer = RichTextField(
        _("words below"),
        blank=True,
        features=FEATURES,
        help_text=_("They stand under the body, above the link to unsubscribe and the postal address."),
    )
    postal_address = models.TextField(
        _("postal address"),
        max_length=500,
        blank=True,
        help_text=_("Many countries ask for one in every newsletter. Empty means that of the sender."),
    )

    #: the form, which `wagtail_admin` provides
    edit_handler: ClassVar[Panel]

    preview_modes = [("light", _("Light")), ("dark", _("Dark")), ("text", _("Text"))]
    default_preview_mode = "light"

    class Meta:
        verbose_name = _("branding of mails")
        verbose_name_plural = _("brandings of mails")

    @property
    def brand(self) -> Brand:
        """What rendering needs to know, as a frozen value; what was stored past the form and is no good is left out."""
        logo = self._logo()
        return Brand(
            light=self._palette("light", LIGHT),
            dark=self._palette("dark", DARK),
            fonts=FONTS.get(self.fonts, Brand.fonts),
            logo_url=logo.url if logo else "",
            logo_alt=self.logo_alt or self.site.site_name or self.site.hostname,
            logo_width=logo.width if logo else 0,
            home_url=_home_url(self.site),
            header=_words(self.header),
            footer=_words(self.footer),
            postal_address=self.postal_address.strip(),
        )

    def _logo(self) -> MailImage | None:
        return mail_image(self.logo, width=min(max(self.logo_width, NARROWEST), WIDEST))

    def _palette(self, scheme: str, default: Palette) -> Palette:
        # All of the default, not only for the colour that is none: those of a scheme belong together.
        try:
            return Palette(**{name: getattr(self, f"{scheme}_{name}") for name in COLOURS})
        except ValueError:
            logger.warning("stored colour is none", extra={"action": "brand", "site_id": self.site_id})
            return default

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the field and the sentence of each reason why people could not read or see something."""
        if self.logo and self.logo.is_svg():
            yield (
                "logo",
                gettext("Mail programs do not show SVG. Choose the logo as a PNG, twice as wide as it is shown."),
            )
        if self.logo and not self.logo_alt.strip():
            yield "logo_alt", gettext("Say in words what the logo shows: usually the name of the site.")
        for scheme in ("light", "dark"):
            yield from self._unreadable(scheme)

    def _unreadable(self, scheme: str) -> Iterator[tuple[str, str]]:
        for (front, behind), sentence in READABLE.items():
            pair = getattr(self, f"{scheme}_{front}"), getattr(self, f"{scheme}_{behind}")
            if all(map(contrast.is_colour, pair)) and (ratio := contrast.ratio(*pair)) < contrast.ENOUGH:
                yield f"{scheme}_{front}", sentence % {"ratio": _rounded_down(ratio), "needed": contrast.ENOUGH}

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:  # noqa: ARG002
        return rendering.preview_response(rendering.preview(example_content(self.brand), mode=mode_name))


def brand_of(site: Site | None) -> Brand:
    """Return how the mails of `site` look: the default brand where nobody has chosen, in two queries at most."""
    branding = Branding.objects.select_related("site", "logo").filter(site=site).first() if site else None
    return branding.brand if branding else Brand()


def _home_url(site: Site) -> str:
    try:
        return ascii_url(f"{site.root_url}/")
    except ValueError:
        return ""


def _words(source: str) -> str:
    """Return rich text as far as it can stand in every mail: no chips, which only some audiences fill."""
    try:
        refuse_oversized(source)
    except CompileError:
        logger.warning("stored words are too long or nested too deep", extra={"action": "brand"})
        return ""
    return _CHIP.sub("data-none", source) if _TEXT.search(source) else ""


def _rounded_down(ratio: float) -> str:
    """Return 4.499 as 4.49: rounded, it would be what is asked for."""
    return str(number_format(math.floor(ratio * 100) / 100, 2))
