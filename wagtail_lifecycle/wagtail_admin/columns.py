"""Columns of our listings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.forms import Media
from django.utils.text import capfirst
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.ui.tables import Column, TitleColumn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: class of columns that telephones have no room for
WIDE: Final = "lifecycle-wide"


def capitalised(choices: Iterable[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Return choices whose words stand alone, as in a list of filters."""
    return [(value, str(capfirst(str(label)))) for value, label in choices]


class StyledColumn(Column):
    """Brings our style sheet with it."""

    @property
    def media(self) -> Media:
        return Media(css={"all": [versioned_static("wagtail_lifecycle/css/admin.css")]})


class TemplateColumn(StyledColumn):
    """A cell with a template of its own, which gets the row as `instance` and the accessor's value as `value`."""

    def __init__(self, name: str, template: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.cell_template_name = f"wagtail_lifecycle/admin/cells/{template}.html"


class TextColumn(StyledColumn):
    """Text in any language: its direction is its own."""

    cell_template_name = "wagtail_lifecycle/admin/cells/text.html"


class SubtitledColumn(StyledColumn, TitleColumn):
    """A title with a second, lighter line."""

    cell_template_name = "wagtail_lifecycle/admin/cells/subtitled.html"

    def __init__(self, name: str, *, subtitle: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        #: name of the attribute of the row
        self.subtitle = subtitle

    def get_cell_context_data(self, instance: Any, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        context["subtitle"] = getattr(instance, self.subtitle)
        return context
