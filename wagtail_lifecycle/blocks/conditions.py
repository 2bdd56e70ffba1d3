"""“Show only if”: which readers see a block, chosen from a list and stored as one string."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import blocks as wagtail_blocks

from wagtail_lifecycle import registry
from wagtail_lifecycle.blocks.labels import label_of

ALWAYS: Final = "always"

#: kinds that ask whether a merge tag has a value, and whether that is wanted
OF_READER: Final = {"known": True, "unknown": False}
#: kinds that ask whether a data source has something to report
OF_DATA: Final = {"data": True, "no-data": False}


@dataclass(frozen=True)
class Condition:
    """One question about a reader."""

    #: a key of OF_READER or OF_DATA; anything else came by import and is refused when the mail is compiled
    kind: str
    #: path of a merge tag, or name of a data source
    name: str

    @classmethod
    def parse(cls, stored: object) -> Self | None:
        """Return the condition stored as "known:recipient.name"; None where the block is always shown."""
        text = str(stored or ALWAYS)
        kind, _colon, name = text.partition(":")
        return None if text == ALWAYS else cls(kind, name)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def requires(self) -> tuple[str, ...]:
        """The data source that must be loaded to answer."""
        return (self.name,) if self.kind in OF_DATA else ()


def condition_choices() -> Iterator[tuple[str, Any]]:
    """Yield the choices of a form, grouped: what any audience and any data source of the site can answer."""
    yield ALWAYS, _("Always")
    if readers := [choice for path in _paths() for choice in _about_reader(path)]:
        yield _("Who reads it"), readers
    if data := [choice for source in registry.data_sources for choice in _about_data(source.name, source.label)]:
        yield _("What there is to report"), data


def _paths() -> list[str]:
    return list(dict.fromkeys(path for audience in registry.audiences for path in audience.merge_tags))


def _about_reader(path: str) -> Iterator[tuple[str, str]]:
    label = {"label": label_of(path)}
    yield f"known:{path}", _("“%(label)s” is known") % label
    yield f"unknown:{path}", _("“%(label)s” is not known") % label


def _about_data(name: str, label: str | Promise) -> Iterator[tuple[str, str]]:
    yield f"data:{name}", _("“%(label)s” has something to report") % {"label": label}
    yield f"no-data:{name}", _("“%(label)s” has nothing to report") % {"label": label}


class ConditionBlock(wagtail_blocks.ChoiceBlock):
    """The field that every block of a mail has in its settings."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {
            "choices": condition_choices,
            "default": ALWAYS,
            "label": gettext_lazy("Show only if"),
            "help_text": gettext_lazy("Readers of whom this is not so get the mail without this block."),
            "search_index": False,
        } | kwargs
        super().__init__(**kwargs)
        self.field.error_messages |= {
            "required": gettext_lazy("Choose when the block is shown."),
            "invalid_choice": gettext_lazy("“%(value)s” asks for something that is gone. Choose another condition."),
        }

    def value_from_form(self, value: Any) -> Any:
        """Show a block always whose form says nothing: a script's, or one that was open when the field came."""
        return ALWAYS if value is None else value
