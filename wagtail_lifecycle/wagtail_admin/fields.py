"""Form fields of the campaign editor: choices in words, which keep a stored value that is none of them any more."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from itertools import groupby
from typing import Any, Final
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from wagtail_lifecycle import registry
from wagtail_lifecycle.audiences import audience_choices
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.schedules.slots import FEWEST, MOST, fault_of_every

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
PATIENCES: Final = (
    *(timedelta(minutes=15), timedelta(minutes=30)),
    *(HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR),
    *(DAY, 3 * DAY, 7 * DAY),
)


#: How long after an event a mail may go.
DELAYS: Final = (
    *(timedelta(0), timedelta(minutes=15), timedelta(minutes=30)),
    *(HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR),
    *(DAY, 2 * DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY),
)


class KeepingChoiceField(forms.TypedChoiceField):
    """A select that shows and accepts the stored value also where it is no choice any more."""

    def keep(self, value: Any) -> None:
        """Add the stored value to the choices if it is missing there; publishing says what is wrong with it."""
        stored = self.prepare_value(value)
        if stored and not self.valid_value(stored):
            known: Any = self.choices
            self.choices = [*known, (stored, self.label_for_unknown(value))]

    def label_for_unknown(self, value: Any) -> str:
        return gettext("%(name)s (not available any more)") % {"name": value}


class AudienceField(KeepingChoiceField):
    """The registered audiences, variants expanded."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Audience"),
            choices=lambda: [("", gettext("Choose an audience")), *audience_choices()],
            help_text=_("Who gets the mail, looked up afresh for every run."),
        )


class EventField(KeepingChoiceField):
    """The registered events."""

    def __init__(self) -> None:
        super().__init__(
            label=_("What happens"),
            choices=lambda: [("", gettext("Choose an event")), *registry.events.choices()],
            help_text=_("Who belongs to the audience gets the mail when it happens to them."),
            required=False,
        )


class EveryField(forms.IntegerField):
    """How many minutes or hours; whatever is wrong with the number, it is one sentence."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Every"),
            help_text=_("For “every few minutes” and “every few hours”: how many."),
            min_value=FEWEST,
            max_value=MOST,
        )

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except ValidationError as error:
            # Whether it is missing is told by the code: drafts may lack it.
            raise ValidationError(fault_of_every(value), code=error.error_list[0].code) from error


class TimeZoneField(KeepingChoiceField):
    """The time zones by region; empty for the site's own."""

    def __init__(self) -> None:
        super().__init__(label=_("Time zone"), choices=time_zone_choices, required=False)


class DurationField(KeepingChoiceField):
    """Durations in words."""

    def __init__(self, *, label: Any, help_text: Any, durations: tuple[timedelta, ...] = PATIENCES) -> None:
        super().__init__(
            label=label,
            help_text=help_text,
            choices=lambda: [(self.prepare_value(duration), in_words(duration)) for duration in durations],
            coerce=lambda seconds: timedelta(seconds=int(seconds)),
        )

    def prepare_value(self, value: Any) -> Any:
        return str(int(value.total_seconds())) if isinstance(value, timedelta) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        # As text: what was posted may be no number, or one that no duration can have.
        return str(self.prepare_value(initial)) != str(data)

    def label_for_unknown(self, value: Any) -> str:
        return in_words(value)


def in_words(duration: timedelta) -> str:
    """Return a duration in its largest whole unit: "3 hours"."""
    if not duration:
        return gettext("at once")
    minutes = int(duration.total_seconds()) // 60
    if duration >= DAY and not duration % DAY:
        return ngettext("%(count)d day", "%(count)d days", duration.days) % {"count": duration.days}
    if duration >= HOUR and not duration % HOUR:
        hours = duration // HOUR
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


def time_zone_choices() -> list[Any]:
    site = gettext("The site's own (%(zone)s)") % {"zone": settings.time_zone.key}
    return [("", site), *((region or gettext("Other"), list(named)) for region, named in _zones_by_region())]


@cache
def _zones_by_region() -> list[tuple[str, list[tuple[str, str]]]]:
    # Reading the names walks through the zone files; they do not change while a process runs.
    by_region = groupby(sorted(available_timezones(), key=_region_first), key=_region)
    return [(region, [(name, name.replace("_", " ")) for name in names]) for region, names in by_region]


def _region(name: str) -> str:
    region, slash, _rest = name.partition("/")
    return region if slash else ""


def _region_first(name: str) -> tuple[bool, str]:
    return (not _region(name), name)
