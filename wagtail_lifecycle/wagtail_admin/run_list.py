"""The list of runs: one line per run, the skipped and missed ones included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import django_filters
from django import forms
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import DateRangePickerWidget, WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views.generic import IndexView

from wagtail_lifecycle.models import Campaign, Run
from wagtail_lifecycle.wagtail_admin.access import remember_homes, scope
from wagtail_lifecycle.wagtail_admin.balances import LABELS, Balance, balances_of
from wagtail_lifecycle.wagtail_admin.buttons import run_buttons
from wagtail_lifecycle.wagtail_admin.columns import WIDE, TemplateColumn, TextColumn, capitalised
from wagtail_lifecycle.wagtail_admin.exports import HarmlessExportMixin
from wagtail_lifecycle.wagtail_admin.outlook import moment
from wagtail_lifecycle.wagtail_admin.standings import zone_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.utils.functional import Promise


def campaigns_with_runs(user: Any) -> QuerySet[Campaign]:
    """Return the campaigns whose runs somebody may see."""
    campaigns = scope(user, "view", Run).narrow(Campaign.objects.all(), "pk")
    return campaigns.filter(runs__isnull=False).distinct().defer("body")


class RunFilterSet(WagtailFilterSet):
    campaign = django_filters.ModelMultipleChoiceFilter(
        label=_("Campaign"),
        queryset=lambda request: campaigns_with_runs(request.user),
        widget=forms.CheckboxSelectMultiple,
    )
    status = django_filters.MultipleChoiceFilter(
        label=_("Status"), choices=lambda: capitalised(Run.Status.choices), widget=forms.CheckboxSelectMultiple
    )
    slot = django_filters.DateFromToRangeFilter(label=_("Date"), widget=DateRangePickerWidget)

    class Meta:
        model = Run
        fields: list[str] = []


@dataclass(frozen=True)
class Story:
    """What the line of a run tells."""

    when: str
    why: str
    balance: Balance


def tell(runs: Iterable[Any]) -> None:
    """Give each run its story, in at most one query."""
    runs = list(runs)
    balances = balances_of(runs)
    for run in runs:
        run.story = Story(slot_in_words(run), reason_of(run), balances[run.pk])


def slot_in_words(run: Run) -> str:
    zone = zone_of(run.campaign)
    return f"{moment(run.slot, zone).words} ({zone.key})"


#: Where the reason alone does not say what was done.
BY_A_PERSON: Final[dict[str, Promise]] = {
    Run.Status.PAUSED: _("A person paused it."),
    Run.Status.CANCELLED: _("A person cancelled it."),
}


def reason_of(run: Run) -> str:
    """Return why a run did not send, as sentences; empty where it did."""
    reason = str(run.get_reason_display()) if run.reason else ""
    if run.reason == Run.Reason.PERSON:
        reason = str(BY_A_PERSON.get(run.status, reason))
    if run.missed_count > 1 and run.missed_from:
        first = moment(run.missed_from, zone_of(run.campaign)).words
        stands_for = ngettext(
            "It stands for %(count)d run, the first on %(first)s.",
            "It stands for %(count)d runs, the first on %(first)s.",
            run.missed_count,
        ) % {"count": run.missed_count, "first": first}
        return f"{reason} {stands_for}".strip()
    return reason


class RunIndexView(HarmlessExportMixin, IndexView):
    model = Run
    any_permission_required = ["view"]
    default_ordering = "-slot"
    filterset_class = RunFilterSet
    paginate_by = 50
    results_template_name = "wagtail_lifecycle/admin/runs_results.html"
    list_export = ["campaign.name", "slot", "status", "story.why", "period_start", "period_end"] + [
        f"story.balance.{key}" for key in ("planned", *LABELS)
    ]
    list_export += ["created_at", "finished_at"]
    export_headings = {
        "campaign.name": _("Campaign"),
        "slot": _("Planned for (UTC)"),
        "story.why": _("Reason"),
        "period_start": _("First day of the period"),
        "period_end": _("Day after the period"),
        "story.balance.planned": _("Planned"),
        **{f"story.balance.{key}": label for key, label in LABELS.items()},
        "created_at": _("Begun (UTC)"),
        "finished_at": _("Finished (UTC)"),
    }
    export_filename = "runs"

    @cached_property
    def columns(self) -> list[Any]:
        return [
            self._get_title_column_class(TitleColumn)(
                "when", label=_("Planned for"), accessor="story.when", sort_key="slot", get_url=self.get_run_url
            ),
            TextColumn("campaign", label=_("Campaign"), accessor="campaign.name", sort_key="campaign__name"),
            TemplateColumn("status", "run_status", label=_("Status"), accessor="story.why"),
            Column("planned", label=_("People"), accessor="story.balance.planned", classname=WIDE),
            TemplateColumn("balance", "run_balance", label=_("Result"), accessor="story.balance"),
        ]

    def get_list_more_buttons(self, instance: Any) -> list[Any]:
        back = self.request.get_full_path() if not self.results_only else self.get_index_url()
        return list(run_buttons(instance, instance.story.balance, self.request.user, back_url=back))

    def get_run_url(self, run: Run) -> str:
        return reverse("lifecycle_runs:run", args=[run.pk])

    def get_base_queryset(self) -> QuerySet[Run]:
        runs = scope(self.request.user, "view", Run).narrow(Run.objects.all(), "campaign")
        return runs.select_related("campaign").defer("campaign__body")

    def get_table(self, object_list: Iterable[Run]) -> Any:
        tell(object_list)
        remember_homes(object_list, "campaign_id")
        return super().get_table(object_list)

    def get_page_title(self) -> str:
        return gettext("Runs")
