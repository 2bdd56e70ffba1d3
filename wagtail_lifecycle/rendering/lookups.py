"""Reading a value as Django's templates do, the short way."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.template.base import Variable

#: the values a piece can name
Scope = dict[str, Any]
Getter = Callable[[Scope], Any]


class LeftToDjango(Exception):
    """A tag or a value that has no short way."""


def constant(value: Any) -> Getter:
    """Return what gets `value`, whatever the scope."""
    return lambda _scope: value


def lookup(variable: Any) -> Getter:
    """Return what looks `variable` up. Raises LeftToDjango; what it returns may raise anything."""
    if not isinstance(variable, Variable):
        return constant(variable)
    if variable.translate:
        raise LeftToDjango
    if variable.lookups is None:
        return constant(variable.literal)
    first, *steps = variable.lookups
    match steps:
        case []:
            return lambda scope: _plain(scope[first])
        case [second]:
            return lambda scope: _step(scope[first], second)
        case [second, third]:
            return lambda scope: _step(_step(scope[first], second), third)
    return _long_lookup(first, steps)


def _long_lookup(first: str, steps: list[str]) -> Getter:
    def get(scope: Scope) -> Any:
        value = scope[first]
        for name in steps:
            value = _step(value, name)
        return value

    return get


def _step(value: Any, name: str) -> Any:
    """Return the item or the attribute `name` of a value. An item comes first, as in Django."""
    found = value[name] if _has_items(value.__class__) else getattr(value, name)
    if callable(found):
        raise LeftToDjango
    return found


@lru_cache(maxsize=256)
def _has_items(kind: Any) -> bool:
    # A tuple's items have numbers; what has a name is an attribute.
    return getattr(kind, "__getitem__", tuple.__getitem__) is not tuple.__getitem__


def _plain(value: Any) -> Any:
    if callable(value):
        raise LeftToDjango
    return value
