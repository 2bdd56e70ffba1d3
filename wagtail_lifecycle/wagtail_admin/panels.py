"""The tabs of the campaign editor: what, who, when and by which rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldRowPanel, ObjectList, Panel, PublishingPanel, TabbedInterface
from wagtail.admin.staticfiles import versioned_static

from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.wagtail_admin.comparing import FieldPanel
from wagtail_lifecycle.wagtail_admin.forms import DAY_AND_TIME, NEEDED_BY, CampaignForm
from wagtail_lifecycle.wagtail_admin.inbox import InboxPanel
from wagtail_lifecycle.wagtail_admin.outlook import outlook_of
from wagtail_lifecycle.wagtail_admin.reach import ReachPanel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import Promise


class OutlookPanel(Panel):
    """The schedule in words and the next runs, kept up to date while the fields change."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_lifecycle/admin/outlook_panel.html"

        class Media:
            js = [versioned_static("wagtail_lifecycle/js/admin.js")]
            css = {"all": [versioned_static("wagtail_lifecycle/css/admin.css")]}

        def is_shown(self) -> bool:
            return self.instance is None or self.instance.is_source

        def get_context_data(self, parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            url = reverse(Campaign.snippet_viewset.get_url_name("outlook"))
            context["url"] = f"{url}?campaign={self.instance.pk or ''}"
            context["outlook"] = outlook_of(self.instance, timezone.now())
            return context


class SourcePanel(Panel):
    """Says in a translation where its audience, schedule and rules are."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_lifecycle/admin/source_panel.html"

        def is_shown(self) -> bool:
            return self.instance is not None and not self.instance.is_source

        def get_context_data(self, parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            source = self.instance.source
            context["source"] = source
            context["url"] = reverse(Campaign.snippet_viewset.get_url_name("edit"), args=[source.pk])
            return context


#: The browser's own pickers: they need no script, which Wagtail's put into the page.
WIDGETS = {
    "date": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    "time_of_day": forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
}


def schedule_field(name: str, heading: str | Promise = "") -> FieldPanel:
    """Return the panel of a field that only some triggers and frequencies need."""
    return FieldPanel(
        name,
        heading=heading,
        widget=WIDGETS.get(name),
        attrs={
            "data-lifecycle-needed-by": " ".join(NEEDED_BY[name]),
        },
    )


WHAT = ObjectList(
    [
        FieldPanel("name", heading=_("Editors know it as")),
        FieldPanel("sender", heading=_("The mail comes from")),
        FieldPanel("subject", heading=_("… with the subject")),
        FieldPanel("preheader", heading=_("… and, beside it in the inbox, the words")),
        InboxPanel(heading=_("In the inbox, with example values"), icon="mail"),
        FieldPanel("body", heading=_("It says")),
    ],
    heading=_("What"),
)
WHO = ObjectList(
    # There are a handful of topics: a list says more than a chooser.
    [
        SourcePanel(),
        FieldPanel("audience", heading=_("It goes to")),
        FieldPanel(
            "topic",
            heading=_("… who can opt out of"),
            help_text=_("Readers unsubscribe from a topic, not from a single campaign."),
            widget=forms.Select,
        ),
        FieldPanel("is_transactional"),
        ReachPanel(heading=_("How many that is"), icon="group"),
    ],
    heading=_("Who"),
    attrs={"data-controller": "lifecycle-reach", "data-action": "change->lifecycle-reach#changed"},
)
WHEN = ObjectList(
    [
        SourcePanel(),
        FieldPanel("trigger", heading=_("It goes out")),
        FieldRowPanel([schedule_field("event"), schedule_field("delay")], heading=_("… after"), icon="user"),
        schedule_field("frequency", _("… this often")),
        FieldRowPanel(
            [schedule_field(name) for name in DAY_AND_TIME], heading=_("… on this day, at this time"), icon="time"
        ),
        OutlookPanel(heading=_("Next runs"), icon="calendar-alt"),
    ],
    heading=_("When"),
    attrs={
        "data-controller": "lifecycle-schedule",
        "data-action": "input->lifecycle-schedule#changed change->lifecycle-schedule#changed",
    },
)
RULES = ObjectList(
    [
        SourcePanel(),
        schedule_field("late_within", _("If it could not go on time, it still goes when it is late by at most")),
        schedule_field("period", _("The reports in it cover")),
        FieldPanel("site", widget=forms.Select),
        PublishingPanel(),
    ],
    heading=_("Rules"),
)

edit_handler = TabbedInterface([WHAT, WHO, WHEN, RULES], base_form_class=CampaignForm)
