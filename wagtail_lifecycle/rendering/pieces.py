"""Pieces: what differs per person in a mail, and the markers that stand for them until the end."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Protocol, TypeVar

from django.template import Engine, Template, TemplateSyntaxError
from django.utils.formats import localize
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import template_localtime  # type: ignore[attr-defined] # the stubs forgot it

from wagtail_lifecycle.rendering.brand import Palette
from wagtail_lifecycle.rendering.encoding import joinable, normalised
from wagtail_lifecycle.rendering.names import names_given_in, names_in
from wagtail_lifecycle.rendering.quick import PieceTemplate

T = TypeVar("T", str, bytes)

#: what a `personal` piece may name, beside the tag's own arguments
PERSONAL_NAMES = frozenset({"recipient", "data", "links"})
BUILTINS = [
    "django.templatetags.i18n",
    "django.templatetags.l10n",
    "django.templatetags.tz",
    "django.contrib.humanize.templatetags.humanize",
    "wagtail_lifecycle.templatetags.lifecycle_pieces",
]


DEFAULT_PALETTE = Palette()


class Piece(Protocol):
    """Something that becomes text for one person."""

    def render(self, values: Mapping[str, Any], *, html: bool) -> str: ...

    def encode(self, values: Mapping[str, Any], *, html: bool) -> bytes:
        """Return the same as `joinable` makes it."""
        ...


@dataclass(frozen=True)
class Constant:
    """Text that goes around MJML untouched; it may hold markers itself."""

    text: str


def value_at(path: str, values: Mapping[str, Any]) -> Any:
    """Return what stands at the dotted `path`, for example "recipient.first_name"; None where nothing does."""
    value: Any = values
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else getattr(value, step, None)
    return value


@dataclass(frozen=True)
class MergeTag:
    """A value of the recipient that an editor put into the text."""

    #: dotted, for example "recipient.first_name"
    path: str
    #: what stands there where the value is empty
    fallback: str = ""

    def render(self, values: Mapping[str, Any], *, html: bool) -> str:
        value = value_at(self.path, values)
        text = str(localize(template_localtime(value))) if value not in (None, "") else self.fallback
        return escape(text) if html else text

    def encode(self, values: Mapping[str, Any], *, html: bool) -> bytes:
        return joinable(self.render(values, html=html))


@dataclass(frozen=True)
class Personal:
    """The inside of a `personal` tag with the tag's own arguments."""

    template: PieceTemplate
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def render(self, values: Mapping[str, Any], *, html: bool) -> str:
        return self.template.render({**self.arguments, **values}, autoescape=html)

    def encode(self, values: Mapping[str, Any], *, html: bool) -> bytes:
        return self.template.encode({**self.arguments, **values}, autoescape=html)


class Collector:
    """Keeps the pieces of one compile aside and hands out the markers that stand for them."""

    def __init__(self, *, html: bool, merge_tags: Mapping[str, object], palette: Palette) -> None:
        self.html = html
        #: the colours that are written into rich text
        self.palette = palette
        #: what the audience offers: path → example
        self.merge_tags = merge_tags
        self.pieces: list[Piece | Constant] = []
        # Random, so that text which looks like a marker is only text.
        self._nonce = secrets.token_hex(6)
        self._marker = re.compile(rf"wl{self._nonce}x(\d+)x")

    def add(self, piece: Piece | Constant) -> SafeString:
        """Keep `piece` and return its marker: letters and digits only, safe in text, attributes and URLs."""
        self.pieces.append(piece)
        return mark_safe(f"wl{self._nonce}x{len(self.pieces) - 1}x")  # noqa: S308 - letters and digits

    def missing_from(self, text: str, *, of: str) -> set[str]:
        """Return the markers that stand in `of` and no more in `text`."""
        return set(self._marker.findall(of)) - set(self._marker.findall(text))

    def split(self, text: str) -> Parts:
        """Cut `text` at its markers into constant strings and pieces, constants of constants included."""
        return Parts(tuple(self._fragments(text)), html=self.html).closed_up()

    def _fragments(self, text: str) -> Iterator[str | Piece]:
        for position, part in enumerate(self._marker.split(text)):
            piece = self.pieces[int(part)] if position % 2 else Constant(part)
            if not isinstance(piece, Constant):
                yield piece
            elif position % 2:
                yield from self._fragments(piece.text)
            else:
                yield piece.text


