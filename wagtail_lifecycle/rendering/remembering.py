"""Text of numbers, remembered per language: those of reports are small and come again and again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.contrib.humanize.templatetags import humanize

from wagtail_lifecycle.rendering.lookups import Getter, Scope

F = TypeVar("F", bound=Callable[..., Any])

#: filters whose text depends on a whole number and on the language alone
REMEMBERED: Final[set[Callable[..., Any]]] = {humanize.intcomma}
MAX_REMEMBERED: Final = 10_000
#: where the scope keeps what is known; no name in a template has a space
MEMORY: Final = " memory"

_memories: Final[defaultdict[str | None, dict[Any, Any]]] = defaultdict(dict)


def remembered(function: F) -> F:
    """Mark a filter without arguments whose result depends on its number and on the language, and on nothing else."""
    REMEMBERED.add(function)
    return function


def memory_of(language: str | None) -> dict[Any, Any]:
    """Return what is known in a language, begun anew before it gets too much."""
    memory = _memories[language]
    if len(memory) > MAX_REMEMBERED:
        memory.clear()
    return memory


def remembering(get: Getter, function: Callable[[Any], Any], otherwise: Getter) -> Getter:
    """Return what gets a whole number and calls `function` with it once, and `otherwise` for other values."""

    def look_up(scope: Scope) -> Any:
        value = get(scope)
        if type(value) is not int:
            return otherwise(scope)
        memory, key = scope[MEMORY], (function, value)
        if key not in memory:
            memory[key] = function(value)
        return memory[key]

    return look_up
