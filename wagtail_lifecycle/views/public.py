"""The pages that people reach from a mail: they say whose they are and lead to the site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings as django_settings
from django.template.response import TemplateResponse
from django.urls import get_script_prefix, reverse
from django.utils.translation import get_language, get_language_bidi, get_supported_language_variant, override
from wagtail.models import Site

from wagtail_lifecycle.links import LANGUAGE, in_language

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def page(request: HttpRequest, name: str, *, status: int = 200, **values: Any) -> HttpResponse:
    """Render one of `wagtail_lifecycle/public/*.html`, in the language of the mail that led here."""
    language = language_of(request)
    with override(language or get_language()):
        context = {
            "direction": "rtl" if get_language_bidi() else "ltr",
            "site_name": site_name(request),
            "site_url": get_script_prefix(),
            "verify_again_url": in_language(reverse("wagtail_lifecycle:verify_again"), language),
            **values,
        }
        response = TemplateResponse(request, f"wagtail_lifecycle/public/{name}.html", context, status=status)
        return response.render()


def language_of(request: HttpRequest) -> str:
    """Return the language that the link names; "" where it names none that the site speaks."""
    try:
        return get_supported_language_variant(request.GET.get(LANGUAGE, ""))
    except LookupError:
        return ""


def site_name(request: HttpRequest) -> str:
    """Return what visitors know the site as: the name of Wagtail's site, else of its admin, else the host."""
    site = Site.find_for_request(request)
    named = site.site_name if site else ""
    name: str = named or getattr(django_settings, "WAGTAIL_SITE_NAME", "") or (site.hostname if site else "")
    return name
