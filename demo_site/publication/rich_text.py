"""Markdown to what the Wagtail editor would store: anything else a source contains is left out."""

from collections.abc import Iterator
from html import escape
from typing import Protocol
from urllib.parse import urlsplit

import markdown
from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, PreformattedString, Tag
from wagtail.admin.rich_text.converters.contentstate import ContentstateConverter

from demo_site.publication.models import BODY_FEATURES

EXTENSIONS = ["fenced_code", "tables", "sane_lists", "footnotes"]
EXTERNAL = {"http", "https", "mailto", "tel"}

INLINE = {
    "b": "b",
    "strong": "b",
    "i": "i",
    "em": "i",
    "cite": "i",
    "code": "code",
    "kbd": "code",
    "tt": "code",
}
HEADINGS = {"h1": "h2", "h2": "h2", "h3": "h3", "h4": "h4", "h5": "h4", "h6": "h4"}
TRANSPARENT = {
    *("p", "div", "section", "article", "aside", "figure", "figcaption", "header", "footer", "main"),
    *("center", "dl", "dt", "dd", "details", "summary", "address"),
}
#: Their content is not text for people either.
DROPPED = {
    *(
        "script",
        "style",
        "iframe",
        "object",
        "applet",
        "svg",
        "math",
        "template",
        "noscript",
        "title",
    ),
    *("form", "input", "button", "select", "textarea", "audio", "video", "canvas", "link", "meta", "base"),
}


class TooDeepError(ValueError):
    """The source is nested deeper than any text for people."""


class Site(Protocol):
    """Where the links and pictures of a text lead."""

    def page_id(self, address: str) -> int | None:
        """Return the page behind an address without a host."""

    def picture_id(self, address: str) -> int | None:
        """Return the picture of ours behind an address."""


class NoSite:
    """For texts that lead nowhere on the site."""

    def page_id(self, address: str) -> int | None:  # noqa: ARG002 - the interface
        return None

    def picture_id(self, address: str) -> int | None:  # noqa: ARG002 - the interface
        return None


def from_markdown(text: str, site: Site | None = None) -> str:
    """Return rich text in the database's format, as the editor would store it. Raises TooDeepError."""
    try:
        soup = BeautifulSoup(markdown.markdown(text, extensions=EXTENSIONS), "html.parser")
        html = "".join(Writer(site or NoSite()).blocks(soup, "p"))
        converter = ContentstateConverter(features=BODY_FEATURES)
        return converter.to_database_format(converter.from_database_format(html))
    except RecursionError as error:
        raise TooDeepError("The text is nested too deeply to be converted.") from error


class Writer:
    """Writes the few elements that rich text has, flat, as the editor's format wants them."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def blocks(self, parent: Tag, kind: str) -> Iterator[str]:
        """Yield the blocks below `parent`; loose text becomes blocks of this kind."""
        run: list[str] = []
        for child in parent.children:
            if not is_block(child):
                run.append(self.inline(child))
                continue
            yield from wrap(run, kind)
            run = []
            yield from self.block(child, kind)
        yield from wrap(run, kind)

    def block(self, tag: Tag, kind: str) -> Iterator[str]:
        if tag.name in HEADINGS:
            yield from wrap([self.inlines(tag)], HEADINGS[tag.name])
        elif tag.name == "blockquote":
            yield from self.blocks(tag, "blockquote")
        elif tag.name in {"ul", "ol"}:
            yield self.list(tag)
        elif tag.name == "pre":
            yield from wrap([code_lines(tag)], "p")
        elif tag.name == "table":
            yield from self.rows(tag)
        elif tag.name == "hr":
            yield "<hr/>"
        elif tag.name == "img":
            yield from self.picture(tag)
        else:
            yield from self.blocks(tag, kind)

    def list(self, tag: Tag) -> str:
        items = "".join(self.item(child) for child in tag.find_all("li", recursive=False))
        return f"<{tag.name}>{items}</{tag.name}>" if items else ""

    def item(self, tag: Tag) -> str:
        nested = [child for child in tag.children if isinstance(child, Tag) and child.name in {"ul", "ol"}]
        own = [child for child in tag.children if child not in nested]
        text = "".join(self.inline(child) for child in own).strip()
        return f"<li>{text}{''.join(self.list(child) for child in nested)}</li>"

    def rows(self, table: Tag) -> Iterator[str]:
        for row in table.find_all("tr"):
            cells = [self.inlines(cell).strip() for cell in row.find_all(["th", "td"], recursive=False)]
            yield from wrap([" · ".join(filter(None, cells))], "p")

    def picture(self, tag: Tag) -> Iterator[str]:
        picture = self.site.picture_id(str(tag.get("src", "")))
        if picture is not None:
            alt = escape(str(tag.get("alt", "")))
            yield f'<embed embedtype="image" id="{picture}" format="fullwidth" alt="{alt}"/>'

    def inlines(self, tag: Tag) -> str:
        return "".join(map(self.inline, tag.children))

    def inline(self, node: PageElement) -> str:
        if isinstance(node, NavigableString):
            # Comments, declarations and the like are strings of a special kind.
            return "" if isinstance(node, PreformattedString) else escape(str(node), quote=False)
        if not isinstance(node, Tag) or node.name in DROPPED or node.name == "img":
            return ""
        if node.name == "br":
            return "<br/>"
        content = self.inlines(node)
        if node.name == "a":
            return self.link(str(node.get("href", "")), content)
        style = INLINE.get(node.name)
        return f"<{style}>{content}</{style}>" if style and content.strip() else content

    def link(self, address: str, content: str) -> str:
        scheme = scheme_of(address)
        if not content.strip() or scheme is None:
            return content
        if scheme in EXTERNAL:
            return f'<a href="{escape(address.strip())}">{content}</a>'
        page = None if scheme else self.site.page_id(address)
        return f'<a linktype="page" id="{page}">{content}</a>' if page else content


def is_block(node: PageElement) -> bool:
    if not isinstance(node, Tag):
        return False
    if node.name in {"blockquote", "ul", "ol", "pre", "table", "hr", "img", *HEADINGS, *TRANSPARENT}:
        return True
    # A linked picture: the link would lead to the picture's own file.
    return node.name in {"a", "span", "picture"} and node.find("img") is not None


def scheme_of(address: str) -> str | None:
    """Return the scheme, empty for an address on the site, None for what is no address."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return None
    return parts.scheme.lower() or ("https" if parts.netloc else "")


def wrap(run: list[str], kind: str) -> Iterator[str]:
    text = "".join(run).strip()
    if text:
        yield f"<{kind}>{text}</{kind}>"


def code_lines(tag: Tag) -> str:
    lines = tag.get_text().strip("\n").splitlines()
    return "<code>" + "<br/>".join(escape(line, quote=False) for line in lines) + "</code>"