def _joined(fragments: Iterable[str | Piece]) -> Iterator[str | Piece]:
    """Join neighbouring strings, so that personalising has fewer parts to walk."""
    constant: list[str] = []
    for fragment in fragments:
        if isinstance(fragment, str):
            constant.append(fragment)
            continue
        yield "".join(constant)
        constant = []
        yield fragment
    yield "".join(constant)


@dataclass(frozen=True)
class Parts:
    """Constant strings and pieces in turn."""

    parts: tuple[str | Piece, ...]
    html: bool

    def join(self, values: Mapping[str, Any]) -> str:
        """Return what one person reads."""
        own = [normalised(piece.render(values, html=self.html)) for piece in self._pieces]
        return "".join(_mixed(self._constants, own))

    def encode(self, values: Mapping[str, Any]) -> bytes:
        """Return the same as quoted-printable octets; constants are encoded by the first call for all others."""
        own = [piece.encode(values, html=self.html) for piece in self._pieces]
        return b"".join(_mixed(self._encoded_constants, own))

    def closed_up(self) -> Parts:
        """Return the same with neighbouring strings joined, so that strings and pieces take turns."""
        return Parts(tuple(_joined(self.parts)), html=self.html)

    @cached_property
    def _pieces(self) -> tuple[Piece, ...]:
        return tuple(part for part in self.parts if not isinstance(part, str))

    @cached_property
    def _constants(self) -> list[str]:
        return _spaced([normalised(part) for part in self.parts if isinstance(part, str)], "")

    @cached_property
    def _encoded_constants(self) -> list[bytes]:
        return _spaced([joinable(constant) for constant in self._constants[::2]], b"")


def _spaced(constants: Sequence[T], space: T) -> list[T]:
    """Return constants with a place between two of them for what is a person's own."""
    spaced: list[T] = []
    for constant in constants:
        spaced += (constant, space)
    return spaced[:-1]


def _mixed(spaced: list[T], own: Sequence[T]) -> list[T]:
    mixed = spaced.copy()
    mixed[1::2] = own
    return mixed


# A ContextVar, because `{{ value.body }}` hands no context to the blocks inside it.
_collector: ContextVar[Collector | None] = ContextVar("wagtail_lifecycle_collector", default=None)


@contextmanager
def collecting(
    *, html: bool, merge_tags: Mapping[str, object], palette: Palette = DEFAULT_PALETTE
) -> Iterator[Collector]:
    """Make a fresh collector the current one for the length of a `with` block."""
    collector = Collector(html=html, merge_tags=merge_tags, palette=palette)
    token = _collector.set(collector)
    try:
        yield collector
    finally:
        _collector.reset(token)


def current_collector() -> Collector:
    """Return the collector of the compile that is under way. Raises RuntimeError outside of one."""
    collector = _collector.get()
    if collector is None:
        raise RuntimeError("Mail blocks render only inside a mail: use wagtail_lifecycle.rendering.compile_mail().")
    return collector


@lru_cache(maxsize=2)
def _engine() -> Engine:
    # No loaders and no libraries to load: a piece can reach nothing but its own values.
    return Engine(builtins=BUILTINS, libraries={}, string_if_invalid="")


@lru_cache(maxsize=512)
def personal_template(
    source: str, arguments: frozenset[str], constants: frozenset[tuple[str, str]] = frozenset()
) -> PieceTemplate:
    """Compile the inside of a `personal` tag. Raises TemplateSyntaxError for names that do not exist there.

    `arguments` are the names of the tag's own, `constants` the names and values of those that are texts.
    """
    template = Template(source, engine=_engine())
    unknown = names_in(template.nodelist) - names_given_in(template.nodelist) - PERSONAL_NAMES - arguments
    if unknown:
        allowed = ", ".join(sorted(PERSONAL_NAMES | arguments))
        raise TemplateSyntaxError(
            f"{{% personal %}} knows {allowed}, not {', '.join(sorted(unknown))}. Hand other values over as "
            f"arguments: {{% personal {min(unknown)}=… %}}."
        )
    return PieceTemplate(template, {name: text for name, text in constants if name not in PERSONAL_NAMES})
