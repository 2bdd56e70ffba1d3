"""The pre-flight in the editor: its side panel, and publishing that asks about warnings first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.ui.components import MediaContainer
from wagtail.admin.ui.side_panels import BaseSidePanel, ChecksSidePanel

from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.wagtail_admin import access_views, previews
from wagtail_lifecycle.wagtail_admin import preflight_reports as reports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpResponse

    from wagtail_lifecycle.preflight import Report


class PreflightSidePanel(BaseSidePanel):
    """What the checks that need no people say about the saved draft."""

    class SidePanelToggle(BaseSidePanel.SidePanelToggle):
        aria_label = _("Toggle pre-flight")
        icon_name = "check"

        def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            return context | {"count": len(self.panel.report.findings)}

    class Media:
        css = {"all": [versioned_static("wagtail_lifecycle/css/preflight.css")]}

    name = "preflight"
    title = _("Pre-flight")
    template_name = "wagtail_lifecycle/admin/preflight_panel.html"
    order = 350

    @cached_property
    def report(self) -> Report:
        return reports.report_of(self.object, timezone.now(), people=False)

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(parent_context)
        return context | {
            "blockers": reports.groups_of(self.report.blockers, self.object),
            "warnings": reports.groups_of(self.report.warnings, self.object),
            "url": reverse(Campaign.snippet_viewset.get_url_name("preflight"), args=[self.object.pk]),
        }


class WithPreflight:
    """Editor views that publish nothing whose warnings nobody has accepted."""

    def publish_action(self) -> HttpResponse | None:
        view: Any = self
        if not reports.unaccepted(view.object, view.form.report):
            response: HttpResponse | None = super().publish_action()  # type: ignore[misc] # of Wagtail's views
            return response
        sentence = gettext("Saved as a draft. Accept the warnings here to publish it, or go back and put them right.")
        messages.warning(view.request, sentence)
        return redirect(Campaign.snippet_viewset.get_url_name("preflight"), view.object.pk)

    def get_side_panels(self) -> Any:
        view: Any = self
        panels = super().get_side_panels()  # type: ignore[misc] # as above
        # Wagtail's own checks look for its user bar, which no mail has.
        kept = [panel for panel in panels if not isinstance(panel, ChecksSidePanel)]
        is_shown = view.view_name != "create" and len(kept) < len(panels)
        return MediaContainer([*kept, *([PreflightSidePanel(view.object, view.request)] if is_shown else [])])


class CampaignCreateView(WithPreflight, previews.CampaignCreateView):
    pass


class CampaignCopyView(WithPreflight, access_views.CampaignCopyView):
    pass


class CampaignEditView(WithPreflight, previews.CampaignEditView):
    pass
