"""Versions of a campaign beside each other, in the words of the editor."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext
from wagtail.admin import compare, panels

from wagtail_lifecycle import registry
from wagtail_lifecycle.audiences import audience_choices
from wagtail_lifecycle.wagtail_admin.fields import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: Fields whose stored value is no word.
NAMED: Final[dict[str, Callable[[], Iterable[tuple[str, Any]]]]] = {
    "audience": audience_choices,
    "event": registry.events.choices,
}
SPOKEN: Final = ("DurationField", "BooleanField")


class WordsComparison(compare.FieldComparison):
    """Shows a value as the editor does."""

    def htmldiff(self) -> str:
        changes = [("deletion", self.say(self.val_a)), ("addition", self.say(self.val_b))]
        return str(compare.TextDiff(changes).to_html())

    def say(self, value: Any) -> str:
        """Return a value in words."""
        if isinstance(value, bool):
            return gettext("yes") if value else gettext("no")
        if isinstance(value, timedelta):
            return in_words(value)
        return str(dict(NAMED[self.field.name]()).get(value, value))


class FieldPanel(panels.FieldPanel):
    """Wagtail's, with a comparison in words."""

    def get_comparison_class(self) -> type[compare.FieldComparison]:
        field = self.db_field
        if field.name in NAMED or field.get_internal_type() in SPOKEN:
            return WordsComparison
        found: type[compare.FieldComparison] = super().get_comparison_class()
        return found
