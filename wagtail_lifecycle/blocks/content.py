"""Blocks that say the same to everybody."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail import blocks as wagtail_blocks
from wagtail.images import blocks as image_blocks

from wagtail_lifecycle.blocks.base import EmailBlock
from wagtail_lifecycle.blocks.links import LinkStructBlock
from wagtail_lifecycle.registry import register_block

TEXT = _("Text")
MEDIA = _("Pictures and buttons")
LAYOUT = _("Layout")
CONTENT = _("From the site")

RICH_TEXT_FEATURES = [
    "h2", "h3", "bold", "italic", "ol", "ul", "hr", "link", "document-link", "merge-tag",
]  # fmt: skip


def template(name: str) -> str:
    return f"wagtail_lifecycle/blocks/{name}.mjml"


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

    text = wagtail_blocks.RichTextBlock(label=_("Text"), features=RICH_TEXT_FEATURES)

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
class ImageBlock(EmailBlock, LinkStructBlock):
    name = "image"

    image = image_blocks.ImageBlock(label=_("Picture"))
    page = wagtail_blocks.PageChooserBlock(required=False, label=_("Leads to page"))

    class Meta:
        form_layout = ["image", "page", "url"]
        template = template("image")
        icon = "image"
        label = _("Picture")
        group = MEDIA
        description = _("A picture over the whole width; it may lead somewhere.")
        preview_value = {"image": None, "page": None, "url": ""}

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        image = cleaned.get("image")
        if image is not None and image.is_svg():
            raise wagtail_blocks.StructBlockValidationError(
                block_errors={"image": ValidationError(_("Mail programs do not show SVG. Choose a PNG or JPEG."))}
            )
        return cleaned


@register_block
class ButtonBlock(EmailBlock, LinkStructBlock):
    name = "button"
    link_required = True

    text = wagtail_blocks.CharBlock(label=_("Text"), max_length=60)

    class Meta:
        form_layout = ["text", "page", "url"]
        template = template("button")
        icon = "link"
        label = _("Button")
        group = MEDIA
        description = _("One clear thing to do.")
        preview_value = {"text": "Read the story", "page": None, "url": "https://example.org/"}


@register_block
class VerifyButtonBlock(EmailBlock):
    name = "verify_button"
    asks_to_verify = True

    text = wagtail_blocks.CharBlock(label=_("Text"), max_length=60, default=_("Confirm your address"))

    class Meta:
        template = template("verify_button")
        icon = "check"
        label = _("Button to verify the address")
        group = MEDIA
        description = _("Leads each user to the page where they confirm that the address is theirs.")
        preview_value = {"text": "Confirm your address"}


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
class PageListBlock(EmailBlock):
    name = "page_list"

    heading = wagtail_blocks.CharBlock(label=_("Heading"), required=False, max_length=200)
    choice = wagtail_blocks.ChoiceBlock(
        label=_("Which pages"),
        choices=[("chosen", _("The pages chosen below")), ("recent", _("Published in the period of the report"))],
        default="chosen",
    )
    pages = wagtail_blocks.ListBlock(
        wagtail_blocks.PageChooserBlock(label=_("Page"), required=False), label=_("Pages"), default=[]
    )

    class Meta:
        template = template("page_list")
        icon = "list-ul"
        label = _("List of pages")
        group = CONTENT
        description = _("Pages that you choose, or the newest ones, each with its title and a link.")
        preview_value: dict[str, object] = {"heading": "New on the site", "choice": "recent", "pages": []}

    def get_required_data(self, value: Any) -> tuple[str, ...]:
        return ("recent_pages",) if value.get("choice") == "recent" else ()

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if self.is_deferred_validation or cleaned.get("choice") == "recent" or any(cleaned.get("pages") or []):
            return cleaned
        raise wagtail_blocks.StructBlockValidationError(
            block_errors={"pages": ValidationError(_("Choose at least one page."))}
        )

    def get_context(self, value: Any, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(value, parent_context)
        # Deleted pages leave None behind; unpublished ones would lead nowhere.
        context["pages"] = [page for page in value.get("pages") or [] if page is not None and page.live]
        return context


@register_block
class CallOutBlock(EmailBlock):
    name = "call_out"

    tone = wagtail_blocks.ChoiceBlock(
        label=_("Tone"),
        choices=[("info", _("Note")), ("success", _("Good news")), ("warning", _("Attention"))],
        default="info",
    )
    text = wagtail_blocks.RichTextBlock(label=_("Text"), features=["bold", "italic", "link", "merge-tag"])

    class Meta:
        template = template("call_out")
        icon = "warning"
        label = _("Call-out")
        group = TEXT
        description = _("A coloured box for what must not be overlooked.")
        preview_value = {"tone": "info", "text": "<p>We are closed on <b>1 May</b>.</p>"}
