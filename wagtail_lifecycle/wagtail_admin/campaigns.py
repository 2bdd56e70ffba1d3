"""Campaigns in the admin: the list, the editor, and what may not be deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import django_filters
from django import forms
from django.contrib import messages
from django.db.models import Q
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import LocaleColumn
from wagtail.snippets.views.snippets import IndexView, SnippetViewSet

from wagtail_lifecycle.audiences import audience_choices
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.models import Campaign, Run, RunContent, Topic
from wagtail_lifecycle.models.versions import is_topic_used, revisions_of
from wagtail_lifecycle.schedules import watching
from wagtail_lifecycle.wagtail_admin import previews
from wagtail_lifecycle.wagtail_admin.access import ANY, may, remember_homes, scope
from wagtail_lifecycle.wagtail_admin.access_views import (
    CampaignChooserViewSet,
    ConfirmCancellationView,
    of_one_campaign,
)
from wagtail_lifecycle.wagtail_admin.columns import WIDE, SubtitledColumn, TemplateColumn, TextColumn, capitalised
from wagtail_lifecycle.wagtail_admin.exports import HarmlessExportMixin
from wagtail_lifecycle.wagtail_admin.forms import ON_EVENT
from wagtail_lifecycle.wagtail_admin.outlook import OutlookView, moment
from wagtail_lifecycle.wagtail_admin.panels import edit_handler
from wagtail_lifecycle.wagtail_admin.preflight import PreflightView
from wagtail_lifecycle.wagtail_admin.preflight_editor import CampaignCopyView, CampaignCreateView, CampaignEditView
from wagtail_lifecycle.wagtail_admin.progress import progress_buttons
from wagtail_lifecycle.wagtail_admin.reach import PersonView, ReachView
from wagtail_lifecycle.wagtail_admin.resuming import ResumeView, resume_buttons
from wagtail_lifecycle.wagtail_admin.sender_states import paused_labels
from wagtail_lifecycle.wagtail_admin.standings import STATUSES, moderated_ids, running_ids, sent_ids, standings_of
from wagtail_lifecycle.wagtail_admin.starters import BeginView, GalleryView, PictureView
from wagtail_lifecycle.wagtail_admin.test_mails import TestMailView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

ICON: Final = "mail"

BY_STATUS: Final[dict[str, dict[str, Any]]] = {
    "draft": {"live": False},
    "live": {"live": True, "state__problem": "", "state__pause_reason": ""},
    "problem": {"live": True, "state__problem__gt": ""},
    "paused": {"live": True, "state__problem": "", "state__pause_reason__gt": ""},
}


class CampaignFilterSet(WagtailFilterSet):
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=lambda: capitalised(STATUSES.items()),
        method="filter_status",
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )
    frequency = django_filters.MultipleChoiceFilter(
        label=_("When"),
        choices=lambda: [*Campaign.Frequency.choices, (ON_EVENT, Campaign.Trigger.EVENT.label)],
        method="filter_frequency",
        widget=forms.CheckboxSelectMultiple,
    )
    audience = django_filters.MultipleChoiceFilter(
        label=_("Audience"), choices=audience_choices, widget=forms.CheckboxSelectMultiple
    )
    topic = django_filters.ModelMultipleChoiceFilter(
        label=_("Topic"), queryset=Topic.objects.all(), widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Campaign
        fields: list[str] = []

    def filter_status(self, campaigns: QuerySet[Campaign], _name: str, value: str) -> QuerySet[Campaign]:
        # By primary key, because search does not know the columns of other tables.
        special = {"sent": sent_ids(), "running": running_ids(), "moderation": moderated_ids()}
        if value in special:
            return campaigns.filter(pk__in=special[value])
        elsewhere = {pk for found in special.values() for pk in found}
        ids = Campaign.objects.filter(**BY_STATUS[value]).exclude(pk__in=elsewhere).values_list("pk", flat=True)
        return campaigns.filter(pk__in=list(ids))

    def filter_frequency(self, campaigns: QuerySet[Campaign], _name: str, values: list[str]) -> QuerySet[Campaign]:
        if not values:
            return campaigns
        wanted = Q(trigger=Campaign.Trigger.SCHEDULE, frequency__in=values)
        if ON_EVENT in values:
            wanted |= Q(trigger=Campaign.Trigger.EVENT)
        return campaigns.filter(pk__in=list(Campaign.objects.filter(wanted).order_by().values_list("pk", flat=True)))


class CampaignIndexView(HarmlessExportMixin, IndexView):
    """Loads what the lines tell for the whole page at once."""

    @cached_property
    def columns(self) -> list[Any]:
        columns: list[Any] = super().columns
        return [*columns, LocaleColumn(classname=f"w-text-16 {WIDE}")] if self.i18n_enabled else columns

    def get_add_url(self) -> str | None:
        """Lead to the starters first: an empty editor is one of them."""
        if not self.user_has_permission("add"):
            return None
        url = reverse(Campaign.snippet_viewset.get_url_name("starters"))
        # Without one that was chosen here, it is for the gallery to say which language fits the person.
        return str(self._set_locale_query_param(url) if self.request.GET.get("locale") else url)

    def _get_title_column(self, field_name: str, **kwargs: Any) -> Any:
        return super()._get_title_column(field_name, SubtitledColumn, subtitle="subject", **kwargs)

    def get_list_more_buttons(self, instance: Any) -> list[Any]:
        buttons: list[Any] = super().get_list_more_buttons(instance)
        user, back = self.request.user, self.get_index_url()
        return [
            *buttons,
            *progress_buttons(instance.standing, user, back_url=back),
            *resume_buttons(instance, instance.standing.state, user),
        ]

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        if self.results_only:
            return context
        seen = watching.beat_seen()
        return {
            **context,
            "paused_senders": paused_labels(),
            "is_beat_silent": watching.is_silent(seen, timezone.now()),
            "beat_seen": moment(seen, settings.time_zone).words if seen else "",
        }

    def get_base_queryset(self) -> QuerySet[Campaign]:
        # No line needs the body, which may be long.
        campaigns: QuerySet[Campaign] = super().get_base_queryset().defer("body")
        return scope(self.request.user, ANY, Campaign).narrow(campaigns, "pk")

    # Wagtail asks whether somebody may do it to any campaign.

    def get_edit_url(self, instance: Campaign) -> str | None:
        return super().get_edit_url(instance) if may(self.request.user, "change", instance) else None

    def get_copy_url(self, instance: Campaign) -> str | None:
        is_allowed = may(self.request.user, "add", instance) and may(self.request.user, ("change", "view"), instance)
        return super().get_copy_url(instance) if is_allowed else None

    def get_delete_url(self, instance: Campaign) -> str | None:
        return super().get_delete_url(instance) if may(self.request.user, "delete", instance) else None

    def get_table(self, object_list: Iterable[Campaign]) -> Any:
        campaigns = list(object_list)
        remember_homes(campaigns)
        standings = standings_of(campaigns)
        for campaign in campaigns:
            campaign.standing = standings[campaign.pk]
            if campaign.standing.run:
                campaign.standing.run.home_pk = campaign.home_pk
        return super().get_table(object_list)


class CampaignViewSet(SnippetViewSet):
    model = Campaign
    icon = ICON
    menu_label = _("Campaigns")
    menu_name = "lifecycle-campaigns"
    edit_handler = edit_handler
    index_view_class = CampaignIndexView
    add_view_class = CampaignCreateView
    edit_view_class = CampaignEditView
    copy_view_class = CampaignCopyView
    preview_on_add_view_class = previews.CampaignPreviewOnCreateView
    preview_on_edit_view_class = previews.CampaignPreviewOnEditView
    revisions_view_class = previews.CampaignPreviewRevisionView
    index_template_name = "wagtail_lifecycle/admin/campaigns.html"
    filterset_class = CampaignFilterSet
    confirm_workflow_cancellation_view_class = ConfirmCancellationView
    chooser_viewset_class = CampaignChooserViewSet
    list_display = [
        "name",
        TemplateColumn("status", "campaign_status", label=_("Status"), accessor="standing"),
        TemplateColumn("schedule", "campaign_schedule", label=_("Schedule"), accessor="standing", classname=WIDE),
        TemplateColumn("audience", "campaign_audience", label=_("Audience"), accessor="standing", classname=WIDE),
        TextColumn("next_run", label=_("Next run"), accessor="standing.next_run"),
        TemplateColumn("last_run", "campaign_last_run", label=_("Last run"), accessor="standing", classname=WIDE),
    ]
    list_export = [
        "name",
        "subject",
        "standing.status_label",
        "standing.why",
        "standing.schedule",
        "standing.schedule_problem",
        "standing.audience",
        "standing.audience_size",
        "standing.next_run",
        "standing.last_run",
        "standing.last_run_summary",
    ]
    export_headings = {
        "standing.status_label": _("Status"),
        "standing.why": _("Reason"),
        "standing.schedule": _("Schedule"),
        "standing.schedule_problem": _("Problem of the schedule"),
        "standing.audience": _("Audience"),
        "standing.audience_size": _("People in it today"),
        "standing.next_run": _("Next run"),
        "standing.last_run": _("Last run"),
        "standing.last_run_summary": _("Result of the last run"),
    }
    export_filename = "campaigns"

    def construct_view(self, view_class: type, **kwargs: Any) -> Any:
        return super().construct_view(of_one_campaign(view_class), **kwargs)

    @property
    def outlook_view(self) -> Any:
        return self.construct_view(OutlookView)

    @property
    def resume_view(self) -> Any:
        return self.construct_view(ResumeView)

    def get_urlpatterns(self) -> list[Any]:
        return [
            *super().get_urlpatterns(),
            path("starters/", self.construct_view(GalleryView), name="starters"),
            path("starters/<slug:starter>/begin/", self.construct_view(BeginView), name="begin"),
            path("starters/<slug:starter>/picture/", self.construct_view(PictureView), name="starter_picture"),
            path("preview/<int:pk>/reader/", self.construct_view(previews.ReaderView), name="preview_reader"),
            path("preview/<int:pk>/people/", self.construct_view(previews.PeopleView), name="preview_people"),
            path("test/<int:pk>/", self.construct_view(TestMailView), name="test"),
            path("preflight/<int:pk>/", self.construct_view(PreflightView), name="preflight"),
            path("outlook/", self.outlook_view, name="outlook"),
            path("reach/", self.construct_view(ReachView), name="reach"),
            path("reach/person/", self.construct_view(PersonView), name="reach_person"),
            path("resume/<int:pk>/", self.resume_view, name="resume"),
        ]


def refuse_to_delete(request: HttpRequest, instances: Iterable[Any]) -> HttpResponse | None:
    """Keep what runs tell about: a `before_delete_snippet` hook."""
    instances = list(instances)
    campaigns = [instance.pk for instance in instances if isinstance(instance, Campaign)]
    topics = [instance.pk for instance in instances if isinstance(instance, Topic)]
    sentence = ""
    pinned = RunContent.objects.filter(revision__in=revisions_of(campaigns))
    if Run.objects.filter(campaign__in=campaigns).exists() or pinned.exists():
        sentence = gettext("A campaign that has run is kept, because its runs tell who got what. Unpublish it instead.")
    elif is_topic_used(topics):
        sentence = gettext(
            "A topic that a campaign uses, or used in an earlier version, cannot be deleted. "
            "Give it another name instead."
        )
    if not sentence:
        return None
    messages.error(request, sentence)
    return redirect(type(instances[0]).snippet_viewset.get_url_name("list"))
