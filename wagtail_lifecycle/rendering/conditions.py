"""Whether a condition holds for one person, and whether it can be asked at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from wagtail_lifecycle import registry
from wagtail_lifecycle.blocks.conditions import OF_DATA, OF_READER, Condition
from wagtail_lifecycle.exceptions import CompileError
from wagtail_lifecycle.rendering.pieces import value_at


def check_condition(condition: Condition, merge_tags: Mapping[str, object]) -> Condition:
    """Return `condition` if the audience and the site can answer it. Raises CompileError for what is gone."""
    if condition.kind in OF_READER and condition.name in merge_tags:
        return condition
    if condition.kind in OF_DATA and condition.name in registry.data_sources:
        return condition
    if condition.kind in OF_READER:
        message = _("A block is shown only if “%(name)s” is known or not, which this audience cannot tell.")
    else:
        message = _("A block is shown only if there is something about “%(name)s”, which is gone.")
    raise CompileError(message % {"name": condition.name or condition.kind}, field="body")


def holds(condition: Condition, values: Mapping[str, Any]) -> bool:
    """Tell whether `condition` is so for the person whose values these are, as pieces know them."""
    if condition.kind in OF_DATA:
        return there_is(condition.name, values["data"]) is OF_DATA[condition.kind]
    return (value_at(condition.name, values) not in (None, "")) is OF_READER[condition.kind]


def there_is(name: str, data: Mapping[str, object]) -> bool:
    """Tell whether the data source called `name` has something to report in `data`, one person's."""
    value = data.get(name)
    return value is not None and not registry.data_sources.get(name)().is_empty(value)
