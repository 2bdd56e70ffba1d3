"""The Content-Security-Policy of a careful site, enforced."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

#: No script but those of the site's own files. Wagtail's and Draftail's styles stand in elements too.
POLICY = "default-src 'self'; script-src 'self' 'report-sample'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"


class EnforcedPolicy:
    """Gives every answer the policy, unless it has brought its own, as the preview of a mail does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response
