"""Text of values and messages, as Django's nodes would write it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from html import escape
from typing import Any

from django.conf import settings
from django.template import Context
from django.template.base import Node, render_value_in_context
from django.utils import translation
from django.utils.safestring import SafeString

from wagtail_lifecycle.rendering.lookups import plain


@lru_cache(maxsize=2)
def shower(*, autoescape: bool) -> Callable[[Any], str]:
    """Return what makes text of a value: escaped where that is asked, numbers and dates in the language's way."""
    context = Context(autoescape=autoescape)
    escaped = escape if autoescape else str

    def show(value: Any) -> str:
        kind = type(value)
        if kind is str:
            return escaped(value)
        if kind is SafeString:
            return str(value)
        if kind is int and not settings.USE_THOUSAND_SEPARATOR:
            return str(value)
        return str(render_value_in_context(plain(value), context))

    return show


@lru_cache(maxsize=256)
def shown(function: Callable[[Any], Any], *, autoescape: bool) -> Callable[[Any], Any]:
    """Return what filters a value and makes a plain string of text; what is no text stays as it is."""
    show = shower(autoescape=autoescape)

    def filtered(value: Any) -> Any:
        result = function(value)
        # A safe string is one no more: its text is what is remembered.
        return str.__str__(show(result)) if isinstance(result, str) else result

    return filtered


def translated(node: Node, autoescape: bool) -> str:  # noqa: FBT001 - a key of what is remembered has no names
    """Return the text of a `translate` tag that names no value."""
    return str(node.render(Context(autoescape=autoescape)))


def message(singular: str) -> str:
    """Return the translation of a message without values."""
    return translation.gettext(singular) % {}


def plural_message(singular: str, plural: str, count: int) -> str:
    return translation.ngettext(singular, plural, count) % {}
