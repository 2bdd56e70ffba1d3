"""Lists of pages."""

from __future__ import annotations

from typing import Any, Final

import swapper
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail import blocks as wagtail_blocks

from wagtail_lifecycle.blocks.base import EmailBlock
from wagtail_lifecycle.blocks.groups import CONTENT, template
from wagtail_lifecycle.registry import register_block

#: what a choice loads; pages chosen one by one need nothing
SOURCES: Final = {"recent": ("recent_pages",), "popular": ("popular_pages",)}


@register_block
class PageListBlock(EmailBlock):
    name = "page_list"

    heading = wagtail_blocks.CharBlock(label=_("Heading"), required=False, max_length=200)
    choice = wagtail_blocks.ChoiceBlock(
        label=_("Which pages"),
        choices=[
            ("chosen", _("The pages chosen below")),
            ("recent", _("Published in the period of the report")),
            ("popular", _("Most viewed in the period of the report")),
        ],
        default="chosen",
    )
    pages = wagtail_blocks.ListBlock(
        wagtail_blocks.PageChooserBlock(label=_("Page"), required=False), label=_("Pages"), default=[]
    )
    with_pictures = wagtail_blocks.BooleanBlock(
        label=_("With pictures"), required=False, help_text=_("The first picture field of each type of page.")
    )
    with_summaries = wagtail_blocks.BooleanBlock(
        label=_("With summaries"), required=False, help_text=_("The description that pages have for search engines.")
    )

    class Meta:
        template = template("page_list")
        icon = "list-ul"
        label = _("List of pages")
        group = CONTENT
        description = _("Pages that you choose, the newest or the most viewed ones, each with its title and a link.")
        preview_value: dict[str, object] = {"heading": "New on the site", "choice": "recent", "pages": []}

    def get_required_data(self, value: Any) -> tuple[str, ...]:
        return SOURCES.get(value.get("choice"), ())

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if self.is_deferred_validation or cleaned.get("choice") in SOURCES or any(cleaned.get("pages") or []):
            return cleaned
        raise wagtail_blocks.StructBlockValidationError(
            block_errors={"pages": ValidationError(_("Choose at least one page."))}
        )

    def get_context(self, value: Any, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(value, parent_context)
        # Deleted pages leave None behind; others would lead most readers nowhere.
        chosen = [page.pk for page in value.get("pages") or [] if page is not None]
        public = _public(chosen) if chosen and value.get("choice") not in SOURCES else {}
        context["pages"] = [public[pk] for pk in chosen if pk in public]
        return context


def _public(pks: list[int]) -> dict[int, Any]:
    """Return those of the pages that anybody may read."""
    pages = swapper.load_model("wagtailcore", "Page").objects.live().public().filter(pk__in=pks, expired=False)
    return {page.pk: page for page in pages}
