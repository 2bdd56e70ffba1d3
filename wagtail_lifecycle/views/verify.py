"""Verifying an address: GET shows one button, POST acts. And asking for another mail."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_deny
from django.views.decorators.csrf import csrf_exempt

from wagtail_lifecycle import links, verification
from wagtail_lifecycle.exceptions import InvalidToken
from wagtail_lifecycle.models.people import normalise_address
from wagtail_lifecycle.views.limits import may_ask, may_be_mailed
from wagtail_lifecycle.views.public import page

#: Longer than any address (RFC 5321 4.5.3.1).
MAX_ADDRESS: Final = 320


# csrf_exempt: the token is the authority for verifying, and another mail may be asked for without any. Neither looks at
# the session, so a forged request can do nothing that its author could not do as well. With it the pages would need a
# cookie, and a Referer that gives the token away (no-referrer makes browsers send `Origin: null`).
@method_decorator([csrf_exempt, never_cache, xframe_options_deny], name="dispatch")
class PublicView(View):
    http_method_names = ["get", "head", "post", "options"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        # The URL is a key: it must not leak to the sites that the page links to, nor into a search index.
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response


class VerifyView(PublicView):
    """The page that the link of a verification mail leads to."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            verification.who_verifies(token)
        except InvalidToken:
            return _invalid(request, token)
        return page(request, "verify")

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            verification.confirm(token)
        except InvalidToken:
            return _invalid(request, token)
        return page(request, "verified")


class VerifyAgainView(PublicView):
    """Where another verification mail is asked for, logged in or not; the answer is the same for every address."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return page(request, "verify_again")

    def post(self, request: HttpRequest) -> HttpResponse:
        if not may_ask(request):
            return page(request, "verify_too_often", status=429)
        given = request.POST.get("address", "").strip()[: MAX_ADDRESS + 1]
        try:
            address = normalise_address(given)
        except ValueError:
            return page(request, "verify_again", status=400, fault=True, address=given)
        # Silently: who asks for somebody else must not learn whether others did.
        if may_be_mailed(address):
            verification.ask_again(address)
        return page(request, "verify_sent")


def _invalid(request: HttpRequest, token: str) -> HttpResponse:
    """Answer the same to every wrong token, whatever is wrong with it; those of previews say so themselves."""
    return page(request, "inert") if links.is_inert(token) else page(request, "verify_invalid", status=404)
