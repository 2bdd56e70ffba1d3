"""Opting out: GET shows one button, POST acts (RFC 8058)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_deny
from django.views.decorators.csrf import csrf_exempt

from wagtail_lifecycle import links, signals
from wagtail_lifecycle.exceptions import InvalidToken
from wagtail_lifecycle.models import OptOut, Topic
from wagtail_lifecycle.views.public import page

if TYPE_CHECKING:
    from wagtail_lifecycle.links import Unsubscription

#: What the buttons send as `choice`; a mail program's one-click POST sends none and means the topic.
STOP_TOPIC = "topic"
STOP_ALL = "all"
UNDO_TOPIC = "undo-topic"
UNDO_ALL = "undo-all"
UNDO = frozenset({UNDO_TOPIC, UNDO_ALL})


# csrf_exempt: mail programs POST without cookie, session or CSRF token (RFC 8058 3.1). The signed token in the URL is
# the authority, and a forged request without it does nothing.
@method_decorator([csrf_exempt, never_cache, xframe_options_deny], name="dispatch")
class UnsubscribeView(View):
    """One person's way out of one topic, or of everything; no login, no cookie, no redirect."""

    http_method_names = ["get", "head", "post", "options"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        # The URL is a key: it must not leak to the sites that the page links to, nor into a search index.
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            wish = links.read_unsubscribe_token(token)
        except InvalidToken:
            return _invalid(request, token)
        return page(request, "unsubscribe", topic=_topic(wish))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            wish = links.read_unsubscribe_token(token)
        except InvalidToken:
            return _invalid(request, token)
        choice = request.POST.get("choice", STOP_TOPIC)
        is_everything = wish.topic_id is None or choice in {STOP_ALL, UNDO_ALL}
        topic = None if is_everything else _topic(wish)
        # A topic that was deleted has stopped by itself; nothing else is meant by its link.
        if is_everything or topic is not None:
            act = _opt_in if choice in UNDO else _opt_out
            act(wish, topic)
        return page(request, "resubscribed" if choice in UNDO else "unsubscribed", topic=topic)


def _topic(wish: Unsubscription) -> Topic | None:
    return Topic.objects.filter(pk=wish.topic_id).first() if wish.topic_id else None


def _opt_out(wish: Unsubscription, topic: Topic | None) -> None:
    known = OptOut.objects.filter(address_hash=wish.address_hash, topic=topic).exists()
    if not known:
        opt_out = OptOut(address_hash=wish.address_hash, topic=topic, created_at=timezone.now())
        # Two clicks at once are one opt-out.
        OptOut.objects.bulk_create([opt_out], ignore_conflicts=True)
        _tell(wish, topic)


def _tell(wish: Unsubscription, topic: Topic | None) -> None:
    signals.unsubscribed.send_robust(
        sender=OptOut, address_hash=wish.address_hash, topic_id=topic.pk if topic else None
    )


def _opt_in(wish: Unsubscription, topic: Topic | None) -> None:
    OptOut.objects.filter(address_hash=wish.address_hash, topic=topic).delete()


def _invalid(request: HttpRequest, token: str) -> HttpResponse:
    """Answer the same to every wrong token, whatever is wrong with it; those of previews say so themselves."""
    return page(request, "inert") if links.is_inert(token) else page(request, "invalid_link", status=404)
