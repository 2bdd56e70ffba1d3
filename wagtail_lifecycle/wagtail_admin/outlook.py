"""What the schedule of a campaign means: the sentence and the next runs under its fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.views.generic import View
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from wagtail_lifecycle import registry, schedules
from wagtail_lifecycle.data_sources import Period
from wagtail_lifecycle.exceptions import InvalidSchedule, UnknownName
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.wagtail_admin.fields import EveryField
from wagtail_lifecycle.wagtail_admin.forms import SCHEDULE_FIELDS, is_needed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from django.http import HttpRequest, HttpResponse

    from wagtail_lifecycle.events import Event

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Campaign]
else:
    ModelForm = forms.ModelForm

TEMPLATE: Final = "wagtail_lifecycle/admin/outlook.html"
#: How many runs are foretold.
RUNS: Final = 5


@dataclass(frozen=True)
class Outlook:
    """When a campaign will go, for people."""

    #: the schedule in words; empty where it is incomplete
    sentence: str = ""
    #: the next runs, in the campaign's own zone
    runs: tuple[Moment, ...] = ()
    #: which days the first run reports on
    period: str = ""
    #: what it waits for, where it is an event
    event: str = ""
    #: what may surprise: short months, clock changes
    notes: tuple[str, ...] = ()
    #: why it will never go
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Moment:
    """An instant as a clock in some zone shows it."""

    instant: datetime
    #: "Tuesday 1 December 2026, 09:00"
    words: str


def moment(instant: datetime, zone: ZoneInfo) -> Moment:
    """Return `instant` in the words of the active language, by the clocks of `zone`."""
    local = instant.astimezone(zone)
    words = {"weekday": date_format(local, "l"), "date": date_format(local), "time": f"{local:%H:%M}"}
    return Moment(instant, gettext("%(weekday)s %(date)s, %(time)s") % words)


def outlook_of(campaign: Campaign, now: datetime) -> Outlook:
    """Return when `campaign`, saved or not, will go: computed by what decides it."""
    try:
        schedules.check(campaign, now)
    except InvalidSchedule as error:
        return Outlook(problems=(str(error),))
    if campaign.is_on_event:
        return _on_event(campaign)
    slots = schedules.next_slots(campaign, now, count=RUNS)
    return Outlook(
        sentence=schedules.describe(campaign),
        runs=tuple(moment(slot, campaign.zone) for slot in slots),
        period=_period_sentence(campaign, slots) if slots else "",
        notes=tuple(schedules.notes(campaign, now)),
    )


def _on_event(campaign: Campaign) -> Outlook:
    if not campaign.event:
        return Outlook(problems=(gettext("Choose the event that the mail follows."),))
    try:
        event: type[Event] = registry.events.get(campaign.event)
    except UnknownName:
        sentence = gettext("The event “%(name)s” does not exist any more. Choose another one.")
        return Outlook(problems=(sentence % {"name": campaign.event},))
    once = gettext("Everybody gets it once for each time it happens to them after you have published the campaign.")
    return Outlook(
        sentence=schedules.describe(campaign), event=str(event.description) or str(event.label), notes=(once,)
    )


def _period_sentence(campaign: Campaign, slots: Sequence[datetime]) -> str:
    try:
        label = Period.for_slot(campaign.period, slots[0]).label
    except ValueError:
        return ""
    if len(slots) == 1:
        return gettext("Reports in it cover %(period)s.") % {"period": label}
    return gettext("Reports in the first of them cover %(period)s.") % {"period": label}


class ScheduleForm(ModelForm):
    """Reads the unsaved fields of the editor, none of which needs to be there."""

    every = EveryField()

    class Meta:
        model = Campaign
        fields = (*SCHEDULE_FIELDS, "period")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = False

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with the fields that matter to the frequency."""
        matters = (name for name in self.errors if is_needed(name, self.cleaned_data))
        return tuple(str(sentence) for name in matters for sentence in self.errors[name])


class OutlookView(PermissionCheckedMixin, View):
    """Answers with the outlook of a schedule that is being edited, as a fragment of HTML; saves nothing."""

    model = Campaign
    any_permission_required = ["add", "change"]
    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        form = ScheduleForm(request.GET, instance=Campaign(pk=_number(request.GET.get("campaign", ""))))
        found = outlook_of(form.instance, timezone.now()) if form.is_valid() or not form.faults else None
        return render(request, TEMPLATE, {"outlook": found or Outlook(problems=form.faults)})


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None  # noqa: PLR2004 - a bigint
