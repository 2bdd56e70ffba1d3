"""Merge-tag chips of the rich text editor: what is offered, and how they are stored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django.utils import translation
from django.utils.translation import gettext_lazy as _
from draftjs_exporter import DOM
from wagtail.admin.rich_text.converters.html_to_contentstate import InlineEntityElementHandler
from wagtail.admin.rich_text.editors.draftail import features as draftail_features

from wagtail_lifecycle import registry
from wagtail_lifecycle.blocks.labels import label_of
from wagtail_lifecycle.rendering.rich_text import FALLBACK_ATTRIBUTE, MERGE_TAG_ATTRIBUTE

if TYPE_CHECKING:
    from collections.abc import Mapping

FEATURE: Final = "merge-tag"
ENTITY: Final = "MERGE-TAG"

_PATH = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")


def offered_merge_tags(language: str = "") -> list[dict[str, Any]]:
    """Return every merge tag once, with the audiences that offer it and whether all of them do.

    The examples are in `language`, that of the mail, or else in the active one.
    """
    with translation.override(language or translation.get_language()):
        offers = {
            audience.name: {path: str(example) for path, example in audience.merge_tags.items()}
            for audience in registry.audiences
        }
    paths = dict.fromkeys(path for offer in offers.values() for path in offer)
    return [
        {
            "path": path,
            "label": str(label_of(path)),
            # Each audience has examples of its own.
            "examples": {name: offer[path] for name, offer in offers.items() if path in offer},
            "isShared": all(path in offer for offer in offers.values()),
        }
        for path in paths
    ]


def shared_merge_tags() -> list[dict[str, Any]]:
    """Return the merge tags that every audience offers: they work whatever audience is chosen later."""
    return [
        {"path": tag["path"], "label": tag["label"], "example": next(iter(tag["examples"].values()))}
        for tag in offered_merge_tags()
        if tag["isShared"]
    ]


ENTITY_OPTIONS: Final = {
    "type": ENTITY,
    "icon": "user",
    "description": _("Merge tag: a value of the reader"),
}


class MergeTagFeature(draftail_features.EntityFeature):
    """The button of the toolbar; asks the registry when an editor is built, after the site's audiences are in."""

    def __init__(self) -> None:
        super().__init__(
            ENTITY_OPTIONS,
            js=["wagtail_lifecycle/js/admin-merge-tag-picker.js", "wagtail_lifecycle/js/admin-merge-tags.js"],
            css={"all": ["wagtail_lifecycle/css/admin.css"]},
        )

    def construct_options(self, options: dict[str, Any]) -> None:
        data = {**ENTITY_OPTIONS, "tags": shared_merge_tags(), "texts": TEXTS}
        options.setdefault(self.option_name, []).append(data)


#: What the picker says.
TEXTS: Final = {
    "title": _("Merge tag"),
    "intro": _("Each reader sees their own value here."),
    "tag": _("Value"),
    "some": _("%(label)s (this audience only)"),
    "example": _("For example: %(example)s"),
    "fallback": _("If there is none"),
    "fallbackHelp": _("What readers see for whom the value is not known, such as “friend”."),
    "insert": _("Insert"),
    "save": _("Save"),
    "remove": _("Remove"),
    "cancel": _("Cancel"),
    "open": _("Insert a merge tag"),
    "noSubject": _("No subject yet"),
    "noSender": _("No sender yet"),
}


class MergeTagElementHandler(InlineEntityElementHandler):
    """Reads a chip from stored rich text."""

    mutability = "IMMUTABLE"

    def get_attribute_data(self, attrs: Mapping[str, str | None]) -> dict[str, str]:
        return {"path": attrs[MERGE_TAG_ATTRIBUTE] or "", "fallback": attrs.get(FALLBACK_ATTRIBUTE) or ""}


def merge_tag_element(props: Mapping[str, Any]) -> Any:
    """Write a chip as stored rich text; what is no merge tag stays as its words only."""
    path = str(props.get("path") or "")
    if not _PATH.fullmatch(path):
        return props["children"]
    attributes = {MERGE_TAG_ATTRIBUTE: path, FALLBACK_ATTRIBUTE: str(props.get("fallback") or "")}
    return DOM.create_element("span", attributes, props["children"])


CONVERSION: Final = {
    "from_database_format": {f"span[{MERGE_TAG_ATTRIBUTE}]": MergeTagElementHandler(ENTITY)},
    "to_database_format": {"entity_decorators": {ENTITY: merge_tag_element}},
}


def register(features: Any) -> None:
    """Make the feature known to Wagtail's rich text; the blocks of mails switch it on."""
    features.register_editor_plugin("draftail", FEATURE, MergeTagFeature())
    features.register_converter_rule("contentstate", FEATURE, CONVERSION)
