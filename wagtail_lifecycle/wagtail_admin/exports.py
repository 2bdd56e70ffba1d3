"""What listings export."""

from __future__ import annotations

from typing import Any, Final

#: What spreadsheets begin a formula with, or drop in front of one.
FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class HarmlessExportMixin:
    """Exports text as text: an address may begin with `=`, and whoever opens the file must not run it."""

    def preprocess_field_value(self, field: str, value: Any, export_format: str) -> Any:
        cell = super().preprocess_field_value(field, value, export_format)  # type: ignore[misc]
        return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_BEGINS) else cell
