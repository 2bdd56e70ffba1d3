"""Which sites the editor of a campaign offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext
from wagtail.models import Site

from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.wagtail_admin.access import is_everywhere, sites_for

if TYPE_CHECKING:
    from django import forms


def offer_sites(form: forms.ModelForm[Campaign]) -> None:
    """Offer those sites for which this person may write campaigns, or to which they may move this one.

    Moving starts mail for another site's readers: it needs the permission to publish there.
    """
    if "site" not in form.fields:
        return
    sites = list(Site.objects.order_by("-is_default_site", "hostname"))
    if len(sites) == 1:
        del form.fields["site"]
        return
    campaign, field = form.instance, form.fields["site"]
    is_new = campaign.pk is None
    offered = _allowed(getattr(form, "for_user", None), "add" if is_new else "publish", sites)
    default = next((site for site in sites if site.is_default_site), None)
    stays_default = not is_new and campaign.site_id is None
    field.required = not (default in offered or stays_default)
    field.empty_label = gettext("The default site")  # type: ignore[attr-defined]
    if is_new and field.required and campaign.site not in offered:
        campaign.site = offered[0] if offered else None
        form.initial["site"] = campaign.site
    keys = {site.pk for site in offered} | {campaign.site_id}
    field.queryset = Site.objects.filter(pk__in=keys - {None})  # type: ignore[attr-defined]


def site_for_new(user: Any) -> Site | None:
    """Return the site of a new campaign: none, which is the default one, or the first for which somebody may write."""
    sites = _allowed(user, "add", list(Site.objects.order_by("-is_default_site", "hostname")))
    return None if not sites or sites[0].is_default_site else sites[0]


def _allowed(user: Any, action: str, sites: list[Site]) -> list[Site]:
    if user is None or is_everywhere(user, action, Campaign):
        return sites
    allowed = set(sites_for(user, [action]).values_list("pk", flat=True))
    return [site for site in sites if site.pk in allowed]


def may_publish_for(user: Any, site: Site | None) -> bool:
    """Tell whether somebody may publish campaigns of this site, or of the default one."""
    site = site or Site.objects.filter(is_default_site=True).first()
    if user is None or is_everywhere(user, "publish", Campaign):
        return True
    return site is not None and sites_for(user, ["publish"]).filter(pk=site.pk).exists()
