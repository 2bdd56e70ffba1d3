"""A field of rich text that takes what a browser never sends."""

from __future__ import annotations

import json
from typing import Any, Final

from wagtail.blocks import RichTextBlock

#: Draftail itself stops at four levels of lists; thousands of them would end Python's recursion.
MAX_DEPTH: Final = 10


class BoundedRichTextBlock(RichTextBlock):
    """Wagtail's, with lists nested no deeper than they can be read."""

    def value_from_datadict(self, data: Any, files: Any, prefix: str) -> Any:
        return super().value_from_datadict({prefix: flattened(data.get(prefix))}, files, prefix)

    def deconstruct(self) -> Any:
        # Blocks of ours are in no migration; a site's own may hold this one as Wagtail's.
        return ("wagtail.blocks.RichTextBlock", *super().deconstruct()[1:])


def flattened(posted: str | None) -> str | None:
    """Return content as Draftail posts it, without lists that nest too deep; nothing where it is no such content."""
    if not posted:
        return posted
    try:
        content = json.loads(posted)
        blocks = (content or {}).get("blocks", [])
        for block in blocks:
            block["depth"] = min(int(block.get("depth") or 0), MAX_DEPTH)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return json.dumps(content)
