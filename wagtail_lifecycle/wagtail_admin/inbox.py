"""The line of an inbox under the subject, and what the pickers of merge tags offer on the page of a campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wagtail.admin.panels import Panel
from wagtail.admin.staticfiles import versioned_static

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.wagtail_admin.merge_tags import TEXTS, offered_merge_tags

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Names of fields that merge tags work in, beside the chips of the body.
TAGGED = ("subject", "preheader")


class InboxPanel(Panel):
    """Shows what an inbox shows of the mail, with example values, while it is written."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_lifecycle/admin/inbox_panel.html"

        class Media:
            js = [
                versioned_static("wagtail_lifecycle/js/admin-merge-tag-picker.js"),
                versioned_static("wagtail_lifecycle/js/admin-inbox.js"),
            ]
            css = {"all": [versioned_static("wagtail_lifecycle/css/admin.css")]}

        def get_context_data(self, parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            # A translation has the audience and the sender of its source, which its own page does not show.
            source = self.instance.source if self.instance is not None else None
            context["offers"] = {
                "tags": offered_merge_tags(self.instance.language if self.instance is not None else ""),
                "texts": {name: str(text) for name, text in TEXTS.items()},
                "senders": {sender.key: sender.name or sender.address for sender in settings.senders.values()},
                "audience": source.audience if source is not None else "",
                "sender": source.sender if source is not None else "",
                "fields": TAGGED,
            }
            return context
