"""Who may do what with which campaigns: the permissions of groups, for all sites or for one of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

from django.db.models import IntegerField, OuterRef, Subquery
from django.db.models.constants import LOOKUP_SEP
from django.db.models.functions import Coalesce
from wagtail.models import Site
from wagtail.permission_policies.sites import SitePermissionPolicy
from wagtail.permissions import policy_registry, register_permission_policy

from wagtail_lifecycle.models import Campaign, Delivery, Run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model, QuerySet

#: Whoever has none of these, for no campaign, is left to Wagtail's own rules, such as those of workflows.
ANY: Final = ("add", "change", "delete", "view", "publish", "lock", "unlock", "send_test")


@dataclass(frozen=True)
class Scope:
    """Campaigns to which somebody may do something."""

    #: their primary keys; None for all there are
    ids: frozenset[int] | None = None

    def __contains__(self, pk: object) -> bool:
        return self.ids is None or pk in self.ids

    def narrow(self, objects: QuerySet[Any], lookup: str) -> QuerySet[Any]:
        """Return those objects whose campaign, found by the lookup, is one of them."""
        return objects if self.ids is None else objects.filter(**{f"{lookup}__in": self.ids})


class HomePermissionPolicy(SitePermissionPolicy):
    """Wagtail's permissions per site, on objects of which the site is their campaign's home.

    A campaign without a site belongs to the default one, and a translation to the site of its source.
    """

    def __init__(self, model: type[Model], to_campaign: str = "") -> None:
        # Not that of SitePermissionPolicy, which looks for a foreign key to sites.
        super(SitePermissionPolicy, self).__init__(model)
        #: the lookup that leads to the campaign; empty for campaigns themselves
        self.to_campaign = to_campaign

    def is_everywhere(self, user: Any, actions: Iterable[str]) -> bool:
        """Tell whether somebody may do one of these on every site."""
        return bool(user.is_active and self._user_has_global_permission(user, actions))

    def user_has_any_permission_for_instance(self, user: Any, actions: Iterable[str], instance: Any) -> bool:
        if self.is_everywhere(user, actions):
            return True
        home = instance if isinstance(instance, Site) else self._home_of(instance)
        return bool(super().user_has_any_permission_for_instance(user, actions, home))

    def instances_user_has_any_permission_for(self, user: Any, actions: Iterable[str]) -> QuerySet[Any]:
        return self.scope(user, actions).narrow(self.model.objects.all(), self.to_campaign or "pk")

    def scope(self, user: Any, actions: Iterable[str]) -> Scope:
        """Return the campaigns, or those to whose runs or deliveries, somebody may do one of these."""
        if self.is_everywhere(user, actions):
            return Scope()
        return Scope(frozenset(campaigns_at(self.sites_user_has_any_permission_for(user, actions))))

    def users_with_any_permission_for_instance(self, actions: Iterable[str], instance: Any) -> QuerySet[Any]:
        home = instance if isinstance(instance, Site) else self._home_of(instance)
        users: QuerySet[Any] = super().users_with_any_permission_for_instance(actions, home)
        return users.distinct()

    def _home_of(self, instance: Any) -> Site:
        if hasattr(instance, "home_pk"):
            return Site(pk=instance.home_pk)
        steps = self.to_campaign.split(LOOKUP_SEP) if self.to_campaign else []
        campaign = reduce(getattr, steps, instance)
        # Where Wagtail has no default site, only who may do it everywhere may do it.
        return campaign.home or Site()


def campaigns_at(sites: Iterable[Site]) -> list[int]:
    """Return the campaigns, translations included, whose home is one of the sites."""
    wanted = [site.pk for site in sites]
    if not wanted:
        return []
    # A list, because search does not know what stands in another table.
    return [pk for pk, home in homes(Campaign.objects.all()).items() if home in wanted]


def homes(campaigns: QuerySet[Campaign]) -> dict[int, int | None]:
    """Return the site of each campaign, by primary keys, in one query."""
    sources = Campaign.objects.filter(translation_key=OuterRef("translation_key")).order_by("pk")
    default = Site.objects.filter(is_default_site=True)
    home = Coalesce(
        Subquery(sources.values("site")[:1]), Subquery(default.values("pk")[:1]), output_field=IntegerField()
    )
    return dict(campaigns.order_by().annotate(home_pk=home).values_list("pk", "home_pk"))


def remember_homes(objects: Iterable[Any], to_campaign: str = "pk") -> None:
    """Look up the site of each row of a list at once, where each would look up its own."""
    rows = list(objects)
    found = homes(Campaign.objects.filter(pk__in={getattr(row, to_campaign) for row in rows}))
    for row in rows:
        row.home_pk = found.get(getattr(row, to_campaign))


def may(user: Any, action: str | Iterable[str], instance: Any) -> bool:
    """Tell whether somebody may do it to this campaign, run or delivery.

    Args:
        user: who is logged in.
        action: the permission without the model's name, "publish", "send_test", "steer"; or several, one of which
            is enough.
        instance: a campaign, or a run or delivery, which belong to their campaign's site.

    """
    actions = [action] if isinstance(action, str) else action
    return bool(policy_registry.get(instance).user_has_any_permission_for_instance(user, actions, instance))


def may_any(user: Any, action: str, model: type[Model]) -> bool:
    """Tell whether somebody may do it to any campaign, run or delivery."""
    return bool(policy_registry.get_by_type(model).user_has_permission(user, action))


def is_everywhere(user: Any, action: str, model: type[Model]) -> bool:
    """Tell whether somebody may do it on every site."""
    return bool(policy_registry.get_by_type(model).is_everywhere(user, [action]))


def scope(user: Any, action: str | Iterable[str], model: type[Model]) -> Scope:
    """Return the campaigns, or those to whose runs or deliveries, somebody may do it, or one of several things."""
    actions = [action] if isinstance(action, str) else action
    found: Scope = policy_registry.get_by_type(model).scope(user, actions)
    return found


def sites_for(user: Any, actions: Iterable[str]) -> QuerySet[Site]:
    """Return the sites for whose campaigns somebody may do one of these."""
    sites: QuerySet[Site] = policy_registry.get_by_type(Campaign).sites_user_has_any_permission_for(user, actions)
    return sites


class OneCampaignPolicy:
    """Answers about one campaign where Wagtail's views ask about any."""

    def __init__(self, policy: Any, campaign: Campaign) -> None:
        self._policy, self._campaign = policy, campaign

    def user_has_permission(self, user: Any, action: str) -> bool:
        return self.user_has_any_permission(user, [action])

    def user_has_any_permission(self, user: Any, actions: Iterable[str]) -> bool:
        return bool(self._policy.user_has_any_permission_for_instance(user, actions, self._campaign))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)


def register() -> None:
    """Make Wagtail ask us; before anything else asks."""
    register_permission_policy(Campaign, HomePermissionPolicy(Campaign))
    register_permission_policy(Run, HomePermissionPolicy(Run, "campaign"))
    register_permission_policy(Delivery, HomePermissionPolicy(Delivery, "run__campaign"))
