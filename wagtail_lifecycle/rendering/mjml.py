"""MJML to HTML, with the guards that mjml-python 1.4 needs."""

from __future__ import annotations

import re
from html import unescape

import mjml
from django.utils.html import escape
from django.utils.translation import gettext as _

from wagtail_lifecycle.exceptions import CompileError
from wagtail_lifecycle.rendering.pieces import Collector, Constant

#: About 10,000 nested tags kill the process (SIGSEGV in the parser); no mail needs a hundredth of that.
MAX_DEPTH = 100
MAX_BYTES = 1_000_000

# The parser takes nearly anything for a name, so the guard does too.
_TAG = re.compile(r"""<(/?)([^\s<>/!?"'=][^\s<>/"'=]*)((?:"[^"]*"|'[^']*'|[^<>"'])*)>""")
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
_ATTRIBUTE = re.compile(r"""(\s[\w:-]+=)"([^"]*)\"""")
# MJML writes attributes with Rust's debug form (a no-break space becomes \u{a0}); entities go the same way.
_UNSAFE_IN_ATTRIBUTE = re.compile(r"[^\x20-\x7e]|[\\&]")


def depth_of(markup: str) -> int:
    """Return how deep the tags of `markup` nest, an unclosed tag counting as open to the end."""
    depth = deepest = 0
    for closing, name, rest in _TAG.findall(_without_comments(markup)):
        if closing:
            depth = max(0, depth - 1)
        elif not rest.endswith("/") and name.lower() not in _VOID:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def _without_comments(markup: str) -> str:
    """Cut comments out; by hand, because a regular expression takes quadratic time for comments left open."""
    parts, end = [], 0
    while (start := markup.find("<!--", end)) >= 0 and (closing := markup.find("-->", start)) >= 0:
        parts.append(markup[end:start])
        end = closing + len("-->")
    return "".join([*parts, markup[end:]])


def refuse_oversized(markup: str, *, field: str = "body") -> None:
    """Raise CompileError for markup that is too long or nested too deep for a parser to survive."""
    if len(markup) > MAX_BYTES:
        raise CompileError(
            _("The content has %(size)d characters; at most %(allowed)d are possible. Shorten it.")
            % {"size": len(markup), "allowed": MAX_BYTES},
            field=field,
        )
    if markup.count("<") > MAX_DEPTH and depth_of(markup) > MAX_DEPTH:
        raise CompileError(
            _("The content nests tags more than %(allowed)d levels deep. Paste it as plain text instead.")
            % {"allowed": MAX_DEPTH},
            field=field,
        )


def shield_attributes(markup: str, collector: Collector) -> str:
    """Let attribute values that MJML would damage go around it, as constants behind markers."""

    def shield(match: re.Match[str]) -> str:
        name, value = match.groups()
        if not _UNSAFE_IN_ATTRIBUTE.search(value):
            return match[0]
        return f'{name}"{collector.add(Constant(escape(unescape(value))))}"'

    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(shield, tag[0]) if tag[2].startswith("mj") else tag[0], markup)


def to_html(markup: str) -> str:
    """Convert MJML to HTML. Raises CompileError for anything mjml-python refuses."""
    refuse_oversized(markup)
    try:
        return str(mjml.mjml2html(markup, fonts={}, disable_comments=True))
    except ValueError as error:
        raise CompileError(
            _("The mail cannot be built from these blocks: %(reason)s.") % {"reason": error}, field="body"
        ) from error
