"""The screen of failed mails: what is wrong, what happens next by itself, and what a person can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet

from wagtail_lifecycle.models import Run
from wagtail_lifecycle.wagtail_admin import audit, sender_states
from wagtail_lifecycle.wagtail_admin.access import may_any
from wagtail_lifecycle.wagtail_admin.actions import ACTIONS
from wagtail_lifecycle.wagtail_admin.buttons import may_steer_senders
from wagtail_lifecycle.wagtail_admin.failure_groups import HEADINGS, MOST, REACH, Reach, groups
from wagtail_lifecycle.wagtail_admin.runs import RunsMenuItem
from wagtail_lifecycle.wagtail_admin.steering import GroupActionView, PauseSenderView, ResumeSenderView

if TYPE_CHECKING:
    from django.http import HttpRequest

ICON = "warning"


class FailuresView(WagtailAdminTemplateMixin, TemplateView):
    template_name = "wagtail_lifecycle/admin/failures.html"
    header_icon = ICON

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        if not may_any(request.user, "view", Run):
            raise PermissionDenied

    def get_page_title(self) -> str:
        return gettext("Failed mails")

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.get_page_title()}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        user = self.request.user
        found = groups(timezone.now(), Reach.of(user))
        sections = [(heading, [g for g in found if g.kind == kind]) for kind, heading in HEADINGS.items()]
        return context | {
            "sections": [section for section in sections if section[1]],
            "is_cut": len(found) == MOST,
            "senders": sender_states.standings(),
            "entries": audit.entries_of_senders(),
            "may_steer_senders": may_steer_senders(user),
            "days": REACH.days,
        }


class FailureViewSet(ViewSet):
    name = "lifecycle_failures"
    url_prefix = "lifecycle/failures"
    icon = ICON
    menu_label = _("Failed mails")
    menu_name = "lifecycle-failures"
    menu_item_class = RunsMenuItem

    def get_urlpatterns(self) -> list[Any]:
        offered = [ACTIONS[slug] for slug in ("retry-failed", "treat-as-sent", "send-again")]
        return [
            path("", self.construct_view(FailuresView), name="index"),
            path("senders/<path:key>/pause/", self.construct_view(PauseSenderView), name="pause_sender"),
            path("senders/<path:key>/resume/", self.construct_view(ResumeSenderView), name="resume_sender"),
            *(
                path(
                    f"<int:campaign>/<slug:reason>/{action.slug}/",
                    self.construct_view(GroupActionView, action=action.slug),
                    name=action.slug,
                )
                for action in offered
            ),
        ]
