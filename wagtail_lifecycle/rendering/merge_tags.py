"""Merge tags: `{{ recipient.first_name | friend }}` in the subject, chips in rich text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches

from django.utils.translation import gettext as _

from wagtail_lifecycle import registry
from wagtail_lifecycle.exceptions import CompileError, UnknownName
from wagtail_lifecycle.rendering.pieces import MergeTag

_TAG = re.compile(r"\{\{\s*([\w.]+)\s*(?:\|\s*([^{}|]*?)\s*)?\}\}")
_TEMPLATE_SYNTAX = re.compile(r"\{[{%#]|[}%#]\}")


def allowed_merge_tags(audience: str) -> Mapping[str, object]:
    """Return the merge tags of the audience called `audience`, path → example; every audience's own if unknown."""
    try:
        tags: Mapping[str, object] = registry.audiences.get(audience.partition(":")[0]).merge_tags
    except UnknownName:
        return {"recipient.first_name": "Ana", "recipient.name": "Ana Costa"}
    return tags


def check_merge_tag(tag: MergeTag, allowed: Mapping[str, object], *, field: str) -> MergeTag:
    """Return `tag` if the audience offers it. Raises CompileError, with a suggestion."""
    if tag.path in allowed:
        return tag
    close = get_close_matches(tag.path, allowed, n=1, cutoff=0.5)
    known = ", ".join(f"{{{{ {path} }}}}" for path in allowed)
    message = _("This audience has no merge tag “%(path)s”. It offers %(known)s.")
    if close:
        message = _("This audience has no merge tag “%(path)s”. Did you mean “%(close)s”? It offers %(known)s.")
    raise CompileError(message % {"path": tag.path, "known": known, "close": "".join(close)}, field=field)


def mark_merge_tags(text: str, *, allowed: Mapping[str, object], field: str, mark: Callable[[MergeTag], str]) -> str:
    """Return `text` with each merge tag replaced by what `mark` returns for it.

    Raises CompileError for a tag the audience does not offer and for any other template syntax.
    """
    _refuse_template_syntax(_TAG.sub("", text), field=field)

    def replace(match: re.Match[str]) -> str:
        return mark(check_merge_tag(MergeTag(match[1], match[2] or ""), allowed, field=field))

    return _TAG.sub(replace, text)


def find_merge_tags(text: str, *, audience: str) -> list[str]:
    """Return the merge tags of the audience that stand in `text`, as they were typed."""
    allowed = allowed_merge_tags(audience)
    return [match[0] for match in _TAG.finditer(text) if match[1] in allowed]


def _refuse_template_syntax(text: str, *, field: str) -> None:
    found = _TEMPLATE_SYNTAX.search(text)
    if found:
        raise CompileError(
            _("“%(excerpt)s” is not a merge tag. Write {{ recipient.first_name | friend }}: a name and a fallback.")
            % {"excerpt": text[max(0, found.start() - 10) : found.end() + 20].strip()},
            field=field,
        )
