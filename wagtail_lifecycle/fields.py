"""Model fields."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from wagtail.fields import StreamField

from wagtail_lifecycle import contrast
from wagtail_lifecycle.blocks import EmailBodyBlock


class EmailBodyField(StreamField):
    """A StreamField of all registered blocks that keeps them out of migrations: registering a block needs none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(EmailBodyBlock, **kwargs)

    def to_python(self, value: Any) -> Any:
        return super().to_python(_without_nonsense(value))

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, _args, kwargs = super().deconstruct()
        kwargs.pop("block_lookup", None)
        return name, path, [], kwargs


def _without_nonsense(stored: Any) -> Any:
    """Leave out of a stored body what no form has written: one such row would make a whole list of campaigns fail."""
    if isinstance(stored, str):
        try:
            stored = json.loads(stored)
        except ValueError:
            # Wagtail keeps it, and shows an empty stream.
            return stored
        stored = stored if isinstance(stored, list) else []
    if not isinstance(stored, list) or any(isinstance(item, tuple) for item in stored):
        return None if isinstance(stored, dict) else stored
    return [item for item in stored if isinstance(item, dict) and {"type", "value"} <= item.keys()]


def validate_colour(value: object) -> None:
    """Raise ValidationError for what is not written "#rrggbb"."""
    if not contrast.is_colour(value):
        raise ValidationError(gettext("Write the colour as #rrggbb, for example #00686b."), code="invalid")


class ColourField(models.CharField):  # type: ignore[type-arg] # at runtime it takes none
    """A colour, "#rrggbb", chosen with the browser's own picker, which needs no script."""

    default_validators = [validate_colour]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_length": len("#rrggbb")})

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("max_length")
        return name, path, list(args), kwargs

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{**kwargs, "widget": forms.ColorInput})
