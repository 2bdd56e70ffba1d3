"""Texts remembered per language: translations, and those of numbers, which are small and come again and again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.contrib.humanize.templatetags import humanize

F = TypeVar("F", bound=Callable[..., Any])

#: filters whose text depends on a whole number and on the language alone
REMEMBERED: Final[set[Callable[..., Any]]] = {humanize.intcomma}
# About 200 octets each.
MAX_REMEMBERED: Final = 50_000
#: where the values of a mail may bring what is known, asked for once; no name in a template has a space
MEMORY: Final = " memory"


class Memory(dict[tuple[Any, ...], Any]):
    """What functions said in one language. A key is a function and its arguments."""

    def __missing__(self, key: tuple[Any, ...]) -> Any:
        function, *arguments = key
        value = function(*arguments)
        # How anything but text is shown may change with the settings.
        if isinstance(value, (str, bytes)):
            self[key] = value
        return value


_memories: Final[defaultdict[str | None, Memory]] = defaultdict(Memory)


def remembered(function: F) -> F:
    """Mark a filter without arguments whose result depends on its number and on the language, and on nothing else."""
    REMEMBERED.add(function)
    return function


def memory_of(language: str | None) -> Memory:
    """Return what is known in a language, begun anew before it gets too much."""
    memory = _memories[language]
    if len(memory) > MAX_REMEMBERED:
        memory.clear()
    return memory
