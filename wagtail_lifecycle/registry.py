"""What a site registers by name: audiences, data sources, blocks, events, starters and pre-flight checks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.utils.functional import Promise

from wagtail_lifecycle.exceptions import AlreadyRegistered, UnknownName

#: a class with a `name`, which is data and never changes, and a `label` for people
C = TypeVar("C", bound=type[Any])


class Registry:
    """Classes by name, in the order of registration."""

    def __init__(self, noun: str) -> None:
        #: what the registered things are called in messages
        self.noun = noun
        self._classes: dict[str, type[Any]] = {}

    def register(self, cls: C) -> C:
        """Register `cls` under its `name`; usable as a decorator. Raises AlreadyRegistered on a second class."""
        known = self._classes.get(cls.name)
        if known is not None and known is not cls:
            raise AlreadyRegistered(
                f"{cls.__module__}.{cls.__qualname__} wants the {self.noun} name {cls.name!r}, which "
                f"{known.__module__}.{known.__qualname__} has. Give one of them another name."
            )
        self._classes[cls.name] = cls
        return cls

    def get(self, name: str) -> type[Any]:
        """Return the class called `name`. Raises UnknownName, which lists the known ones."""
        try:
            return self._classes[name]
        except KeyError:
            known = ", ".join(sorted(self._classes)) or "none"
            raise UnknownName(
                f"No {self.noun} is called {name!r} (known: {known}). Choose one of these, or register "
                "it in the lifecycle.py of an installed app."
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._classes

    def __iter__(self) -> Iterator[type[Any]]:
        return iter(tuple(self._classes.values()))

    def names(self) -> list[str]:
        return list(self._classes)

    def choices(self) -> list[tuple[str, str | Promise]]:
        """Return (name, label) pairs for a form field."""
        return [(cls.name, cls.label) for cls in self]

    @contextmanager
    def temporarily(self, *classes: type[Any]) -> Iterator[None]:
        """Register `classes` for the length of a `with` block, for tests."""
        before = dict(self._classes)
        try:
            for cls in classes:
                self.register(cls)
            yield
        finally:
            self._classes = before


audiences = Registry("audience")
data_sources = Registry("data source")
blocks = Registry("block")
events = Registry("event")
starters = Registry("starter")
checks = Registry("check")

register_audience = audiences.register
register_data_source = data_sources.register
register_block = blocks.register
register_event = events.register
register_starter = starters.register
register_check = checks.register
