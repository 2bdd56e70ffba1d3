"""The tab Who: how many people the mail would reach today, and whether it would reach one person."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.generic import View
from wagtail.admin.panels import Panel
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from wagtail_lifecycle import reach
from wagtail_lifecycle.audiences import get_audience
from wagtail_lifecycle.models import Campaign, Delivery, Topic
from wagtail_lifecycle.wagtail_admin.fields import AudienceField

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

TEMPLATE: Final = "wagtail_lifecycle/admin/reach.html"
PERSON_TEMPLATE: Final = "wagtail_lifecycle/admin/reach_person.html"


def may_see_people(user: Any) -> bool:
    return bool(user.has_perm("wagtail_lifecycle.view_run") and user.has_perm("wagtail_lifecycle.view_delivery"))


class WhoForm(forms.Form):
    """Reads the unsaved fields of the tab Who."""

    audience = AudienceField()
    topic = forms.ModelChoiceField(Topic.objects.all(), required=False)
    is_transactional = forms.BooleanField(required=False)

    @property
    def topic_id(self) -> int | None:
        """The topic that people may have opted out of; nobody can opt out of what is transactional."""
        topic = self.cleaned_data.get("topic")
        return topic.pk if topic and not self.cleaned_data.get("is_transactional") else None


class WhoView(PermissionCheckedMixin, View):
    """Reads the form; what is wrong with it, or with the site's own audience, is a sentence."""

    model = Campaign
    permission_required = "change"
    template_name = ""

    def respond(self, request: HttpRequest, data: Any) -> HttpResponse:
        form = WhoForm(data)
        if not form.is_valid():
            return render(request, self.template_name, {"problem": gettext("Choose who gets the mail.")})
        return render(request, self.template_name, self._context(form))

    def _context(self, form: WhoForm) -> dict[str, Any]:
        try:
            problem = get_audience(form.cleaned_data["audience"]).problem()
            return {"problem": problem} if problem else self.answer(form)
        except Exception:  # an audience of the site may raise anything, and the editor must stay usable
            logger.exception("reach failed", extra={"action": "reach"})
            return {"problem": gettext("This audience cannot be read. The site's log says why.")}

    def answer(self, form: WhoForm) -> dict[str, Any]:
        raise NotImplementedError


class ReachView(WhoView):
    """Answers with numbers only, as a fragment of HTML."""

    http_method_names = ["get"]
    template_name = TEMPLATE

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.respond(request, request.GET)

    def answer(self, form: WhoForm) -> dict[str, Any]:
        found = reach.reach_of(form.cleaned_data["audience"], form.topic_id, timezone.now())
        return {"reach": found, "lacks_topic": not (form.topic_id or form.cleaned_data["is_transactional"])}


class PersonView(WhoView):
    """Says whether one person would get the mail. The address is posted, so that no log has it."""

    http_method_names = ["post"]
    template_name = PERSON_TEMPLATE

    def user_has_permission(self, permission: str) -> bool:
        return bool(super().user_has_permission(permission)) and may_see_people(self.request.user)

    def post(self, request: HttpRequest) -> HttpResponse:
        return self.respond(request, request.POST)

    def answer(self, form: WhoForm) -> dict[str, Any]:
        address = self.request.POST.get("address", "")
        try:
            decisions = reach.decide_about(address, form.cleaned_data["audience"], form.topic_id, timezone.now())
        except ValueError:
            return {"problem": gettext("This is no address that mail can be sent to.")}
        return {
            "is_asked": True,
            "answers": [
                {"name": decision.person.recipient.name, "reason": _reason(decision.reason)} for decision in decisions
            ],
        }


def _reason(reason: str) -> str:
    return str(Delivery.Reason(reason).label) if reason else ""


class ReachPanel(Panel):
    """How many people the mail would reach, kept up to date while audience and topic change."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_lifecycle/admin/reach_panel.html"

        class Media:
            js = [versioned_static("wagtail_lifecycle/js/admin-reach.js")]
            css = {"all": [versioned_static("wagtail_lifecycle/css/admin.css")]}

        def is_shown(self) -> bool:
            may_change = Campaign.snippet_viewset.permission_policy.user_has_permission(self.request.user, "change")
            return may_change and (self.instance is None or self.instance.is_source)

        def get_context_data(self, parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            context["url"] = reverse(Campaign.snippet_viewset.get_url_name("reach"))
            if may_see_people(self.request.user):
                context["person_url"] = reverse(Campaign.snippet_viewset.get_url_name("reach_person"))
            return context
