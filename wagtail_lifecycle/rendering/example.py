"""A mail with a bit of everything, to show a brand by."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from wagtail_lifecycle.blocks import EmailBodyBlock
from wagtail_lifecycle.rendering.brand import Brand
from wagtail_lifecycle.rendering.content import Content


def example_content(brand: Brand) -> Content:
    """Return what a mail in `brand` is made of, in the language of the reader."""
    return Content(
        campaign_id=0,
        subject=_("What mails of this site look like"),
        preheader=_("An example with a heading, text, a button, a note and numbers."),
        body=EmailBodyBlock().to_python([{"type": name, "value": value} for name, value in _blocks()]),
        language=get_language() or "",
        sender="",
        audience="",
        # Only mails with a topic show the way out.
        topic=_("News"),
        brand=brand,
    )


def _blocks() -> list[tuple[str, dict[str, Any]]]:
    text = format_html(
        '<p>{} <a href="https://example.org/">{}</a></p>',
        _("This is what text looks like in a mail of this site. Links stand out by their colour and their line:"),
        _("read the whole story"),
    )
    note = format_html("<p>{}</p>", _("A call-out holds what must not be overlooked."))
    return [
        ("heading", {"text": _("Good morning"), "size": "large"}),
        ("rich_text", {"text": text}),
        ("button", {"text": _("Read the story"), "page": None, "url": "https://example.org/"}),
        ("call_out", {"tone": "info", "text": note}),
        ("divider", {}),
        ("page_views", {"heading": _("Views of your pages"), "when_empty": ""}),
    ]
