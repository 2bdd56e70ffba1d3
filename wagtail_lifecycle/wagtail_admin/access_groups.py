"""What groups may do for one site only: a panel of Wagtail's form of groups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib.auth.models import Permission
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from wagtail.admin.staticfiles import versioned_static
from wagtail.models import GroupSitePermission, Site

if TYPE_CHECKING:
    from django.utils.functional import Promise

#: What can be given for one site, in the order of the panel. Senders, topics and settings belong to all sites.
PERMISSIONS: Final[dict[str, Promise]] = {
    "add_campaign": _("Write new campaigns"),
    "change_campaign": _("Edit campaigns, and submit them for moderation"),
    "publish_campaign": _("Publish campaigns, which activates them"),
    "delete_campaign": _("Delete campaigns that have never run"),
    "lock_campaign": _("Lock campaigns"),
    "unlock_campaign": _("Unlock what others have locked"),
    "send_test_campaign": _("Send tests"),
    "view_run": _("See runs: numbers and reasons, no people"),
    "steer_run": _("Pause, resume, cancel and repeat runs"),
    "view_delivery": _("See people: to whom each mail went"),
}


@dataclass(frozen=True)
class Box:
    """A permission for a site: one checkbox."""

    site: Site
    value: str
    is_checked: bool


def permissions() -> list[Permission]:
    """Return what can be given for one site, in the order of the panel."""
    found = Permission.objects.filter(content_type__app_label="wagtail_lifecycle", codename__in=PERMISSIONS)
    return sorted(found, key=lambda permission: list(PERMISSIONS).index(permission.codename))


class SitePermissionsForm(forms.Form):
    """A table of permissions by sites."""

    prefix = "lifecycle_sites"
    grants = forms.MultipleChoiceField(required=False)

    class Media:
        css = {"all": [versioned_static("wagtail_lifecycle/css/admin.css")]}

    def __init__(self, *args: Any, instance: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance = instance
        self.permissions, self.sites = permissions(), list(Site.objects.order_by("-is_default_site", "hostname"))
        grants = [f"{permission.pk}-{site.pk}" for permission in self.permissions for site in self.sites]
        self.fields["grants"].choices = [(grant, grant) for grant in grants]  # type: ignore[attr-defined]

    @property
    def given(self) -> set[str]:
        """What the group has."""
        if self.instance is None or self.instance.pk is None:
            return set()
        rows = GroupSitePermission.objects.filter(group=self.instance, permission__in=self.permissions)
        return {f"{permission}-{site}" for permission, site in rows.values_list("permission", "site")}

    @cached_property
    def is_shown(self) -> bool:
        """Whether there is anything to choose: for the only site, the permissions for all sites do."""
        return len(self.sites) > 1 or bool(self.given)

    @property
    def rows(self) -> list[tuple[Promise, list[Box]]]:
        checked = set(self.data.getlist(self.add_prefix("grants"))) if self.is_bound else self.given  # type: ignore[attr-defined]
        return [
            (
                PERMISSIONS[permission.codename],
                [Box(site, grant := f"{permission.pk}-{site.pk}", grant in checked) for site in self.sites],
            )
            for permission in self.permissions
        ]

    def as_admin_panel(self) -> str:
        template = "wagtail_lifecycle/admin/site_permissions.html"
        return render_to_string(template, {"form": self}) if self.is_shown else ""

    def save(self) -> None:
        """Give what is checked, take what is not."""
        if not self.is_shown:
            return
        wanted, given = set(self.cleaned_data["grants"]), self.given
        for grant in wanted - given:
            GroupSitePermission.objects.create(group=self.instance, **_keys(grant))
        for grant in given - wanted:
            GroupSitePermission.objects.filter(group=self.instance, **_keys(grant)).delete()


def _keys(grant: str) -> dict[str, int]:
    permission, site = grant.split("-")
    return {"permission_id": int(permission), "site_id": int(site)}


def permission_panel() -> type[SitePermissionsForm]:
    """Return the panel: a `register_group_permission_panel` hook."""
    return SitePermissionsForm
