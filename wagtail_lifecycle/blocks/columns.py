"""Things side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail import blocks as wagtail_blocks

from wagtail_lifecycle.blocks.base import EmailBlock
from wagtail_lifecycle.blocks.content import HeadingBlock, RichTextBlock
from wagtail_lifecycle.blocks.groups import LAYOUT, template
from wagtail_lifecycle.blocks.media import ButtonBlock, ImageBlock
from wagtail_lifecycle.registry import register_block

#: layout → share of each column, and the pixels that are left for a picture in it
LAYOUTS: dict[str, list[tuple[str, int]]] = {
    "halves": [("50%", 260), ("50%", 260)],
    "thirds": [("33.33%", 168), ("33.33%", 168), ("33.33%", 168)],
    "narrow_wide": [("33.33%", 168), ("66.66%", 352)],
    "wide_narrow": [("66.66%", 352), ("33.33%", 168)],
}


@dataclass(frozen=True)
class Cell:
    """One column of a mail."""

    #: of the width, such as "50%"
    share: str
    #: of a picture in it, in pixels
    width: int
    #: the StreamValue of what stands in it
    blocks: Any


class HeadingInColumn(HeadingBlock):
    show_only_if = None

    class Meta:
        template = template("cells/heading")
        text_template = "wagtail_lifecycle/blocks/heading.txt"


class RichTextInColumn(RichTextBlock):
    show_only_if = None

    class Meta:
        template = template("cells/rich_text")
        text_template = "wagtail_lifecycle/blocks/rich_text.txt"


class ImageInColumn(ImageBlock):
    show_only_if = None

    class Meta:
        template = template("cells/image")
        text_template = "wagtail_lifecycle/blocks/image.txt"


class ButtonInColumn(ButtonBlock):
    show_only_if = None

    class Meta:
        template = template("cells/button")
        text_template = "wagtail_lifecycle/blocks/button.txt"


class ColumnBlock(wagtail_blocks.StreamBlock):
    """What stands in one column. It is never rendered by itself: MJML drops the wrapper that a StreamBlock makes."""

    heading = HeadingInColumn()
    rich_text = RichTextInColumn()
    image = ImageInColumn()
    button = ButtonInColumn()


def _example(heading: str, text: str) -> list[dict[str, Any]]:
    return [
        {"type": "heading", "value": {"text": heading, "size": "medium"}},
        {"type": "rich_text", "value": {"text": f"<p>{text}</p>"}},
    ]


@register_block
class ColumnsBlock(EmailBlock):
    name = "columns"

    layout = wagtail_blocks.ChoiceBlock(
        label=_("Widths"),
        choices=[
            ("halves", _("Two equal columns")),
            ("thirds", _("Three equal columns")),
            ("narrow_wide", _("A narrow and a wide one")),
            ("wide_narrow", _("A wide and a narrow one")),
        ],
        default="halves",
        help_text=_("On telephones they stand below each other."),
    )
    first = ColumnBlock(label=_("First column"), required=False)
    second = ColumnBlock(label=_("Second column"), required=False)
    third = ColumnBlock(label=_("Third column"), required=False, help_text=_("Only for three equal columns."))

    class Meta:
        template = template("columns")
        icon = "grip"
        label = _("Columns")
        group = LAYOUT
        description = _("Two or three columns of headings, text, pictures and buttons.")

    def get_preview_value(self) -> Any:
        first = _example("Read", "The fox that learned to read.")
        second = _example("Look", "Nine jumps worth taking.")
        return self.to_python({"layout": "halves", "first": first, "second": second})

    def get_context(self, value: Any, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(value, parent_context)
        layout = LAYOUTS.get(value.get("layout"), LAYOUTS["halves"])
        names = ("first", "second", "third")
        context["cells"] = [
            Cell(share, width, value.get(name) or ()) for (share, width), name in zip(layout, names, strict=False)
        ]
        return context

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if self.is_deferred_validation:
            return cleaned
        errors = {}
        if not cleaned.get("first") and not cleaned.get("second"):
            errors["first"] = ValidationError(_("Put something into a column."))
        if cleaned.get("third") and cleaned.get("layout") != "thirds":
            errors["third"] = ValidationError(_("There is no third column: empty it, or choose three equal columns."))
        if errors:
            raise wagtail_blocks.StructBlockValidationError(block_errors=errors)
        return cleaned
