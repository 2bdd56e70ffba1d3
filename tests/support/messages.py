"""The messages that our code asks gettext for, found without gettext's own tools."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation.template import templatize

#: (context, message); both plural forms stand under the singular one
Message = tuple[str | None, str]

TEMPLATES = {".html", ".mjml", ".txt"}
CALLS = {
    "_": (0, None),
    "gettext": (0, None),
    "gettext_lazy": (0, None),
    "gettext_noop": (0, None),
    "ngettext": (0, None),
    "ngettext_lazy": (0, None),
    "pgettext": (1, 0),
    "pgettext_lazy": (1, 0),
    "npgettext": (1, 0),
    "npgettext_lazy": (1, 0),
}
#: what `templatize` makes of a template: calls between characters that mean nothing
CALL = re.compile(r"""\b(?:np|n|p)?gettext\((?:u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*"|[\s,]|count)*\)|\b_\([^()]*\)""")


def messages_of(package: Path) -> set[Message]:
    """Return every message of the package's Python files and templates."""
    found: set[Message] = set()
    for path in package.rglob("*"):
        if path.suffix == ".py":
            found.update(in_python(path.read_text(encoding="utf-8")))
        elif path.suffix in TEMPLATES:
            found.update(in_template(path.read_text(encoding="utf-8")))
    return found


def in_python(source: str) -> Iterator[Message]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and (places := CALLS.get(getattr(node.func, "id", ""))):
            message, context = places
            words = [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args]
            if len(words) > message and isinstance(words[message], str):
                yield (words[context] if context is not None else None, words[message])


def in_template(source: str) -> Iterator[Message]:
    for call in CALL.findall(templatize(source)):
        yield from in_python(call)
