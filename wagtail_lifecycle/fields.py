"""Model fields."""

from __future__ import annotations

from typing import Any

from wagtail.fields import StreamField

from wagtail_lifecycle.blocks import EmailBodyBlock


class EmailBodyField(StreamField):
    """A StreamField of all registered blocks that keeps them out of migrations: registering a block needs none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(EmailBodyBlock, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, _args, kwargs = super().deconstruct()
        kwargs.pop("block_lookup", None)
        return name, path, [], kwargs
