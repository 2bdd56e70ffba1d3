"""A mail as it looks in the light or in the dark, whichever scheme the browser that shows it prefers."""

from __future__ import annotations

import re
from typing import Final, Literal

Scheme = Literal["light", "dark"]

_STYLE: Final = re.compile(r"(<style\b[^>]*>)(.*?)(</style>)", re.IGNORECASE | re.DOTALL)
_PREFERS: Final = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)")
_OFFERS: Final = re.compile(r"(color-scheme\s*:\s*)light dark")
_META: Final = re.compile(r'(<meta\s+name="(?:supported-)?color-schemes?"\s+content=")[^"]*')
#: media queries that always and never match
_ALWAYS: Final = "(min-width:0)"
_NEVER: Final = "(max-width:0)"


def shown_in(html: str, scheme: Scheme) -> str:
    """Return the mail `html` such that every browser shows it in `scheme`."""
    html = _META.sub(lambda meta: meta[1] + scheme, html)
    # What an editor writes about schemes is no style.
    return _STYLE.sub(lambda style: style[1] + _css_in(style[2], scheme) + style[3], html)


def _css_in(css: str, scheme: Scheme) -> str:
    css = _PREFERS.sub(lambda asked: _ALWAYS if asked[1] == scheme else _NEVER, css)
    return _OFFERS.sub(lambda offered: offered[1] + scheme, css)
