"""Why somebody gets a mail."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from wagtail_lifecycle import registry
from wagtail_lifecycle.blocks.base import EmailBlock
from wagtail_lifecycle.blocks.groups import LAYOUT, template
from wagtail_lifecycle.blocks.rich_text import BoundedRichTextBlock
from wagtail_lifecycle.registry import register_block


@register_block
class WhyBlock(EmailBlock):
    name = "why"
    says_something = False

    text = BoundedRichTextBlock(
        label=_("Why people get it"),
        required=False,
        features=["bold", "italic", "link", "merge-tag"],
        help_text=_("Leave it empty for the name of the audience."),
    )

    class Meta:
        template = template("why")
        icon = "help"
        label = _("Why you get this")
        group = LAYOUT
        description = _("Says why the mail came and which topic it belongs to, with a link to unsubscribe.")
        preview_value = {"text": "<p>You get this mail because you have written for us.</p>"}

    def get_context(self, value: Any, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(value, parent_context)
        # The class only: the variants of some audiences are read from the database.
        name = getattr(context.get("content"), "audience", "").partition(":")[0]
        context["audience"] = registry.audiences.get(name).label if name in registry.audiences else ""
        return context
