"""What the mails of one site look like, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Final

from wagtail_lifecycle import contrast

#: A stack of fonts that every system has one of.
SYSTEM_FONTS: Final = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
#: Lists of fonts that computers and telephones have, by the key that is stored; mail programs load no others.
FONTS: Final = {
    "system": SYSTEM_FONTS,
    "helvetica": "'Helvetica Neue', Helvetica, Arial, sans-serif",
    "verdana": "Verdana, Geneva, 'DejaVu Sans', sans-serif",
    "trebuchet": "'Trebuchet MS', 'Lucida Grande', 'Lucida Sans Unicode', Tahoma, sans-serif",
    "georgia": "Georgia, 'Times New Roman', Times, serif",
    "palatino": "'Palatino Linotype', Palatino, 'Book Antiqua', Georgia, serif",
    "courier": "'Courier New', Courier, monospace",
}
#: How much of the accent a note may have.
TINTS: Final = (0.1, 0.05)
#: What rose and what fell, on a light and on a dark card.
RISING: Final = ("#1d7a3e", "#6fcf8f")
FALLING: Final = ("#a4262c", "#f29a94")


@dataclass(frozen=True, kw_only=True)
class Palette:
    """The colours of one scheme. Raises ValueError for what is not written "#rrggbb": templates put them into CSS."""

    #: behind everything
    page: str = "#f2f4f6"
    #: behind the body of the mail
    card: str = "#ffffff"
    text: str = "#1f2933"
    #: text of less weight, also on `page`
    quiet: str = "#52606d"
    line: str = "#dfe3e8"
    #: links and buttons
    accent: str = "#00686b"
    #: text on `accent`
    on_accent: str = "#ffffff"

    def __post_init__(self) -> None:
        for each in fields(self):
            if not contrast.is_colour(colour := getattr(self, each.name)):
                raise ValueError(f"{each.name} is {colour!r}; write it as #rrggbb.")

    @property
    def note(self) -> str:
        """Behind a call-out: the card with as much of the accent as lets people read what stands there."""
        tints = (contrast.mixed(self.card, self.accent, share=share) for share in TINTS)
        return next(filter(self._lets_read, tints), self.card)

    def _lets_read(self, behind: str) -> bool:
        fronts = (self.text, self.quiet, self.accent)
        return min(contrast.ratio(front, behind) for front in fronts) >= contrast.ENOUGH

    @property
    def track(self) -> str:
        """Behind a bar that shows a share."""
        return contrast.mixed(self.card, self.text, share=0.1)

    @property
    def rising(self) -> str:
        return contrast.clearest(RISING, on=self.card)

    @property
    def falling(self) -> str:
        return contrast.clearest(FALLING, on=self.card)


DARK: Final = Palette(
    page="#14181d",
    card="#1f262d",
    text="#e6eaee",
    quiet="#a7b1bc",
    line="#3b4550",
    accent="#4fb8bb",
    on_accent="#10161b",
)


@dataclass(frozen=True, kw_only=True)
class Brand:
    """How a site's mails look. Templates read it as `brand`."""

    light: Palette = field(default_factory=Palette)
    dark: Palette = DARK
    #: a CSS list of font families, names of several words in single quotes
    fonts: str = SYSTEM_FONTS
    #: absolute URL of the logo; empty where there is none, and the sender's name stands there
    logo_url: str = ""
    logo_alt: str = ""
    #: in pixels
    logo_width: int = 0
    #: absolute URL of the site's home page, where the logo leads; empty where it leads nowhere
    home_url: str = ""
    #: rich text above the body; empty means none
    header: str = ""
    #: rich text under the body, before what the law asks for; empty means none
    footer: str = ""
    #: empty means the sender's
    postal_address: str = ""
