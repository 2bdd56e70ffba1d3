"""What stands in a body, whatever blocks it is made of: each value with its block."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from bs4 import BeautifulSoup
from wagtail import blocks
from wagtail.documents.blocks import DocumentChooserBlock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: the field of a block that takes a typed address
ADDRESS: Final = "url"
PAGE, DOCUMENT = "page", "document"


@dataclass(frozen=True)
class Item:
    """A value that no further blocks are in."""

    #: of the innermost block that has one
    block_id: str
    #: what the field of its block is called
    name: str
    block: Any
    value: Any


@dataclass(frozen=True)
class Link:
    """Where a piece of the body leads, as it is stored."""

    block_id: str
    #: the typed address; None where something of the site was chosen
    address: str | None = None
    #: PAGE or DOCUMENT, and the primary key of what was chosen
    kind: str = ""
    pk: str = ""
    #: what people read and press
    words: str = ""
    #: whether it shows a picture instead of words
    is_picture: bool = False


def items(body: Iterable[Any]) -> list[Item]:
    """Return every value of `body`, a StreamValue or a list of bound blocks."""
    return [item for child in body for item in _items(child.block, child.value, child.id or "", "")]


def _items(block: Any, value: Any, block_id: str, name: str) -> Iterator[Item]:
    if value is None:
        return
    if isinstance(block, blocks.StreamBlock):
        for child in value:
            yield from _items(child.block, child.value, child.id or block_id, name)
    elif isinstance(block, blocks.StructBlock) and isinstance(value, dict):
        for key, child in block.child_blocks.items():
            yield from _items(child, value.get(key), block_id, key)
    elif isinstance(block, blocks.ListBlock):
        for each in value:
            yield from _items(block.child_block, each, block_id, name)
    else:
        yield Item(block_id, name, block, value)


def links(body: Any) -> list[Link]:
    """Return where the body leads: typed addresses, links in rich text, and what was chosen of the site."""
    found = [link for item in items(body) for link in _links_of(item)]
    return found + list(_chosen(body))


def _links_of(item: Item) -> Iterator[Link]:
    if isinstance(item.block, blocks.RichTextBlock):
        yield from _links_in(item)
    elif item.value and (isinstance(item.block, blocks.URLBlock) or item.name == ADDRESS):
        yield Link(item.block_id, address=str(item.value))


def _links_in(item: Item) -> Iterator[Link]:
    for tag in parsed(source_of(item.value)).find_all("a"):
        words = " ".join(tag.get_text(" ").split())
        kind, pk = str(tag.get("linktype", "")), str(tag.get("id", ""))
        is_picture = tag.find(["img", "embed"]) is not None
        if kind in {PAGE, DOCUMENT}:
            yield Link(item.block_id, kind=kind, pk=pk, words=words, is_picture=is_picture)
        elif not kind:
            yield Link(item.block_id, address=str(tag.get("href", "")), words=words, is_picture=is_picture)


def source_of(value: Any) -> str:
    """Return rich text as it is stored."""
    return str(getattr(value, "source", value) or "")


@lru_cache(maxsize=128)
def parsed(markup: str) -> BeautifulSoup:
    return BeautifulSoup(markup, "html.parser")


def _chosen(body: Any) -> Iterator[Link]:
    """Yield the pages and documents that were chosen, from the stored form: read, one that is gone leaves nothing."""
    if isinstance(body, blocks.StreamValue):
        yield from _chosen_in(body.stream_block, list(body.raw_data), "")


def _chosen_in(block: Any, raw: Any, block_id: str) -> Iterator[Link]:
    if raw in (None, ""):
        return
    if isinstance(block, blocks.PageChooserBlock):
        yield Link(block_id, kind=PAGE, pk=str(raw))
    elif isinstance(block, DocumentChooserBlock):
        yield Link(block_id, kind=DOCUMENT, pk=str(raw))
    for child, value, own_id in _children(block, raw):
        yield from _chosen_in(child, value, own_id or block_id)


def _children(block: Any, raw: Any) -> Iterator[tuple[Any, Any, str]]:
    """Yield what is stored inside a block, each with its block and its id."""
    if isinstance(block, blocks.StructBlock) and isinstance(raw, dict):
        yield from ((child, raw.get(name), "") for name, child in block.child_blocks.items())
    elif isinstance(block, blocks.ListBlock) and isinstance(raw, list):
        yield from ((block.child_block, each["value"] if _is_item(each) else each, "") for each in raw)
    elif isinstance(block, blocks.StreamBlock) and isinstance(raw, list):
        known = block.child_blocks
        yield from ((known[each["type"]], each["value"], each.get("id") or "") for each in raw if each["type"] in known)


def _is_item(raw: Any) -> bool:
    return isinstance(raw, dict) and raw.keys() >= {"type", "value"}
