"""Checks of what readers see: pictures, colours, and what their mail program leaves out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bs4 import NavigableString, Tag
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.images.models import AbstractImage

from wagtail_lifecycle import contrast, links
from wagtail_lifecycle.preflight import clients
from wagtail_lifecycle.preflight.base import Check, Fault
from wagtail_lifecycle.registry import register_check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wagtail_lifecycle.preflight.flights import Flight

#: A picture that a telephone loads in about a second.
HEAVY: Final = 1_000_000
#: All pictures of a mail together.
HEAVY_TOGETHER: Final = 3_000_000
#: Large text needs less (WCAG 2.2, 1.4.3): from 24 pixels, or bold from 18.66.
LARGE_ENOUGH: Final = 3.0
DECLARATION: Final = re.compile(
    r"(?:^|;)\s*(background-color|background|color|display|font-size|font-weight)\s*:\s*([^;]+)"
)
#: Spaces that keep cells open.
BLANK: Final = " \n\t\u00a0\u200a"
COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}\b")


@register_check
class AltMissing(Check):
    name = "alt_missing"
    passed = gettext_lazy("Every picture has a text for those who do not see it.")
    remedy = gettext_lazy("Describe the picture, or say that it is decorative; one that is a link always needs words.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        for item in flight.items:
            image = item.value
            is_told = getattr(image, "contextual_alt_text", "") or getattr(image, "decorative", False)
            if isinstance(image, AbstractImage) and not is_told:
                sentence = _("The picture “%(title)s” has no text for those who do not see it.")
                yield Fault(sentence % {"title": image.title}, block_id=item.block_id)
        for tag in flight.soup.find_all("img"):
            if tag.get("alt") is None:
                yield Fault(_("A picture has no text for those who do not see it."))
            elif not tag["alt"] and _is_only_content_of_link(tag):
                yield Fault(_("A picture is a link, but has no words that say where it leads."))


def _is_only_content_of_link(picture: Tag) -> bool:
    link = picture.find_parent("a")
    return link is not None and not link.get_text(strip=True)


@register_check
class ImagesHeavy(Check):
    name = "images_heavy"
    passed = gettext_lazy("The pictures load fast.")
    remedy = gettext_lazy("Choose a smaller picture, or save it as JPEG.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        total = 0
        for item in flight.items:
            size = _weight(item.value, flight.html) if isinstance(item.value, AbstractImage) else 0
            total += size
            if size > HEAVY:
                sentence = _("The picture “%(title)s” has %(size)s, which telephones load slowly.")
                words = {"title": item.value.title, "size": filesizeformat(size)}
                yield Fault(sentence % words, block_id=item.block_id)
        if total > HEAVY_TOGETHER:
            sentence = _("The pictures have %(size)s together, which telephones load slowly.")
            yield Fault(sentence % {"size": filesizeformat(total)})


def _weight(image: Any, html: str) -> int:
    """Return the octets of what the mail shows of `image`: the largest of its renditions that stands in it."""
    return max((_size(each) for each in image.renditions.all() if links.absolute(each.url) in html), default=0)


def _size(rendition: Any) -> int:
    try:
        return int(rendition.file.size)
    except OSError:
        # Gone, or out of reach: the mail goes without it.
        return 0


@register_check
class ContrastLow(Check):
    name = "contrast_low"
    passed = gettext_lazy("Text stands out from what is behind it.")
    remedy = gettext_lazy("Choose a darker colour for the text, or a lighter one behind it.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        found = {pair for tag in flight.soup.find_all(True) if _has_words(tag) and (pair := _too_close(tag))}
        for text, behind in sorted(found):
            sentence = _("Text in %(text)s on %(behind)s has a contrast of %(ratio).1f; %(enough)s is readable.")
            ratio = contrast.ratio(text, behind)
            yield Fault(sentence % {"text": text, "behind": behind, "ratio": ratio, "enough": contrast.ENOUGH})
        dark = flight.content.brand.dark
        for text, behind in [(dark.text, dark.card), (dark.quiet, dark.page), (dark.on_accent, dark.accent)]:
            if contrast.ratio(text, behind) < contrast.ENOUGH:
                sentence = _("In the dark scheme text in %(text)s on %(behind)s is hard to read.")
                yield Fault(sentence % {"text": text, "behind": behind})


def _has_words(tag: Tag) -> bool:
    # Exactly this class: comments, which Outlook reads, are another one, and so is the text of styles.
    return any(type(child) is NavigableString and child.strip(BLANK) for child in tag.children) and tag.name != "title"


def _too_close(tag: Tag) -> tuple[str, str] | None:
    """Return colour and background of a text that is hard to read; None where it is not, or where they are unknown."""
    style = _style_of(tag)
    if style.get("display") == "none":
        return None
    text, behind = style.get("color", ""), style.get("background", "")
    if not (contrast.is_colour(text) and contrast.is_colour(behind)) or _pixels(style) == 0:
        return None
    enough = LARGE_ENOUGH if _is_large(style) else contrast.ENOUGH
    return (text.lower(), behind.lower()) if contrast.ratio(text, behind) < enough else None


def _style_of(tag: Tag) -> dict[str, str]:
    """Return what holds for a tag of the declarations on it and above it, the nearest first."""
    style: dict[str, str] = {}
    for each in [tag, *tag.parents]:
        declared = {name: value.strip() for name, value in DECLARATION.findall(str(each.get("style", "")))}
        behind = declared.pop("background-color", "") or declared.pop("background", "") or str(each.get("bgcolor", ""))
        if colour := COLOUR.search(behind):
            declared["background"] = colour[0]
        style = declared | style
    return style


def _pixels(style: dict[str, str]) -> float:
    found = re.match(r"([\d.]+)px", style.get("font-size", ""))
    return float(found[1]) if found else 16


def _is_large(style: dict[str, str]) -> bool:
    is_bold = style.get("font-weight", "") in {"bold", "600", "700", "800", "900"}
    return _pixels(style) >= (18.66 if is_bold else 24)


@register_check
class ClientSupport(Check):
    name = "client_support"
    passed = gettext_lazy("The large mail programs show everything that the blocks use.")
    remedy = gettext_lazy(
        "Ask who wrote the block's template for another way, or see that the mail reads well without it."
    )

    def find(self, flight: Flight) -> Iterator[Fault]:
        for feature in clients.ignored_in(flight.soup):
            sentence = _("%(clients)s: ignored is “%(feature)s”, which this mail uses.")
            yield Fault(sentence % {"clients": ", ".join(feature.ignored_by), "feature": feature.title})
