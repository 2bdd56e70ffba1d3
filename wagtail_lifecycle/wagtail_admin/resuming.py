"""Resuming a campaign that somebody paused by disabling its periodic task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.views.generic.base import BaseOperationView
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.widgets import Button
from wagtail.log_actions import log

from wagtail_lifecycle import schedules
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.wagtail_admin.access import may

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wagtail_lifecycle.models import CampaignState

ACTION: Final = "wagtail_lifecycle.resume"


class ResumeView(PermissionCheckedMixin, BaseOperationView):
    """Lets the campaign go on at its next run; what was missed meanwhile stays unsent."""

    model = Campaign
    permission_required = "publish"
    http_method_names = ["post"]
    index_url_name = ""

    def perform_operation(self) -> None:
        schedules.resume(self.object.pk)
        log(instance=self.object, action=ACTION, user=self.request.user)

    def get_success_message(self) -> str:
        return gettext("The campaign “%(name)s” goes on at its next run.") % {"name": self.object.name}

    def get_success_url(self) -> str:
        return str(self.next_url or reverse(self.index_url_name))


def resume_buttons(campaign: Campaign, state: CampaignState | None, user: Any) -> Iterator[Button]:
    """Yield the button of a paused campaign, for those who may publish it."""
    if state and state.pause_reason and may(user, "publish", campaign):
        url = reverse(Campaign.snippet_viewset.get_url_name("resume"), args=[campaign.pk])
        yield Button(
            gettext("Resume"),
            icon_name="resubmit",
            priority=15,
            attrs={
                "type": "button",
                "data-controller": "w-action",
                "data-action": "w-action#post",
                "data-w-action-url-value": url,
                "aria-label": gettext("Resume “%(name)s”") % {"name": campaign.name},
            },
        )


def register_log_actions(actions: Any) -> None:
    """Name what the audit log shows."""
    actions.register_action(ACTION, _("Resume"), _("Resumed after a pause"))
