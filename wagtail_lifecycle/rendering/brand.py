"""What the mails of one site look like, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

#: A stack of fonts that every system has one of.
SYSTEM_FONTS: Final = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


@dataclass(frozen=True, kw_only=True)
class Palette:
    """The colours of one scheme, each "#rrggbb"."""

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
    #: a CSS list of font families
    fonts: str = SYSTEM_FONTS
    #: absolute URL of the logo; empty where there is none, and the sender's name stands there
    logo_url: str = ""
    logo_alt: str = ""
    #: in pixels
    logo_width: int = 0
    #: rich text above the body; empty means none
    header: str = ""
    #: rich text under the body, before what the law asks for; empty means none
    footer: str = ""
    #: empty means the sender's
    postal_address: str = ""
