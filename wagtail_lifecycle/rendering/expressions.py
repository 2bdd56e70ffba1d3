"""Python expressions that say what Django's variables, filters and conditions say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from html import escape
from typing import Any, Final, cast

from django.template.base import FilterExpression, Variable
from django.template.defaulttags import TemplateLiteral
from django.template.smartif import TokenBase
from django.utils.safestring import mark_safe
from django.utils.timezone import template_localtime  # type: ignore[attr-defined] # the stubs forgot it
from django.utils.translation import gettext, ngettext

from wagtail_lifecycle.rendering import showing
from wagtail_lifecycle.rendering.encoding import joinable
from wagtail_lifecycle.rendering.lookups import KINDS, LeftToDjango, items, kept_safe, left_to_django, plain
from wagtail_lifecycle.rendering.remembering import REMEMBERED
from wagtail_lifecycle.rendering.writing import Slot, Source

BUILTIN_NAMES: Final = {"True": True, "False": False, "None": None}
OPERATORS: Final[Mapping[str, str]] = {
    name: name for name in ("and", "or", "in", "not in", "is", "is not", "==", "!=", ">", ">=", "<", "<=")
}
HELPERS: Final[Mapping[str, Any]] = {
    "callable": callable,
    "encoded": joinable,
    "escape": escape,
    "gettext": gettext,
    "int": int,
    "items": items,
    "kept_safe": kept_safe,
    "kinds": KINDS,
    "left_to_django": left_to_django,
    "len": len,
    "localtime": template_localtime,
    "message": showing.message,
    "ngettext": ngettext,
    "plain": plain,
    "plural_message": showing.plural_message,
    "str": str,
}


class Name:
    """A variable of the function. What its value has to be asked is asked once, where it gets it, if anybody asks."""

    def __init__(self, variable: str, slot: Slot) -> None:
        self.variable = variable
        self._slot = slot

    @cached_property
    def value(self) -> str:
        self._slot.write(f"if callable({self.variable}): left_to_django()")
        return self.variable

    @cached_property
    def has_items(self) -> str:
        self._slot.write(f"{self.variable}_has_items = kinds[{self.variable}.__class__]")
        return f"{self.variable}_has_items"


class Expressions:
    """Writes expressions for a source, and knows the names of the place that is being written."""

    def __init__(self, source: Source, *, autoescape: bool) -> None:
        self.source = source
        self.autoescape = autoescape
        self._show = source.constant(showing.shower(autoescape=autoescape))
        #: names that the values give, and names that tags around the place give, which come first
        self._free: dict[str, Name] = {}
        self._given: dict[str, Name | None] = {}

    @contextmanager
    def given(self, names: Mapping[str, Name | None]) -> Iterator[None]:
        """Know `names` for the length of a `with` block; None is a name that only Django knows."""
        outer, self._given = self._given, {**self._given, **names}
        yield
        self._given = outer

    def is_given(self, name: str) -> bool:
        """Tell whether a tag around this place gives `name` a value of its own."""
        return name in self._given

    def name(self, name: str) -> Name:
        if name in self._given:
            known = self._given[name]
            if known is None:
                raise LeftToDjango
            return known
        if name not in self._free:
            variable, top = self.source.fresh(), self.source.top
            default = f".get({name!r}, {BUILTIN_NAMES[name]!r})" if name in BUILTIN_NAMES else f"[{name!r}]"
            top.write(f"{variable} = values{default}")
            self._free[name] = Name(variable, top)
        return self._free[name]

    def named(self, expression: FilterExpression) -> Name:
        """Write a line that gives the value a variable of its own."""
        return self.variable(self._raw(expression))

    def variable(self, expression: str) -> Name:
        variable = self.source.fresh()
        self.source.line(f"{variable} = {expression}")
        return Name(variable, self.source.slot())

    def value(self, expression: FilterExpression) -> str:
        """Return an expression of the value, which is nothing that Django would call."""
        return self._checked(self._raw(expression))

    def written(self, expression: FilterExpression) -> str:
        """Return an expression of what the function returns of the value's text."""
        written = self.source.written
        if not expression.filters or not _is_remembered(*expression.filters[-1]):
            return written(self._text(self._raw(expression)))
        [*filters, (function, arguments)] = expression.filters
        value, again = self._bound(self._filtered(self._looked_up(expression.var), filters))
        known = self._remembered(showing.shown(function, autoescape=self.autoescape), again)
        otherwise = self._called(f"plain({again})", function, arguments)
        known = written(self._text_or_shown(known), is_remembered=True)
        return f"({known} if {value}.__class__ is int else {written(self._text(otherwise))})"

    def shown_name(self, name: str) -> str:
        return self._text(self.name(name).value)

    def _text(self, value: str) -> str:
        """Return an expression of the text of the expression `value`."""
        value, again = self._bound(value)
        escaped = f"escape({again})" if self.autoescape else again
        return f"({escaped} if {value}.__class__ is str else {self._show}({again}))"

    def _text_or_shown(self, value: str) -> str:
        value, again = self._bound(value)
        return f"({again} if {value}.__class__ is str else {self._show}({again}))"

    def condition(self, test: TokenBase) -> str:
        if isinstance(test, TemplateLiteral):
            return self.value(cast("FilterExpression", test.value))
        if test.id == "not":
            return f"(not {self.condition(test.first)})"
        if test.id not in OPERATORS:
            raise LeftToDjango
        return f"({self.condition(test.first)} {OPERATORS[test.id]} {self.condition(test.second)})"

    def _raw(self, expression: FilterExpression) -> str:
        return self._filtered(self._looked_up(expression.var), expression.filters)

    def _looked_up(self, variable: Any) -> str:
        """Return an expression of what `variable` names. Its last step may find something that Django would call."""
        if not isinstance(variable, Variable):
            return self.source.constant(variable)
        if variable.translate:
            raise LeftToDjango
        if variable.lookups is None:
            return self.source.constant(variable.literal)
        first, *steps = map(str, variable.lookups)
        name = self.name(first)
        if not steps:
            return name.value
        found = self._step(name.has_items, name.value, steps[0])
        for step in steps[1:]:
            value, again = self._bound(self._checked(found))
            found = self._step(f"kinds[{value}.__class__]", again, step)
        return found

    def _step(self, has_items: str, value: str, name: str) -> str:
        return f"({value}[{name!r}] if {has_items} else {value}.{self.source.attribute(name)})"

    def _checked(self, value: str) -> str:
        if value.isidentifier():
            return value
        value, again = self._bound(value)
        return f"(left_to_django() if callable({value}) else {again})"

    def _bound(self, value: str) -> tuple[str, str]:
        """Return an expression of the value and a shorter one for after that."""
        if value.isidentifier():
            return value, value
        variable = self.source.fresh()
        return f"({variable} := {value})", variable

    def _filtered(self, value: str, filters: Iterable[tuple[Any, Any]]) -> str:
        for function, arguments in filters:
            value = self._checked(value)
            if _is_remembered(function, arguments):
                value, again = self._bound(value)
                otherwise = self._called(again, function, arguments)
                value = f"({self._remembered(function, again)} if {value}.__class__ is int else {otherwise})"
            else:
                value = self._called(value, function, arguments)
        return value

    def _remembered(self, function: Callable[..., Any], value: str) -> str:
        return f"memory[{self.source.constant(function)}, {value}]"

    def _called(self, value: str, function: Callable[..., Any], arguments: Iterable[tuple[bool, Any]]) -> str:
        if getattr(function, "expects_localtime", False):
            value = f"localtime({value})"
        value, again = self._bound(value)
        given = [value, *(self._argument(*argument) for argument in arguments)]
        if getattr(function, "needs_autoescape", False):
            given.append(f"autoescape={self.autoescape!r}")
        called = f"{self.source.constant(function)}({', '.join(given)})"
        return f"kept_safe({called}, {again})" if getattr(function, "is_safe", False) else called

    def _argument(self, is_lookup: bool, argument: Any) -> str:  # noqa: FBT001 - as Django keeps it
        if is_lookup:
            return self._checked(self._looked_up(argument))
        return self.source.constant(mark_safe(argument))  # noqa: S308 - as Django does


def _is_remembered(function: Callable[..., Any], arguments: Collection[Any]) -> bool:
    return function in REMEMBERED and not arguments
