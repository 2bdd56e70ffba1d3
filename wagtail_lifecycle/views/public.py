"""The pages that people reach from a mail: they say whose they are and lead to the site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings as django_settings
from django.template.response import TemplateResponse
from django.urls import get_script_prefix
from django.utils.translation import get_language_bidi
from wagtail.models import Site

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def page(request: HttpRequest, name: str, *, status: int = 200, **values: Any) -> HttpResponse:
    """Render one of `wagtail_lifecycle/public/*.html`."""
    context = {
        "direction": "rtl" if get_language_bidi() else "ltr",
        "site_name": site_name(request),
        "site_url": get_script_prefix(),
        **values,
    }
    response = TemplateResponse(request, f"wagtail_lifecycle/public/{name}.html", context, status=status)
    return response.render()


def site_name(request: HttpRequest) -> str:
    """Return what visitors know the site as: the name of Wagtail's site, else of its admin, else the host."""
    site = Site.find_for_request(request)
    named = site.site_name if site else ""
    name: str = named or getattr(django_settings, "WAGTAIL_SITE_NAME", "") or (site.hostname if site else "")
    return name
