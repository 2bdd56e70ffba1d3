"""The page of the pre-flight: what stops a campaign, what somebody has to accept, and the button that lets it go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.mixins import HookResponseMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.log_actions import LogFormatter, log

from wagtail_lifecycle import preflight
from wagtail_lifecycle.models import Campaign, Rehearsal
from wagtail_lifecycle.wagtail_admin import preflight_reports as reports
from wagtail_lifecycle.wagtail_admin.access_sites import may_publish_for

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from wagtail_lifecycle.preflight import Report

ACCEPT: Final = "wagtail_lifecycle.accept_warnings"


class PreflightView(HookResponseMixin, PermissionCheckedMixin, WagtailAdminTemplateMixin, TemplateView):
    """Looks at the newest version; a POST accepts its warnings and publishes it."""

    model = Campaign
    permission_required = "change"
    template_name = "wagtail_lifecycle/admin/preflight.html"
    header_icon = "check"
    http_method_names = ["get", "post"]

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.now: datetime = timezone.now()

    @cached_property
    def saved(self) -> Campaign:
        campaign: Campaign = get_object_or_404(Campaign, pk=self.kwargs["pk"])
        return campaign

    @cached_property
    def campaign(self) -> Campaign:
        """Return the newest version, published or not."""
        campaign: Campaign = self.saved.get_latest_revision_as_object()
        return campaign

    @cached_property
    def report(self) -> Report:
        return reports.report_of(self.campaign, self.now)

    @cached_property
    def may_publish(self) -> bool:
        """Whether this person may, here and, where the newest version is to move, at the other site."""
        moves = self.saved.is_source and self.campaign.site_id != self.saved.site_id
        may_there = not moves or may_publish_for(self.request.user, self.campaign.site)
        return bool(self.user_has_permission("publish")) and may_there

    @property
    def is_published(self) -> bool:
        return bool(self.saved.live and not self.saved.has_unpublished_changes)

    @property
    def is_locked(self) -> bool:
        lock = self.saved.get_lock()
        return bool(lock and lock.for_user(self.request.user))

    @property
    def url(self) -> str:
        return reverse(Campaign.snippet_viewset.get_url_name("preflight"), args=[self.saved.pk])

    def _may_go(self) -> bool:
        is_free = not (self.is_published or self.is_locked or self.report.blockers)
        return self.may_publish and is_free

    # -- Accepting and publishing -------------------------------------------------------------------------------

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        if not self.may_publish:
            raise PermissionDenied
        fault = self._fault(set(request.POST.getlist("accept")))
        if fault:
            messages.error(request, fault)
            return redirect(self.url)
        self._accept()
        return self._publish()

    def _fault(self, accepted: set[str]) -> str:
        """Return why it cannot be published now, as a sentence."""
        if self.is_locked:
            return gettext("The campaign is locked, so it was not published.")
        if self.request.POST.get("content") != preflight.content_key(self.campaign):
            return gettext("Somebody has changed the campaign meanwhile. This is how it stands now.")
        if self.report.blockers:
            return gettext("Put right first what stops the campaign.")
        if set(reports.unaccepted(self.campaign, self.report)) - accepted:
            return gettext("Accept each warning, or put right what it is about.")
        return ""

    def _accept(self) -> None:
        codes = reports.unaccepted(self.campaign, self.report)
        if preflight.accept(self.campaign, codes, user=self.request.user, now=self.now):
            log(instance=self.saved, action=ACCEPT, user=self.request.user, data={"codes": codes})

    def _publish(self) -> HttpResponse:
        answer: HttpResponse | None = self.run_hook("before_publish", self.request, self.campaign)
        if answer is not None:
            return answer
        revision = self.saved.latest_revision or self.campaign.save_revision(user=self.request.user)
        revision.publish(user=self.request.user, skip_permission_checks=True)
        answer = self.run_hook("after_publish", self.request, self.campaign)
        if answer is not None:
            return answer
        messages.success(self.request, gettext("“%(name)s” is published.") % {"name": self.campaign.name})
        return redirect(Campaign.snippet_viewset.get_url_name("list"))

    # -- The page -----------------------------------------------------------------------------------------------

    def get_page_title(self) -> str:
        return gettext("Pre-flight of “%(name)s”") % {"name": self.campaign}

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        names = Campaign.snippet_viewset.get_url_name
        campaigns = {"url": reverse(names("list")), "label": gettext("Campaigns")}
        campaign = {"url": reverse(names("edit"), args=[self.saved.pk]), "label": str(self.campaign)}
        return [
            *self.breadcrumbs_items,
            campaigns,
            campaign,
            {"url": "", "label": gettext("Pre-flight"), "sublabel": str(self.campaign)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        accepted = preflight.accepted_codes(self.campaign)
        return context | {
            "campaign": self.campaign,
            "edit_url": reverse(Campaign.snippet_viewset.get_url_name("edit"), args=[self.saved.pk]),
            "blockers": reports.groups_of(self.report.blockers, self.campaign),
            "warnings": reports.groups_of(self.report.warnings, self.campaign, accepted),
            "passed": reports.passed_sentences(self.report),
            "departure": "" if self.report.blockers else reports.departure_of(self.campaign, self.now),
            "button": reports.button_of(self.campaign, self.now),
            "content_key": preflight.content_key(self.campaign),
            "may_publish": self._may_go(),
            "is_published": self.is_published,
            "rehearsal": Rehearsal.objects.filter(campaign=self.saved.source.pk).order_by("-pk").first(),
        }


class AcceptFormatter(LogFormatter):
    label = _("Accept warnings")

    def format_message(self, log_entry: Any) -> str:
        codes = reports.titles_of(log_entry.data.get("codes", []))
        return gettext("Accepted the warnings: %(codes)s") % {"codes": codes}


def register_log_actions(actions: Any) -> None:
    """Name what the audit log shows."""
    actions.register_action(ACCEPT)(AcceptFormatter)
