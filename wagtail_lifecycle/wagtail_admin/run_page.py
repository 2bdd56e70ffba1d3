"""The page of a run: its balance, its reasons and, for those who may see them, its people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import django_filters
from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic import IndexView

from wagtail_lifecycle.audiences import get_audience
from wagtail_lifecycle.data_sources import Period
from wagtail_lifecycle.exceptions import UnknownName
from wagtail_lifecycle.models import Campaign, Delivery, Run
from wagtail_lifecycle.wagtail_admin.access import may, remember_homes
from wagtail_lifecycle.wagtail_admin.audit import entries_of_run
from wagtail_lifecycle.wagtail_admin.balances import Balance, balances_of
from wagtail_lifecycle.wagtail_admin.buttons import run_offers
from wagtail_lifecycle.wagtail_admin.columns import WIDE, TemplateColumn, TextColumn, capitalised
from wagtail_lifecycle.wagtail_admin.exports import HarmlessExportMixin
from wagtail_lifecycle.wagtail_admin.outlook import moment
from wagtail_lifecycle.wagtail_admin.run_list import slot_in_words
from wagtail_lifecycle.wagtail_admin.run_story import story_of
from wagtail_lifecycle.wagtail_admin.standings import zone_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from wagtail_lifecycle.audiences import Recipient


class DeliveryFilterSet(WagtailFilterSet):
    status = django_filters.MultipleChoiceFilter(
        label=_("Status"),
        choices=lambda: capitalised(Delivery.Status.choices),
        widget=forms.CheckboxSelectMultiple,
        # No row comes twice, and looking for such reads all of them.
        distinct=False,
    )
    reason = django_filters.MultipleChoiceFilter(
        label=_("Reason"), choices=Delivery.Reason.choices, widget=forms.CheckboxSelectMultiple, distinct=False
    )

    class Meta:
        model = Delivery
        fields: list[str] = []


#: What was accepted has no reason.
WITH_REASON = tuple(status for status in Delivery.Status if status != Delivery.Status.SENT)


@dataclass(frozen=True)
class ReasonCount:
    """How many people of a run were left out or failed for one reason."""

    status: str
    reason: str
    count: int


class RunView(HarmlessExportMixin, IndexView):
    """A listing of deliveries below what the run comes to."""

    model = Delivery
    any_permission_required = None
    template_name = "wagtail_lifecycle/admin/run.html"
    results_template_name = "wagtail_lifecycle/admin/deliveries_results.html"
    # The index that counts mails also lists them this way; by key alone those of other runs would be read as well.
    default_ordering = ["status", "pk"]
    search_fields = ["address", "recipient_key"]
    paginate_by = 50
    export_headings = {
        "recipient_key": _("Recipient"),
        "get_status_display": _("Status"),
        "get_reason_display": _("Reason"),
        "detail": _("What the server said"),
        "finished_at": _("Finished (UTC)"),
    }

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        runs = Run.objects.select_related("campaign__locale").defer("campaign__body")
        self.run = get_object_or_404(runs, pk=kwargs["pk"])
        remember_homes([self.run], "campaign_id")
        is_about_people = self.is_export or self.results_only
        if not may(request.user, "view", self.run) or (is_about_people and not self.may_see_people):
            raise PermissionDenied

    @cached_property
    def may_see_people(self) -> bool:
        return may(self.request.user, "view", Delivery(run=self.run))

    @cached_property
    def may_edit(self) -> bool:
        return may(self.request.user, "change", self.run.campaign)

    # -- The people ------------------------------------------------------------------------------------------

    @cached_property
    def filterset_class(self) -> type[DeliveryFilterSet] | None:
        return DeliveryFilterSet if self.may_see_people else None

    @cached_property
    def is_searchable(self) -> bool:
        return self.may_see_people

    @cached_property
    def list_export(self) -> list[str]:
        if not self.may_see_people:
            return []
        return [
            *("recipient_key", "address", "language", "get_status_display", "get_reason_display"),
            *("detail", "attempts", "created_at", "finished_at"),
        ]

    @cached_property
    def columns(self) -> list[Any]:
        return [
            TemplateColumn(
                "address", "delivery_recipient", label=_("Recipient"), accessor="person", sort_key="address"
            ),
            TemplateColumn("status", "delivery_status", label=_("Status"), sort_key="status"),
            TemplateColumn("reason", "delivery_reason", label=_("Reason"), sort_key="reason"),
            Column("attempts", label=_("Attempts"), sort_key="attempts", classname=WIDE),
            TextColumn("finished_at", label=_("Time"), accessor="time", sort_key="finished_at"),
        ]

    def get_table(self, object_list: Iterable[Any]) -> Any:
        deliveries = list(object_list)
        people = people_of(self.run, [delivery.recipient_key for delivery in deliveries])
        for delivery in deliveries:
            delivery.person = people.get(delivery.recipient_key)
            delivery.time = self.in_words(delivery.finished_at)
        return super().get_table(object_list)

    def in_words(self, instant: datetime | None) -> str:
        """Return an instant by the clocks of the campaign, whose zone the page names once."""
        return moment(instant, zone_of(self.run.campaign)).words if instant else ""

    def get_base_queryset(self) -> QuerySet[Delivery]:
        return Delivery.objects.filter(run=self.run) if self.may_see_people else Delivery.objects.none()

    def get_paginator(self, queryset: QuerySet[Delivery], *args: Any, **options: Any) -> Any:
        paginator = super().get_paginator(queryset, *args, **options)
        if self.may_see_people and not (self.is_searching or self.is_filtering):
            paginator.count = self.balance.planned
        return paginator

    def get_index_url(self) -> str:
        return reverse("lifecycle_runs:run", args=[self.run.pk])

    def get_index_results_url(self) -> str:
        return reverse("lifecycle_runs:deliveries_results", args=[self.run.pk])

    def get_filename(self) -> str:
        return f"run-{self.run.pk}"

    @cached_property
    def verbose_name_plural(self) -> str:
        return gettext("deliveries")

    # -- The run ---------------------------------------------------------------------------------------------

    @cached_property
    def balance(self) -> Balance:
        return balances_of([self.run])[self.run.pk]

    @property
    def reasons(self) -> list[ReasonCount]:
        statuses, reasons = dict(Delivery.Status.choices), dict(Delivery.Reason.choices)
        # Most mails were accepted and have none.
        rows = Delivery.objects.filter(run=self.run, status__in=WITH_REASON).exclude(reason="")
        counts = rows.values_list("status", "reason").annotate(count=Count("pk")).order_by("status", "reason")
        told = [
            ReasonCount(str(statuses[status]), str(reasons.get(reason, reason)), count)
            for status, reason, count in counts
        ]
        return sorted(told, key=lambda each: -each.count)

    @property
    def period(self) -> str:
        if not (self.run.period_start and self.run.period_end):
            return ""
        return Period(self.run.period_start, self.run.period_end).label

    @property
    def contents(self) -> list[dict[str, Any]]:
        """The pinned revisions, with a link for those who may look at them."""
        found = self.run.contents.select_related("locale", "revision__user").defer("revision__content")
        return [
            {
                "locale": content.locale,
                "created": self.in_words(content.revision.created_at),
                "url": _revision_url(content.revision) if self.may_edit else "",
            }
            for content in found
        ]

    @property
    def campaign_url(self) -> str:
        if not self.may_edit:
            return ""
        return reverse(Campaign.snippet_viewset.get_url_name("edit"), args=[self.run.campaign_id])

    def get_page_title(self) -> str:
        return gettext("Run")

    def get_page_subtitle(self) -> str:
        return str(self.run.campaign.name)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        runs = {"url": reverse("lifecycle_runs:index"), "label": gettext("Runs")}
        return [*self.breadcrumbs_items, runs, {"url": "", "label": str(self.run.campaign.name)}]

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        context["run"] = self.run
        context["is_people_shown"] = self.may_see_people
        if self.results_only:
            return context
        balance, entries = self.balance, entries_of_run(self.run)
        return context | {
            "balance": balance,
            "offers": run_offers(self.run, balance, self.request.user),
            "entries": entries,
            "story": story_of(self.run, balance, entries),
            "reasons": self.reasons,
            "when": slot_in_words(self.run),
            "period": self.period,
            "contents": self.contents,
            "campaign_url": self.campaign_url,
        }


def people_of(run: Run, keys: list[str]) -> dict[str, Recipient]:
    """Return those of `keys` who are in the audience of the run's campaign today."""
    try:
        return get_audience(run.campaign.audience).by_key(keys, timezone.now())
    except UnknownName:
        return {}


def _revision_url(revision: Any) -> str:
    name = Campaign.snippet_viewset.get_url_name("revisions_view")
    return reverse(name, args=[revision.object_id, revision.pk])
