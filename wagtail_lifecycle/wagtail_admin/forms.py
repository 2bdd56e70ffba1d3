"""The form of a campaign: a draft may be incomplete, what is published must be sendable."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.blocks import StreamBlockValidationError

from wagtail_lifecycle import schedules
from wagtail_lifecycle.exceptions import InvalidSchedule
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.models.problems import body_sentences
from wagtail_lifecycle.preflight.sending import Scheduled
from wagtail_lifecycle.wagtail_admin.access_sites import may_publish_for, offer_sites
from wagtail_lifecycle.wagtail_admin.fields import (
    DELAYS,
    AudienceField,
    DurationField,
    EventField,
    EveryField,
    KeepingChoiceField,
    TimeZoneField,
)
from wagtail_lifecycle.wagtail_admin.inbox import TAGGED
from wagtail_lifecycle.wagtail_admin.preflight_reports import report_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wagtail.models import Site

#: What a campaign on an event has in place of a frequency.
ON_EVENT: Final = "event"
#: The fields that a frequency or an event needs; the others are hidden, and what stands in them does not matter.
ON_DAYS: Final = ("daily", "weekdays", "weekly", "monthly")
ON_SCHEDULE: Final = tuple(Campaign.Frequency.values)
NEEDED_BY: Final[dict[str, tuple[str, ...]]] = {
    "event": (ON_EVENT,),
    "delay": (ON_EVENT,),
    "frequency": ON_SCHEDULE,
    "every": ("minutes", "hours"),
    "weekday": ("weekly",),
    "month_day": ("monthly",),
    "date": ("once",),
    "time_of_day": (*ON_DAYS, "once"),
    "time_zone": ("minutes", "hours", *ON_DAYS, "once"),
    "late_within": ON_SCHEDULE,
    "period": ON_SCHEDULE,
}
#: The fields beside each other under "Day and time".
DAY_AND_TIME: Final = ("every", "weekday", "month_day", "date", "time_of_day", "time_zone")
SCHEDULE_FIELDS: Final = ("trigger", "event", "delay", "frequency", *DAY_AND_TIME)
#: What a new campaign begins with.
MORNING: Final = time(9)
#: What a translation has from its source.
SOURCE_FIELDS: Final = (
    *("site", "sender", "audience", "topic", "is_transactional"),
    *(*SCHEDULE_FIELDS, "late_within", "period"),
)
#: Required to publish, though the database takes them empty.
REQUIRED: Final = ("subject", "sender", "body", "audience")


def is_needed(name: str, cleaned: Mapping[str, Any]) -> bool:
    """Return whether a field matters, by the values of a form: trigger and frequency decide."""
    kind = ON_EVENT if cleaned.get("trigger") == Campaign.Trigger.EVENT else cleaned.get("frequency")
    return not kind or kind in NEEDED_BY.get(name, (kind,))


def direction_of(language: str) -> str:
    """Return the direction that `language` is written in, as HTML calls it."""
    with translation.override(language):
        return "rtl" if translation.get_language_bidi() else "ltr"


class CampaignForm(WagtailAdminModelForm):
    """Says at each field, in a sentence, why the campaign cannot be sent."""

    #: how the editor's button is called
    PUBLISH: Final = "action-publish"

    audience = AudienceField()
    event = EventField()
    delay = DurationField(label=_("Delay"), help_text=_("How long after it the mail goes."), durations=DELAYS)
    every = EveryField()
    time_zone = TimeZoneField()
    late_within = DurationField(
        label=_("Still send if late by up to"),
        help_text=_("When the server was down at the time of a run. Later than that, the run is skipped."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None and self.instance.time_of_day is None and not self.is_bound:
            self.initial["time_of_day"] = self.instance.time_of_day = MORNING
        if not self.instance.is_source:
            # Its own may have left the settings, which would stop publishing at a field that is not shown.
            self.instance.sender = self.instance.source.sender
            for name in SOURCE_FIELDS:
                self.fields.pop(name, None)
        for name in TAGGED:
            # By the language of the mail: the braces of a merge tag would mislead dir="auto".
            self.fields[name].widget.attrs["dir"] = direction_of(self.instance.language)
        offer_sites(self)
        if "topic" in self.fields:
            self.fields["topic"].empty_label = gettext("None")
        for name, field in self.fields.items():
            field.required = field.required or name in REQUIRED
            if isinstance(field, KeepingChoiceField):
                field.keep(getattr(self.instance, name))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in self.fields:
            if self._keeps_its_value(name):
                cleaned.pop(name, None)
                self.errors.pop(name, None)
        return cleaned

    def _keeps_its_value(self, name: str) -> bool:
        """Tell whether the stored value stays, whatever was posted."""
        is_hidden = not is_needed(name, self.cleaned_data)
        return is_hidden or (self.is_deferred_validation and self.has_error(name, code="required"))

    def clean_site(self) -> Site | None:
        site: Site | None = self.cleaned_data["site"]
        # Whoever may publish for some sites only, may do so for the chosen one.
        if self.PUBLISH in self.data and not may_publish_for(self.for_user, site):
            raise ValidationError(gettext("You may not publish for this site. Save the campaign as a draft."))
        return site

    def _post_clean(self) -> None:
        # Here, not in clean(): the campaign has its new values only after this, and it is asked for its problems.
        super()._post_clean()
        if not self.is_deferred_validation:
            self._report_problems()

    def _report_problems(self) -> None:
        sentences: dict[str, list[str]] = {}
        for field, sentence in self._problems():
            sentences.setdefault(field, []).append(sentence)
        for field, found in sentences.items():
            self._report(field if field in self.fields else None, found)

    def _problems(self) -> Iterator[tuple[str, str]]:
        self.report = report_of(self.instance, timezone.now())
        for finding in self.report.blockers:
            # The instance has kept its old body where the new one did not pass. The schedule comes below.
            is_of_old_body = finding.field == "body" and "body" in self.errors
            if not is_of_old_body and finding.code != Scheduled.name:
                yield finding.field, finding.message
        if "body" in self.errors:
            (error,) = self.errors["body"].as_data()
            for sentence in body_sentences(error, self["body"].value()):
                yield "body", sentence
        if self.instance.is_source:
            yield from self._schedule_problem()

    def _schedule_problem(self) -> Iterator[tuple[str, str]]:
        if any(self.has_error(name) for name in SCHEDULE_FIELDS):
            return
        try:
            schedules.check(self.instance, timezone.now())
        except InvalidSchedule as error:
            yield error.field, str(error)

    def _report(self, field: str | None, sentences: list[str]) -> None:
        """Put sentences at a field, in place of a bare "this field is required"."""
        if field == "body":
            self._report_body(sentences)
            return
        if field and self.has_error(field, code="required"):
            del self.errors[field]
        if field is None or not self.has_error(field):
            self.add_error(field, [ValidationError(sentence, code="unsendable") for sentence in sentences])

    def _report_body(self, sentences: list[str]) -> None:
        """Say it above the blocks, and leave the marks at the blocks: the editor shows one error of the body only."""
        blocks: dict[int, ValidationError] = {}
        if "body" in self.errors:
            (error,) = self.errors["body"].as_data()
            blocks = getattr(error, "block_errors", {})
            del self.errors["body"]
        # Wagtail's script puts each above the one before.
        self.add_error("body", StreamBlockValidationError(block_errors=blocks, non_block_errors=sentences[::-1]))
