"""Piece templates as plain Python functions, many times as fast as Django's nodes and with the same result.

Django's engine looks every name up in a stack of dictionaries and asks three questions about each value. A piece knows
few names and plain data, so its nodes become one function that does the one thing its values need. Only the happy path
is done here. A tag that is not known below, a name that is missing, a value that is a function, a filter that raises:
the whole piece is rendered by Django, whose answer always counts. Pieces have no side effects, so a second rendering is
harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any, Final

from django.template import Context, Template
from django.template.base import FilterExpression, Node, NodeList, TextNode, Variable, VariableNode
from django.template.defaulttags import CommentNode, ForNode, IfNode, LoadNode, WithNode
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation
from django.utils.safestring import SafeString

from wagtail_lifecycle.rendering import showing
from wagtail_lifecycle.rendering.encoding import joinable
from wagtail_lifecycle.rendering.expressions import HELPERS, Expressions, Name
from wagtail_lifecycle.rendering.lookups import LeftToDjango
from wagtail_lifecycle.rendering.remembering import MEMORY, Memory, memory_of
from wagtail_lifecycle.rendering.writing import Source

NONE: Final[Mapping[str, str]] = {}

Quick = Callable[[Mapping[str, Any], Memory], Any]


class PieceTemplate:
    """A template that renders the short way where there is one."""

    def __init__(self, template: Template, constants: Mapping[str, str] = NONE) -> None:
        self.template = template
        #: texts that have a name in the template and are the same for everybody
        self.constants = constants
        self._quick: dict[tuple[bool, bool], Quick | None] = {}

    def render(self, values: Mapping[str, Any], *, autoescape: bool) -> str:
        text: str | None = self._quickly(values, autoescape=autoescape)
        return self.render_by_django(values, autoescape=autoescape) if text is None else text

    def encode(self, values: Mapping[str, Any], *, autoescape: bool) -> bytes:
        """Return the same as `joinable` makes it; what the template has of its own is encoded once."""
        octets: bytes | None = self._quickly(values, autoescape=autoescape, is_encoded=True)
        return joinable(self.render_by_django(values, autoescape=autoescape)) if octets is None else octets

    def _quickly(self, values: Mapping[str, Any], *, autoescape: bool, is_encoded: bool = False) -> Any:
        """Return what the function says that is written for this way; None where there is none."""
        way = (autoescape, is_encoded)
        if way not in self._quick:
            compiler = Compiler(Source(HELPERS, is_encoded=is_encoded), autoescape=autoescape, constants=self.constants)
            self._quick[way] = _compiled(self.template.nodelist, compiler)
        quick = self._quick[way]
        if quick is None:
            return None
        try:
            return quick(values, values[MEMORY] if MEMORY in values else memory_of(translation.get_language()))
        except Exception:  # noqa: BLE001 - whatever it is, Django decides what it means
            return None

    def render_by_django(self, values: Mapping[str, Any], *, autoescape: bool) -> str:
        return str(self.template.render(Context(dict(values), autoescape=autoescape)))


def _compiled(nodes: NodeList, compiler: Compiler) -> Quick | None:
    try:
        compiler.write(nodes)
        return compiler.source.function()
    except (LeftToDjango, RecursionError):
        return None


class Compiler:
    """Writes nodes into a source. Raises LeftToDjango for what it does not know."""

    def __init__(self, source: Source, *, autoescape: bool, constants: Mapping[str, str] = NONE) -> None:
        self.source = source
        self.constants = constants
        self.expressions = Expressions(source, autoescape=autoescape)

    def write(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            # The very class: a subclass may do something else.
            if type(node) in SILENT:
                continue
            if type(node) not in WRITERS:
                raise LeftToDjango
            WRITERS[type(node)](self, node)

    def write_text(self, node: TextNode) -> None:
        self.source.add_text(node.s)

    def write_variable(self, node: VariableNode) -> None:
        expression = node.filter_expression
        if type(expression.var) is SafeString and not expression.filters:
            self.source.add_text(str(expression.var))
        elif (constant := self._constant(expression)) is not None:
            self.source.add_text(escape(constant) if self.expressions.autoescape else constant)
        else:
            self.source.add_expression(self.expressions.written(expression))

    def _constant(self, expression: FilterExpression) -> str | None:
        """Return the text of an argument of the tag that stands there as it is, so that it is encoded only once."""
        variable = expression.var
        if type(variable) is not Variable or variable.translate or expression.filters:
            return None
        name, *steps = variable.lookups or [""]
        return None if steps or self.expressions.is_given(name) else self.constants.get(name)

    def write_loop(self, node: Any) -> None:
        if len(node.loopvars) != 1 or node.is_reversed:
            raise LeftToDjango
        items = self.expressions.variable(f"items({self.expressions.value(node.sequence)})").variable
        item = self.source.fresh()
        with self.source.block(f"for {item} in {items}:"):
            names = {node.loopvars[0]: Name(item, self.source.slot()), "forloop": None}
            with self.expressions.given(names):
                self.write(node.nodelist_loop)
        if node.nodelist_empty:
            with self.source.block(f"if len({items}) == 0:"):
                self.write(node.nodelist_empty)

    def write_choice(self, node: Any) -> None:
        keyword = "if"
        for test, nodes in node.conditions_nodelists:
            head = "else:" if test is None else f"{keyword} {self.expressions.condition(test)}:"
            with self.source.block(head):
                self.write(nodes)
            keyword = "elif"

    def write_with(self, node: Any) -> None:
        with self.expressions.given(self._named(node.extra_context)):
            self.write(node.nodelist)

    def write_translated(self, node: Any) -> None:
        variable = node.filter_expression.var
        if node.asvar or node.message_context or node.filter_expression.filters:
            raise LeftToDjango
        if type(variable) is not Variable or variable.lookups is not None:
            raise LeftToDjango
        key = self.source.constant((showing.translated, node, self.expressions.autoescape))
        self.source.add_expression(self.source.written(f"memory[{key}]", is_remembered=True))

    def write_translated_block(self, node: Any) -> None:
        if node.asvar or node.message_context:
            raise LeftToDjango
        with self.expressions.given(self._named(node.extra_context)):
            if node.plural:
                self._write_plural(node)
            else:
                singular, names = node.render_token_list(node.singular)
                self._write_message("gettext" if names else "message", repr(singular), names)

    def _write_plural(self, node: Any) -> None:
        [(singular, names), (plural, more_names)] = map(node.render_token_list, (node.singular, node.plural))
        count = self.expressions.named(node.counter)
        with self.expressions.given({node.countervar: count}):
            # Which plural a number takes is what gettext thinks longest about.
            number = f"{count.variable} if {count.variable}.__class__ is int else left_to_django()"
            names += more_names
            function = "ngettext" if names else "plural_message"
            self._write_message(function, f"{singular!r}, {plural!r}, {number}", names)

    def _write_message(self, function: str, arguments: str, names: Iterable[str]) -> None:
        shown = [f"{name!r}: {self.expressions.shown_name(name)}" for name in dict.fromkeys(names)]
        message = f"memory[{function}, {arguments}]"
        text = f"({message} % {{{', '.join(shown)}}})" if shown else message
        self.source.add_expression(self.source.written(text, is_remembered=not shown))

    def _named(self, expressions: Mapping[str, FilterExpression]) -> dict[str, Name]:
        return {name: self.expressions.named(expression) for name, expression in expressions.items()}


SILENT: Final = frozenset({CommentNode, LoadNode})
WRITERS: Final[Mapping[type[Node], Callable[[Compiler, Any], None]]] = {
    TextNode: Compiler.write_text,
    VariableNode: Compiler.write_variable,
    ForNode: Compiler.write_loop,
    IfNode: Compiler.write_choice,
    WithNode: Compiler.write_with,
    TranslateNode: Compiler.write_translated,
    BlockTranslateNode: Compiler.write_translated_block,
}
