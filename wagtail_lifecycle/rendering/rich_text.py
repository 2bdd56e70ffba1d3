"""Wagtail's rich text as clean XHTML and as plain text for mails."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bs4 import BeautifulSoup, NavigableString, Tag
from django.utils.safestring import SafeString, mark_safe
from wagtail.rich_text import features

from wagtail_lifecycle import links
from wagtail_lifecycle.rendering.merge_tags import check_merge_tag
from wagtail_lifecycle.rendering.mjml import refuse_oversized
from wagtail_lifecycle.rendering.pieces import Constant, MergeTag, current_collector

#: attribute of the element that the editor's merge-tag chip is stored as
MERGE_TAG_ATTRIBUTE = "data-merge-tag"
FALLBACK_ATTRIBUTE = "data-fallback"

#: Inline, because several clients drop styles of the head. Colours are those of the brand's light scheme.
STYLES = {
    "p": "margin:0 0 16px",
    "h2": "margin:24px 0 8px;font-size:22px;line-height:1.3",
    "h3": "margin:20px 0 8px;font-size:18px;line-height:1.3",
    "h4": "margin:16px 0 8px;font-size:16px;line-height:1.4",
    "ul": "margin:0 0 16px;padding-inline-start:24px",
    "ol": "margin:0 0 16px;padding-inline-start:24px",
    "li": "margin:0 0 6px",
    "blockquote": "margin:0 0 16px;padding-inline-start:16px;border-inline-start:3px solid {line}",
    "hr": "border:0;border-top:1px solid {line};margin:24px 0",
    "a": "color:{accent};text-decoration:underline",
    "img": "display:block;max-width:100%;height:auto;border:0",
}
_KEPT = {*STYLES, "b", "strong", "i", "em", "u", "s", "del", "code", "sub", "sup", "br", "span"}
_DROPPED = ["script", "style", "iframe", "object", "form", "svg", "template", "title"]
_SCHEMES = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
_BULLET = "• "


def rich_text_html(source: str, *, on_page: bool = False) -> SafeString:
    """Return the marker of `source`, rich text as Wagtail stores it, as XHTML for a mail.

    `on_page` is text of less weight below the card, whose links have the colour of their text.

    Raises CompileError for a merge tag the audience does not offer, and for markup nested too deep.
    """
    soup = _parsed(source)
    palette = current_collector().palette
    colours = {"line": palette.line, "accent": palette.quiet if on_page else palette.accent}
    for tag in soup.find_all(True):
        _clean(tag, colours)
    _close_up(soup)
    return current_collector().add(Constant(soup.decode(formatter="minimal")))


def rich_text_plain(source: str) -> SafeString:
    """Return `source` as plain text, links after their words in angle brackets."""
    soup = _parsed(source)
    for tag in soup.find_all(True):
        _flatten(tag)
    return mark_safe(soup.get_text().strip())  # noqa: S308 - text templates do not escape


def _parsed(source: str) -> BeautifulSoup:
    refuse_oversized(source)
    soup = BeautifulSoup(source, "html.parser")
    for tag in soup(_DROPPED):
        tag.decompose()
    _expand(soup, "a", "linktype", features.get_link_types())
    _expand(soup, "embed", "embedtype", features.get_embed_types())
    _mark_merge_tags(soup)
    return soup


def _expand(soup: BeautifulSoup, name: str, kind: str, handlers: Mapping[str, Any]) -> None:
    """Replace Wagtail's stored references of each type with what they refer to, a query per type."""
    found: dict[str, list[Tag]] = {}
    for tag in soup.find_all(name, attrs={kind: True}):
        found.setdefault(str(tag[kind]), []).append(tag)
    for key, tags in found.items():
        handler = handlers.get(key)
        attributes = [{k: str(v) for k, v in tag.attrs.items()} for tag in tags]
        markup = handler.expand_db_attributes_many(attributes) if handler else [""] * len(tags)
        for tag, expanded in zip(tags, markup, strict=True):
            _replace(tag, BeautifulSoup(expanded, "html.parser").find(True))


def _replace(tag: Tag, expanded: Tag | NavigableString | None) -> None:
    if tag.name == "embed":
        tag.replace_with(expanded or "")
    else:
        tag.attrs = dict(expanded.attrs) if isinstance(expanded, Tag) else {}


def _mark_merge_tags(soup: BeautifulSoup) -> None:
    collector = current_collector()
    for tag in soup.find_all(attrs={MERGE_TAG_ATTRIBUTE: True}):
        merge_tag = MergeTag(str(tag[MERGE_TAG_ATTRIBUTE]), str(tag.get(FALLBACK_ATTRIBUTE, "")))
        check_merge_tag(merge_tag, collector.merge_tags, field="body")
        tag.replace_with(str(collector.add(merge_tag)))


def absolute(url: str) -> str:
    """Return `url` as an absolute one, or "" where it leads nowhere a mail may lead."""
    url = url.strip()
    if _SCHEMES.match(url):
        return url
    return links.absolute(url) if url.startswith("/") and not url.startswith("//") else ""


def _clean(tag: Tag, colours: Mapping[str, str]) -> None:
    """Leave only what mail clients show, with styles inline and URLs absolute."""
    if tag.name not in _KEPT:
        tag.unwrap()
        return
    kept = {"style": STYLES[tag.name].format_map(colours)} if tag.name in STYLES else {}
    if tag.name == "a":
        href = absolute(str(tag.get("href", "")))
        if not href:
            tag.unwrap()
            return
        kept["href"] = href
    if tag.name == "img":
        kept |= {"src": absolute(str(tag.get("src", ""))), "alt": str(tag.get("alt", ""))}
        kept |= {name: str(tag[name]) for name in ("width", "height") if tag.get(name)}
    tag.attrs = kept


def _close_up(soup: BeautifulSoup) -> None:
    """Leave no margin under the last paragraph or list: the block around it has its own."""
    blocks = [tag for tag in soup.find_all(True, recursive=False) if "margin:" in str(tag.get("style", ""))]
    if blocks:
        blocks[-1]["style"] = f"{blocks[-1]['style']};margin-bottom:0"


def _flatten(tag: Tag) -> None:
    if tag.name == "a":
        href = absolute(str(tag.get("href", "")))
        if href and href != tag.get_text():
            tag.append(f" <{href.removeprefix('mailto:')}>")
    elif tag.name == "img":
        tag.replace_with(f"[{tag['alt']}]" if tag.get("alt") else "")
    elif tag.name == "br":
        tag.replace_with("\n")
    elif tag.name == "hr":
        tag.replace_with("\n---\n")
    elif tag.name == "li":
        tag.insert(0, _bullet(tag))
        tag.append("\n")
    elif tag.name in {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote"}:
        tag.append("\n\n")


def _bullet(item: Tag) -> str:
    if item.parent is None or item.parent.name != "ol":
        return _BULLET
    return f"{len(list(item.find_previous_siblings('li'))) + 1}. "
