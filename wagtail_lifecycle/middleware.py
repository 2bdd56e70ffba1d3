"""Counts the views of live pages by people."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from asgiref.sync import markcoroutinefunction, sync_to_async
from django.conf import settings
from django.utils import timezone

from wagtail_lifecycle import page_views

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

_MARK = "_wagtail_lifecycle_page_id"


def remember_page(serve: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Note on the request which live page is served: an `on_serve_page` hook, to be the last of them.

    A hook that refuses, as that of private pages does, answers before this one is reached.
    """

    def remember_and_serve(page: Any, request: HttpRequest, args: Any, kwargs: Any) -> HttpResponseBase:
        if page.live:
            setattr(request, _MARK, page.pk)
        return serve(page, request, args, kwargs)

    return remember_and_serve


class PageViewMiddleware:
    """Counts a live page's GET answered with 200, when a person asked who does not edit the site.

    Any other request writes what has waited long enough in this process, so that the last views of a
    quiet day are in the next morning's reports.

    It belongs to the top of MIDDLEWARE: there it sees what is sent (a 304 is no view), and the session
    it may look at is not the reason for `Vary: Cookie`.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._acall(request)
        response: HttpResponseBase = self.get_response(request)
        if _is_view(request, response):
            _count(request)
        else:
            page_views.write_due(timezone.now())
        return response

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await self.get_response(request)
        if _is_view(request, response):
            # Redis, the session and the user are asked in a thread: the event loop goes on.
            await sync_to_async(_count)(request)
        elif page_views.is_due(now := timezone.now()):
            await sync_to_async(page_views.write_due)(now)
        return response


def _is_view(request: HttpRequest, response: HttpResponseBase) -> bool:
    return (
        hasattr(request, _MARK)
        and request.method == "GET"
        and response.status_code == 200  # noqa: PLR2004 - the one status that is a view
        and not getattr(request, "is_preview", False)
        and page_views.is_person(request.headers.get("User-Agent", ""), request.headers)
    )


def _count(request: HttpRequest) -> None:
    if not _is_editor(request):
        page_views.count(getattr(request, _MARK), timezone.now())


def _is_editor(request: HttpRequest) -> bool:
    # Without its cookie there is no session to load, and no query to make.
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated and user.has_perm("wagtailadmin.access_admin")
