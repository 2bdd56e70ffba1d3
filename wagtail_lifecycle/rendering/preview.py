"""Previews: the mail with example data, or a sentence that says why there is none. A preview never raises."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from wagtail_lifecycle import registry
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.exceptions import CompileError
from wagtail_lifecycle.rendering.compiling import compile_mail
from wagtail_lifecycle.rendering.content import Content, Links, Mail
from wagtail_lifecycle.rendering.merge_tags import allowed_merge_tags, mark_merge_tags
from wagtail_lifecycle.rendering.pieces import collecting

#: Content-Security-Policy of a previewed mail: styles and pictures, nothing that runs
PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src * data:; frame-ancestors 'self'"

_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Example:
    """The person that previews are made for."""

    name: str = "Ana Costa"
    first_name: str = "Ana"
    time_zone: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Inbox:
    """What an inbox shows of a mail before it is opened."""

    sender: str
    subject: str
    preheader: str


def preview(content: Content, *, mode: str) -> str:
    """Return an HTML page that shows `content` as "html" or "text", or that says why it cannot."""
    return _shown(content, mode=mode, with_inbox=True)


def preview_response(page: str) -> HttpResponse:
    """Return a preview for the browser, under the policy that lets it look like a mail."""
    response = HttpResponse(page)
    # The admin's own policy would block the inline styles that every mail needs.
    response.headers["Content-Security-Policy"] = PREVIEW_POLICY
    # How django-csp is told to keep out.
    setattr(response, "_csp_exempt", True)  # noqa: B010 - not an attribute the type knows
    return response


def preview_block(block: Any, value: Any) -> str:
    """Return an HTML page that shows one block with `value`, for the block picker."""
    content = Content(
        campaign_id=0,
        subject=str(block.label),
        preheader="",
        body=[block.bind(value)],
        language="",
        sender="",
        audience="",
        topic="",
    )
    return _shown(content, mode="html", with_inbox=False)


def _shown(content: Content, *, mode: str, with_inbox: bool) -> str:
    try:
        mail = preview_mail(content)
        inbox = _inbox(content, mail) if with_inbox else None
    except CompileError as error:
        return _page(problem=str(error))
    except Exception:  # a site's own block may raise anything, and the editor must stay usable
        logger.exception("preview failed", extra={"action": "preview", "campaign_id": content.campaign_id})
        return _page(problem=_("A block of this mail cannot be shown. The site's log says why."))
    if mode != "html":
        return _page(text=mail.text, inbox=inbox)
    return _with_inbox(mail.html, inbox) if inbox else mail.html


def _inbox(content: Content, mail: Mail) -> Inbox:
    sender = settings.sender(_sender_key(content))
    with collecting(html=False, merge_tags=allowed_merge_tags(content.audience)) as collector:
        allowed, add = collector.merge_tags, collector.add
        parts = collector.split(mark_merge_tags(content.preheader, allowed=allowed, field="preheader", mark=add))
    preheader = parts.join({"recipient": Example()}).strip()
    name = f"{sender.name} <{sender.address}>" if sender.name else sender.address
    # What is no subject yet is not the sender's name, either: publishing will ask for one.
    return Inbox(name, mail.subject if content.subject.strip() else _("No subject yet"), preheader)


def _with_inbox(html: str, inbox: Inbox) -> str:
    note = render_to_string("wagtail_lifecycle/admin/preview_inbox.html", {"inbox": inbox})
    return _BODY.sub(lambda body: body[0] + note, html, count=1)


def preview_mail(content: Content) -> Mail:
    """Render `content`, which may be incomplete, for an example person. Raises CompileError."""
    compiled = compile_mail(replace(content, sender=_sender_key(content)))
    links = Links(unsubscribe="#" if content.topic else "", site=settings.base_url, verify="#")
    return compiled.personalise(Example(), data=_example_data(compiled.required, content.period), links=links)


def _sender_key(content: Content) -> str:
    return content.sender or min(settings.senders, default="")


def _example_data(required: frozenset[str], period: str) -> dict[str, object]:
    return {name: registry.data_sources.get(name)().example_of(period) for name in sorted(required)}


def _page(*, problem: str = "", text: str = "", inbox: Inbox | None = None) -> str:
    context = {"problem": problem, "text": text, "inbox": inbox}
    return render_to_string("wagtail_lifecycle/admin/preview.html", context)
