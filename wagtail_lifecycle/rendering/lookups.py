"""What a piece asks of its values while it renders, as Django's templates would."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NoReturn

from django.utils.safestring import SafeData, mark_safe


class LeftToDjango(Exception):
    """A tag or a value that has no short way."""


class Kinds(dict[type, bool]):
    """Whether what has a name in a value is an item. An item comes before an attribute, as in Django."""

    #: classes made on the fly are not kept for ever
    MOST: Final = 1000

    def __missing__(self, kind: Any) -> bool:
        # A tuple's items have numbers; what has a name is an attribute.
        has_items = getattr(kind, "__getitem__", tuple.__getitem__) is not tuple.__getitem__
        if len(self) < self.MOST:
            self[kind] = has_items
        return has_items


KINDS: Final = Kinds()


def left_to_django() -> NoReturn:
    raise LeftToDjango


def plain(value: Any) -> Any:
    """Return `value`. Raises LeftToDjango for what Django would call."""
    if callable(value):
        raise LeftToDjango
    return value


def items(values: Collection[Any] | None) -> Collection[Any]:
    """Return what a loop walks. Raises TypeError for what can be walked only once: Django may have to do it again."""
    return values if values is not None and len(values) > 0 else ()


def kept_safe(result: Any, value: Any) -> Any:
    """Return what a safe filter made of `value`: as safe as it was."""
    return mark_safe(result) if isinstance(value, SafeData) else result  # noqa: S308 - as Django does
