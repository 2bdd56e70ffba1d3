"""A mail as it looks in the light or in the dark, whichever scheme the browser that shows it prefers."""

from __future__ import annotations

import re
from typing import Final, Literal

Scheme = Literal["light", "dark"]

_PREFERS: Final = re.compile(r"\(prefers-color-scheme:\s*(light|dark)\)")
#: media queries that always and never match
_ALWAYS: Final = "(min-width:0)"
_NEVER: Final = "(max-width:0)"


def shown_in(html: str, scheme: Scheme) -> str:
    """Return the mail `html` such that every browser shows it in `scheme`."""
    return _PREFERS.sub(lambda asked: _ALWAYS if asked[1] == scheme else _NEVER, html)
