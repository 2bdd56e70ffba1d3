"""Tables of plain text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail import blocks as wagtail_blocks

from wagtail_lifecycle.blocks.base import EmailBlock
from wagtail_lifecycle.blocks.groups import TEXT, template
from wagtail_lifecycle.registry import register_block

#: More do not fit on a telephone.
MAX_COLUMNS = 5
MAX_ROWS = 50
LONG_WORD = 12

_NUMBER = re.compile(r"[-+\N{MINUS SIGN}]?[^\w\s]?\s?\d[\d.,:\u2009\u202f\u00a0' ]*\s?[^\w\s]?")


@dataclass(frozen=True)
class TableCell:
    text: str
    #: whether it stands at the end of its column, as numbers do
    is_number: bool = False
    #: whether it says what its row is about
    is_name: bool = False

    @property
    def is_long(self) -> bool:
        """Whether a word of it is broken rather than that it makes the table wider than a telephone."""
        return max(map(len, self.text.split()), default=0) > LONG_WORD


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of `text`, a row per line, each as long as the longest: separated by tabs or bars."""
    lines = [line for line in text.splitlines() if line.strip()]
    rows = [[cell.strip() for cell in line.strip().strip("|").split("\t" if "\t" in line else "|")] for line in lines]
    width = max(map(len, rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def _is_number(texts: list[str]) -> bool:
    filled = [text for text in texts if text]
    return bool(filled) and all(_NUMBER.fullmatch(text) for text in filled)


@register_block
class TableBlock(EmailBlock):
    name = "table"

    caption = wagtail_blocks.CharBlock(label=_("Caption"), required=False, max_length=200)
    cells = wagtail_blocks.TextBlock(
        label=_("Cells"),
        rows=6,
        help_text=_(
            "A row per line, cells separated by | or copied from a spreadsheet. The first row names the columns."
        ),
    )
    names_rows = wagtail_blocks.BooleanBlock(label=_("The first column names the rows"), required=False, default=True)

    class Meta:
        template = template("table")
        icon = "table"
        label = _("Table")
        group = TEXT
        description = _("A small table with named columns, such as dates or prices.")
        preview_value = {
            "caption": "Opening hours",
            "cells": "Day | From | To\nMonday to Friday | 9:00 | 18:00\nSaturday | 10:00 | 14:00",
            "names_rows": True,
        }

    def get_context(self, value: Any, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(value, parent_context)
        names, *rows = rows_of(value.get("cells") or "") or [[]]
        numeric = [_is_number([row[column] for row in rows]) for column in range(len(names))]
        context["header"] = [TableCell(text, is_number) for text, is_number in zip(names, numeric, strict=True)]
        context["rows"] = [
            [
                TableCell(text, numeric[column], is_name=column == 0 and bool(value.get("names_rows")))
                for column, text in enumerate(row)
            ]
            for row in rows
        ]
        return context

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        rows = rows_of(cleaned.get("cells") or "")
        if self.is_deferred_validation or (1 < len(rows) <= MAX_ROWS and len(rows[0]) <= MAX_COLUMNS):
            return cleaned
        message = _("A table has a row of names and 1 to %(rows)d more rows, and at most %(columns)d columns.")
        error = ValidationError(message, params={"rows": MAX_ROWS, "columns": MAX_COLUMNS})
        raise wagtail_blocks.StructBlockValidationError(block_errors={"cells": error})
