"""Pictures and buttons."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail import blocks as wagtail_blocks
from wagtail.images import blocks as image_blocks
from wagtail.images import get_image_model

from wagtail_lifecycle.blocks.base import EmailBlock
from wagtail_lifecycle.blocks.groups import MEDIA, template
from wagtail_lifecycle.blocks.links import LinkStructBlock
from wagtail_lifecycle.blocks.rich_text import BoundedRichTextBlock
from wagtail_lifecycle.registry import register_block

#: Wagtail crops around the focal point of the picture.
RATIOS = [
    ("", _("As it is")),
    ("16:9", _("Wide (16:9)")),
    ("3:2", _("Landscape (3:2)")),
    ("1:1", _("Square (1:1)")),
]


def newest_picture() -> Any:
    """Return a picture for the previews of the block picker; None where the site has none."""
    pictures = get_image_model().objects.exclude(file__iendswith=".svg")
    return pictures.order_by("-pk").first()


class PictureStructBlock(wagtail_blocks.StructBlock):
    """A block with a picture in its field `image`."""

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        image = cleaned.get("image")
        if image is not None and image.is_svg():
            raise wagtail_blocks.StructBlockValidationError(
                block_errors={"image": ValidationError(_("Mail programs do not show SVG. Choose a PNG or JPEG."))}
            )
        return cleaned

    def get_preview_value(self) -> Any:
        value = super().get_preview_value()
        value["image"] = newest_picture()
        return value


@register_block
class HeroBlock(PictureStructBlock, EmailBlock, LinkStructBlock):
    name = "hero"

    image = image_blocks.ImageBlock(label=_("Picture"), required=False)
    heading = wagtail_blocks.CharBlock(label=_("Heading"), max_length=200)
    # No links: the button is the one thing to do here, and a link would vanish on a coloured ground.
    text = BoundedRichTextBlock(label=_("Text"), required=False, features=["bold", "italic", "merge-tag"])
    button = wagtail_blocks.CharBlock(label=_("Text of the button"), required=False, max_length=60)
    tone = wagtail_blocks.ChoiceBlock(
        label=_("Colours"), choices=[("plain", _("Plain")), ("accent", _("On the accent colour"))], default="plain"
    )

    class Meta:
        form_layout = ["image", "heading", "text", "button", "page", "url", "tone"]
        template = template("hero")
        icon = "desktop"
        label = _("Opening")
        group = MEDIA
        description = _("A wide picture with a heading, a few words and a button: what the mail is about.")
        preview_value = {
            "heading": "Three stories for the weekend",
            "text": "<p>Written by people you know.</p>",
            "button": "Start reading",
            "url": "https://example.org/",
        }

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        leads = bool(cleaned.get("page") or cleaned.get("url"))
        if self.is_deferred_validation or leads is bool(cleaned.get("button")):
            return cleaned
        error = ValidationError(_("A button needs words and somewhere to lead. Give both or neither."))
        raise wagtail_blocks.StructBlockValidationError(block_errors={"button": error})


@register_block
class ImageBlock(PictureStructBlock, EmailBlock, LinkStructBlock):
    name = "image"

    image = image_blocks.ImageBlock(label=_("Picture"))
    ratio = wagtail_blocks.ChoiceBlock(
        label=_("Shape"),
        choices=RATIOS,
        default="",
        required=False,
        help_text=_("The focal point of the picture stays in sight when it is cut."),
    )
    page = wagtail_blocks.PageChooserBlock(required=False, label=_("Leads to page"))

    class Meta:
        form_layout = ["image", "ratio", "page", "url"]
        template = template("image")
        icon = "image"
        label = _("Picture")
        group = MEDIA
        description = _("A picture over the whole width; it may be cropped, and lead somewhere.")
        preview_value: dict[str, object] = {"image": None, "page": None, "url": ""}


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
