"""HTML and CSS that large mail programs ignore: a few features out of 300 of caniemail.com (MIT).

Only what a block may be tempted to use, and where the mail loses something. Kept by hand; a test compares it with the
data of caniemail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bs4 import BeautifulSoup

#: Names for people, by family and platform at caniemail.
CLIENTS: Final = {
    ("gmail", "desktop-webmail"): "Gmail",
    ("outlook", "windows"): "Outlook for Windows",
    ("outlook", "outlook-com"): "Outlook.com",
    ("yahoo", "desktop-webmail"): "Yahoo Mail",
}
GMAIL, OUTLOOK, OUTLOOK_COM, YAHOO = CLIENTS.values()
ALL: Final = tuple(CLIENTS.values())


#: How MJML hides the preheader, with all that any client could want for it.
HIDDEN: Final = re.compile(r"display\s*:\s*none")


@dataclass(frozen=True)
class Feature:
    """Something that at least one of the large clients does not show."""

    #: of caniemail
    slug: str
    #: what people call it
    title: str
    ignored_by: tuple[str, ...]
    #: name of a tag, or a pattern of a declaration in a `style` attribute
    tag: str = ""
    style: str = ""


FEATURES: Final = (
    Feature("html-video", "<video>", ALL, tag="video"),
    Feature("html-audio", "<audio>", ALL, tag="audio"),
    Feature("html-svg", "<svg>", ALL, tag="svg"),
    Feature("html-object", "<object>", ALL, tag="object"),
    Feature("html-dialog", "<dialog>", ALL, tag="dialog"),
    Feature("html-picture", "<picture>", ALL, tag="picture"),
    Feature("html-progress", "<progress>", ALL, tag="progress"),
    Feature("html-meter", "<meter>", (GMAIL, OUTLOOK, YAHOO), tag="meter"),
    Feature("html-form", "<form>", (OUTLOOK,), tag="form"),
    Feature("html-marquee", "<marquee>", (GMAIL, OUTLOOK), tag="marquee"),
    Feature("css-position", "position", (GMAIL, OUTLOOK), style=r"position\s*:\s*(?:absolute|fixed|sticky|relative)"),
    Feature("css-display-grid", "display: grid", (GMAIL, OUTLOOK, YAHOO), style=r"display\s*:\s*(?:inline-)?grid"),
    Feature("css-display-flex", "display: flex", (OUTLOOK,), style=r"display\s*:\s*(?:inline-)?flex"),
    Feature("css-animation", "animation", ALL, style=r"animation(?:-name)?\s*:"),
    Feature("css-transform", "transform", ALL, style=r"(?<![\w-])transform\s*:"),
    Feature("css-filter", "filter", ALL, style=r"(?<![\w-])filter\s*:"),
    Feature("css-clip-path", "clip-path", ALL, style=r"clip-path\s*:"),
    Feature("css-variables", "var()", ALL, style=r"var\(\s*--"),
    Feature("css-unit-calc", "calc()", (OUTLOOK, OUTLOOK_COM, YAHOO), style=r"calc\("),
    Feature("css-box-shadow", "box-shadow", (GMAIL, OUTLOOK, YAHOO), style=r"box-shadow\s*:"),
    Feature("css-text-shadow", "text-shadow", (GMAIL, OUTLOOK, OUTLOOK_COM), style=r"text-shadow\s*:"),
    Feature("css-opacity", "opacity", (OUTLOOK,), style=r"(?<![\w-])opacity\s*:"),
    Feature("css-object-fit", "object-fit", (OUTLOOK, YAHOO), style=r"object-fit\s*:"),
    Feature("css-mix-blend-mode", "mix-blend-mode", (OUTLOOK, YAHOO), style=r"mix-blend-mode\s*:"),
    Feature("css-linear-gradient", "linear-gradient()", (OUTLOOK, OUTLOOK_COM, YAHOO), style=r"linear-gradient\("),
    Feature("css-visibility", "visibility", (GMAIL, OUTLOOK), style=r"(?<![\w-])visibility\s*:"),
)


def ignored_in(soup: BeautifulSoup) -> Iterator[Feature]:
    """Yield the features that the mail uses."""
    styles = "\n".join(style for tag in soup.find_all(style=True) if not HIDDEN.search(style := str(tag["style"])))
    for feature in FEATURES:
        if (feature.tag and soup.find(feature.tag)) or (feature.style and re.search(feature.style, styles)):
            yield feature
