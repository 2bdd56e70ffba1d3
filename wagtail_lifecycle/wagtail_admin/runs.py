"""Runs in the admin: nothing of them can be edited, but they are steered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Permission
from django.urls import path
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import MenuItem
from wagtail.admin.viewsets.base import ViewSet

from wagtail_lifecycle.models import Run
from wagtail_lifecycle.wagtail_admin.access import may_any
from wagtail_lifecycle.wagtail_admin.actions import ACTIONS
from wagtail_lifecycle.wagtail_admin.run_list import RunIndexView
from wagtail_lifecycle.wagtail_admin.run_page import RunView
from wagtail_lifecycle.wagtail_admin.steering import RunActionView

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

ICON = "history"


class RunsMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return may_any(request.user, "view", Run)


class RunViewSet(ViewSet):
    """Two listings, of runs and of the deliveries of one run, and what can be done to a run."""

    name = "lifecycle_runs"
    url_prefix = "lifecycle/runs"
    icon = ICON
    menu_label = _("Runs")
    menu_name = "lifecycle-runs"
    menu_item_class = RunsMenuItem

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        common: dict[str, Any] = super().get_common_view_kwargs(
            **{
                "header_icon": ICON,
                "index_url_name": self.get_url_name("index"),
                "index_results_url_name": self.get_url_name("index_results"),
                **kwargs,
            }
        )
        return common

    def get_urlpatterns(self) -> list[Any]:
        return [
            path("", self.construct_view(RunIndexView), name="index"),
            path("results/", self.construct_view(RunIndexView, results_only=True), name="index_results"),
            path("<int:pk>/", self.construct_view(RunView), name="run"),
            path("<int:pk>/results/", self.construct_view(RunView, results_only=True), name="deliveries_results"),
            *(
                path(f"<int:pk>/{slug}/", self.construct_view(RunActionView, action=slug), name=slug)
                for slug in ACTIONS
            ),
        ]


def view_permissions() -> QuerySet[Permission]:
    """Return what groups may be allowed to see; the permissions of campaigns and topics register themselves."""
    return Permission.objects.filter(
        content_type__app_label="wagtail_lifecycle",
        codename__in=["view_run", "steer_run", "view_delivery", "preview_people_campaign"],
    )
