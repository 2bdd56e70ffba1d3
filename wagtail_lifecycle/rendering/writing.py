"""A Python function written line by line.

Nothing that somebody typed becomes code: texts stand in the source as `repr` writes them, other constants have names
made here, and the names of attributes are put into the parsed source, where they can be nothing else.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

from wagtail_lifecycle.rendering.encoding import joinable
from wagtail_lifecycle.rendering.lookups import LeftToDjango


class Slot:
    """A place in a function where lines can still be written when later ones are there."""

    def __init__(self, depth: int) -> None:
        self._indentation = " " * depth
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(self._indentation + line)


class Source:
    """A function of `values` and `memory` that returns text, or text encoded as `joinable` does it."""

    def __init__(self, helpers: Mapping[str, Any], *, is_encoded: bool = False) -> None:
        self._is_encoded = is_encoded
        self._namespace: dict[str, Any] = {"__builtins__": {}, **helpers}
        self._constants: dict[int, str] = {}
        self._attributes: dict[str, str] = {}
        self._numbers = count()
        self._slots: list[Slot] = []
        self._depth = 1
        #: what comes next in the text: expressions, and constant texts that are still to be joined
        self._pending: list[tuple[bool, str]] = []
        #: where the function begins
        self.top = self.slot()
        self.line("out = []")

    def fresh(self) -> str:
        """Return the name of a variable that nothing else has."""
        return f"v{next(self._numbers)}"

    def constant(self, value: Any) -> str:
        """Return a name for `value`, the same for the same object."""
        if id(value) not in self._constants:
            name = self._constants[id(value)] = f"k{len(self._constants)}"
            self._namespace[name] = value
        return self._constants[id(value)]

    def attribute(self, name: str) -> str:
        """Return what stands for the attribute `name` until the source is parsed."""
        stand_in = f"a{len(self._attributes)}"
        self._attributes[stand_in] = name
        return stand_in

    def slot(self) -> Slot:
        slot = Slot(self._depth)
        self._slots.append(slot)
        return slot

    def line(self, line: str) -> None:
        self.slot().write(line)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Write `head` and, below it, what is written meanwhile."""
        self._write_text()
        self.line(head)
        self._depth += 1
        self.line("pass")
        yield
        self._write_text()
        self._depth -= 1

    def add_text(self, text: str) -> None:
        """Append `text` to what the function returns."""
        if self._pending and self._pending[-1][0]:
            text = self._pending.pop()[1] + text
        self._pending.append((True, text))

    def add_expression(self, expression: str) -> None:
        """Append the value of `expression`, which `written` has made of one that is a string."""
        self._pending.append((False, expression))

    def written(self, expression: str, *, is_remembered: bool = False) -> str:
        """Return what is appended for a string; `is_remembered` if it comes again and again."""
        if not self._is_encoded:
            return expression
        return f"memory[encoded, {expression}]" if is_remembered else f"encoded({expression})"

    def _write_text(self) -> None:
        if self._pending:
            constant = joinable if self._is_encoded else str
            parts = [repr(constant(part)) if is_text else part for is_text, part in self._pending]
            self.line(f"out += ({', '.join(parts)},)")
            self._pending = []

    def function(self) -> Callable[[Mapping[str, Any], Any], Any]:
        """Return the function. Raises LeftToDjango for what Python cannot nest so deeply."""
        self._write_text()
        lines = ["def render(values, memory):", *(line for slot in self._slots for line in slot.lines)]
        try:
            tree = ast.parse("\n".join([*lines, f" return {'b' * self._is_encoded}''.join(out)"]))
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute):
                    node.attr = self._attributes.get(node.attr, node.attr)
            exec(compile(tree, "<piece>", "exec"), self._namespace)  # noqa: S102 - see above
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise LeftToDjango from error
        function: Callable[[Mapping[str, Any], Any], Any] = self._namespace["render"]
        return function
