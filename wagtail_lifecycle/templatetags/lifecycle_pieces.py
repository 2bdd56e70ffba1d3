"""Filters that every `personal` piece knows without loading anything."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from wagtail_lifecycle.rendering.remembering import remembered

register = template.Library()

#: colour on white and the class that dark mode recolours
RISING, FALLING, LEVEL = ("#1d7a3e", "wl-up"), ("#a4262c", "wl-down"), ("#52606d", "wl-quiet")


@register.filter
@remembered
def signed(change: int) -> str:
    """Write a change in per cent with its sign: "+12%"."""
    sign = "+" if change > 0 else "\N{MINUS SIGN}" if change < 0 else "\N{PLUS-MINUS SIGN}"
    return _("%(sign)s%(number)d%%") % {"sign": sign, "number": abs(change)}


@register.filter
@remembered
def change_html(change: int) -> SafeString:
    """Write a change in per cent, coloured; the sign says it without the colour."""
    colour, name = RISING if change > 0 else FALLING if change < 0 else LEVEL
    return format_html(
        '<span style="font-size:13px;color:{}" class="{}" dir="ltr">{}</span>', colour, name, signed(change)
    )
