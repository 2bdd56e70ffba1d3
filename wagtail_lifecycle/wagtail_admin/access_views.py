"""Wagtail's views of campaigns, made to ask about the campaign at hand."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.permissions import policy_registry
from wagtail.snippets.action_menu import PublishMenuItem, UnpublishMenuItem
from wagtail.snippets.views.chooser import (
    ChooseResultsView,
    ChooseView,
    SnippetChooserViewSet,
    SnippetChosenMultipleView,
    SnippetChosenView,
)
from wagtail.snippets.views.snippets import ConfirmWorkflowCancellationView, CopyView

from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.wagtail_admin.access import ANY, OneCampaignPolicy, is_everywhere, may, may_any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import QuerySet
    from django.http import HttpRequest


class OneCampaignMixin:
    """Makes a view of one campaign ask about that one, and refuses whose permissions are for other sites."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        if "pk" in kwargs:
            campaign = get_object_or_404(Campaign.objects.defer("body"), pk=kwargs["pk"])
            policy = policy_registry.get_by_type(Campaign)
            self.permission_policy = OneCampaignPolicy(policy, campaign)
            # Who has no permission on any campaign may still moderate: that is for workflows to say.
            if policy.user_has_any_permission(request.user, ANY) and not may(request.user, ANY, campaign):
                raise PermissionDenied
        super().setup(request, *args, **kwargs)  # type: ignore[misc]


@cache
def of_one_campaign(view_class: type) -> type:
    """Return the view with `OneCampaignMixin`."""
    return type(view_class.__name__, (OneCampaignMixin, view_class), {"__module__": view_class.__module__})


class CampaignCopyView(CopyView):
    """Offers a new draft with the same content. Wagtail's would change the original if somebody posted to it."""

    def get_initial_form_instance(self) -> Campaign:
        copied: Campaign = self.get_object().duplicate()
        return copied


class ConfirmCancellationView(PermissionCheckedMixin, ConfirmWorkflowCancellationView):
    """Warns who publishes that this ends the workflow; Wagtail shows it to everybody."""

    permission_required = "publish"


# -- The menu of the editor -----------------------------------------------------------------------------------


class PublishHereMenuItem(PublishMenuItem):
    def is_shown(self, context: Mapping[str, Any]) -> bool:
        return not context.get("locked_for_user")


class UnpublishHereMenuItem(UnpublishMenuItem):
    def is_shown(self, context: Mapping[str, Any]) -> bool:
        is_live = context["view"] == "edit" and context["instance"].live
        return is_live and not context.get("locked_for_user")


def offer_publishing(menu_items: list[Any], request: HttpRequest, context: Mapping[str, Any]) -> None:
    """Offer to publish to those who may for one site: a `construct_snippet_action_menu` hook.

    Wagtail's own items ask whether somebody may publish campaigns of all sites.
    """
    user, campaign = request.user, context.get("instance")
    if context["model"] is not Campaign or is_everywhere(user, "publish", Campaign):
        return
    if may(user, "publish", campaign) if campaign else may_any(user, "publish", Campaign):
        items = (UnpublishHereMenuItem(order=20), PublishHereMenuItem(order=30))
        menu_items += [item for item in items if item.is_shown(context)]
        menu_items.sort(key=lambda item: item.order)


# -- Choosers -------------------------------------------------------------------------------------------------


class SeenMixin:
    """Lists the campaigns that somebody may see."""

    request: HttpRequest

    def get_object_list(self) -> QuerySet[Campaign]:
        return seen_by(self.request.user)

    def get_object(self, pk: Any) -> Campaign:
        return seen_by(self.request.user).get(pk=pk)

    def get_objects(self, pks: Iterable[Any]) -> QuerySet[Campaign]:
        return seen_by(self.request.user).filter(pk__in=pks)


def seen_by(user: Any) -> QuerySet[Campaign]:
    """Return the campaigns that somebody may see."""
    campaigns: QuerySet[Campaign] = policy_registry.get_by_type(Campaign).instances_user_has_any_permission_for(
        user, ANY
    )
    return campaigns


class SeenChooseView(SeenMixin, ChooseView):
    pass


class SeenChooseResultsView(SeenMixin, ChooseResultsView):
    pass


class SeenChosenView(SeenMixin, SnippetChosenView):
    pass


class SeenChosenMultipleView(SeenMixin, SnippetChosenMultipleView):
    pass


class PickingChooserViewSet(SnippetChooserViewSet):
    """Offers no form to create what is chosen: Wagtail's address for that fails where there is no such form."""

    def get_urlpatterns(self) -> list[Any]:
        return [pattern for pattern in super().get_urlpatterns() if pattern.name != "create"]


class CampaignChooserViewSet(PickingChooserViewSet):
    choose_view_class = SeenChooseView
    choose_results_view_class = SeenChooseResultsView
    chosen_view_class = SeenChosenView
    chosen_multiple_view_class = SeenChosenMultipleView
