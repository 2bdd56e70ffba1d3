"""Blocks that say the same to everybody."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail import blocks as wagtail_blocks

from wagtail_lifecycle.blocks.base import EmailBlock
from wagtail_lifecycle.blocks.groups import LAYOUT, TEXT, template
from wagtail_lifecycle.blocks.rich_text import BoundedRichTextBlock
from wagtail_lifecycle.registry import register_block

RICH_TEXT_FEATURES = [
    "h2", "h3", "bold", "italic", "ol", "ul", "hr", "link", "document-link", "merge-tag",
]  # fmt: skip


@register_block
class HeadingBlock(EmailBlock):
    name = "heading"
    says_something = False

    text = wagtail_blocks.CharBlock(label=_("Text"), max_length=200)
    size = wagtail_blocks.ChoiceBlock(
        label=_("Size"), choices=[("large", _("Large")), ("medium", _("Medium"))], default="large"
    )

    class Meta:
        template = template("heading")
        icon = "title"
        label = _("Heading")
        group = TEXT
        description = _("A line that says what follows.")
        preview_value = {"text": "Your week in numbers", "size": "large"}


@register_block
class RichTextBlock(EmailBlock):
    name = "rich_text"

    text = BoundedRichTextBlock(label=_("Text"), features=RICH_TEXT_FEATURES)

    class Meta:
        template = template("rich_text")
        icon = "pilcrow"
        label = _("Text")
        group = TEXT
        description = _("Paragraphs, lists and links, with the reader's name where you want it.")
        preview_value = {
            "text": '<p>Good morning <span data-merge-tag="recipient.first_name" data-fallback="friend">'
            "First name</span>,</p><p>three new stories came out <b>this week</b>.</p>"
        }


@register_block
class DividerBlock(EmailBlock):
    name = "divider"
    says_something = False

    class Meta:
        template = template("divider")
        icon = "minus"
        label = _("Divider")
        group = LAYOUT
        description = _("A thin line between two parts.")
        preview_value: dict[str, object] = {}


@register_block
class SpacerBlock(EmailBlock):
    name = "spacer"
    says_something = False

    height = wagtail_blocks.ChoiceBlock(
        label=_("Height"), choices=[("16", _("Small")), ("32", _("Medium")), ("64", _("Large"))], default="32"
    )

    class Meta:
        template = template("spacer")
        icon = "order"
        label = _("Space")
        group = LAYOUT
        description = _("Empty room between two parts.")
        preview_value = {"height": "32"}


@register_block
class CallOutBlock(EmailBlock):
    name = "call_out"

    tone = wagtail_blocks.ChoiceBlock(
        label=_("Tone"),
        choices=[("info", _("Note")), ("success", _("Good news")), ("warning", _("Attention"))],
        default="info",
    )
    text = BoundedRichTextBlock(label=_("Text"), features=["bold", "italic", "link", "merge-tag"])

    class Meta:
        template = template("call_out")
        icon = "warning"
        label = _("Call-out")
        group = TEXT
        description = _("A coloured box for what must not be overlooked.")
        preview_value = {"tone": "info", "text": "<p>We are closed on <b>1 May</b>.</p>"}


@register_block
class QuoteBlock(EmailBlock):
    name = "quote"

    text = BoundedRichTextBlock(label=_("Text"), features=["bold", "italic", "link", "merge-tag"])
    source = wagtail_blocks.CharBlock(
        label=_("Source"), required=False, max_length=200, help_text=_("Who said it, and where.")
    )

    class Meta:
        template = template("quote")
        icon = "openquote"
        label = _("Quote")
        group = TEXT
        description = _("What somebody said, set apart, with its source.")
        preview_value = {"text": "<p>Reading it has become a part of my morning.</p>", "source": "Bo Li, reader"}
