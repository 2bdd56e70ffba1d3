"""Previews: the mail as somebody would get it, or a sentence that says why there is none. A preview never raises."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from wagtail_lifecycle import links as signed_links
from wagtail_lifecycle import registry
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.exceptions import LifecycleError, Misconfigured
from wagtail_lifecycle.rendering.compiling import CompiledMail, compile_mail
from wagtail_lifecycle.rendering.content import Content, Links, Mail, Person
from wagtail_lifecycle.rendering.inbox import Inbox
from wagtail_lifecycle.rendering.merge_tags import allowed_merge_tags, mark_merge_tags
from wagtail_lifecycle.rendering.pieces import collecting
from wagtail_lifecycle.rendering.schemes import shown_in

#: Content-Security-Policy of a previewed mail: styles and pictures, nothing that runs
PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src * data:; frame-ancestors 'self'"

#: Ways to look at a mail; every other one is "html".
TEXT: Final = "text"
DARK: Final = "dark"

_HEAD: Final = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_BODY: Final = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
#: Where links have no base, because nobody has said what the site's address is.
ANYWHERE: Final = "https://example.org"
#: Links would open inside the frame of the preview, which other pages refuse.
_NEW_TABS: Final = '<base target="_blank">'

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Example:
    """Somebody who does not exist, for whom mails are made that are only looked at."""

    name: str = "Ana Costa"
    first_name: str = "Ana"
    address: str = "ana@example.org"
    time_zone: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


#: Of whom nothing is known.
NOBODY: Final = Example(name="", first_name="", address="")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Whose mail a preview shows."""

    person: Person
    #: what each data source has for them
    data: Mapping[str, object]
    links: Links
    #: a sentence about whose mail it is
    note: str
    #: why they would get none; empty where they would
    warning: str = ""


#: Answers whose mail is shown, when it is known which data the mail reads.
Read = Callable[[CompiledMail], Reading]


def inert_links(recipient_key: str, *, base: str) -> Links:
    """Return links that look like those of a sent mail and do nothing."""
    return Links(
        unsubscribe=signed_links.inert_unsubscribe_url(base=base),
        site=f"{base}/",
        verify=signed_links.inert_verify_url(recipient_key, base=base),
    )


def read_example(content: Content) -> Read:
    """Show the mail of somebody who has it all: what merge tags and data sources have as examples."""
    note = _("Example data: every reader sees their own.")

    def read(compiled: CompiledMail) -> Reading:
        # The examples speak as the mail does, the note as the editor.
        with translation.override(compiled.language):
            person, data = _example_person(content.audience), _example_data(compiled.required, content.period)
        return Reading(person=person, data=data, links=_example_links(), note=note)

    return read


def read_nobody(content: Content) -> Read:  # noqa: ARG001 - like read_example
    """Show the mail of somebody of whom nothing is known, with all that is said instead."""
    note = _("Missing data: nothing is known about this reader, so every fallback shows.")
    return lambda compiled: Reading(
        person=NOBODY, data=dict.fromkeys(compiled.required), links=_example_links(), note=note
    )


def preview(content: Content, *, mode: str, read: Read | None = None) -> str:
    """Return an HTML page that shows `content` as "html", "dark" or "text", or that says why it cannot.

    `read` says whose mail it is; without it, an example's.
    """
    return _shown(content, mode=mode, read=read or read_example(content), with_inbox=True)


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
        language=translation.get_language() or "",
        sender="",
        audience="",
        topic="",
    )
    return _shown(content, mode="html", read=read_example(content), with_inbox=False)


def _shown(content: Content, *, mode: str, read: Read, with_inbox: bool) -> str:
    try:
        reading, mail = _read(content, read)
        inbox = _inbox(content, reading, mail) if with_inbox else None
    # Among them an audience, a sender or a base of links that is not there.
    except LifecycleError as error:
        return _page(problem=str(error))
    except Exception:  # a site's own block may raise anything, and the editor must stay usable
        logger.exception("preview failed", extra={"action": "preview", "campaign_id": content.campaign_id})
        return _page(problem=_("A block of this mail cannot be shown. The site's log says why."))
    about = {"inbox": inbox, "reading": reading, "is_dark": mode == DARK}
    if mode == TEXT:
        return _page(text=mail.text, **about)
    html = _HEAD.sub(lambda head: head[0] + _NEW_TABS, shown_in(mail.html, DARK if mode == DARK else "light"), count=1)
    return _with_inbox(html, about) if inbox else html


def _inbox(content: Content, reading: Reading, mail: Mail) -> Inbox:
    sender = settings.sender(_sender_key(content))
    with collecting(html=False, merge_tags=allowed_merge_tags(content.audience)) as collector:
        allowed, add = collector.merge_tags, collector.add
        parts = collector.split(mark_merge_tags(content.preheader, allowed=allowed, field="preheader", mark=add))
    preheader = parts.join({"recipient": reading.person}).strip()
    name = f"{sender.name} <{sender.address}>" if sender.name else sender.address
    # What is no subject yet is not the sender's name, either: publishing will ask for one.
    subject = mail.subject if content.subject.strip() else _("No subject yet")
    # Where there is no preheader, inboxes go on with the first words.
    return Inbox(name, subject, preheader or mail.text, size=len(mail.octets.html))


def _with_inbox(html: str, about: Mapping[str, Any]) -> str:
    note = render_to_string("wagtail_lifecycle/admin/preview_inbox.html", dict(about))
    return _BODY.sub(lambda body: body[0] + note, html, count=1)


def preview_mail(content: Content) -> Mail:
    """Render `content`, which may be incomplete, for an example person. Raises CompileError."""
    return _read(content, read_example(content))[1]


def _read(content: Content, read: Read) -> tuple[Reading, Mail]:
    compiled = compile_mail(replace(content, sender=_sender_key(content)))
    reading = read(compiled)
    return reading, compiled.personalise(reading.person, data=reading.data, links=reading.links)


def _sender_key(content: Content) -> str:
    return content.sender or min(settings.senders, default="")


def _example_person(audience: str) -> Example:
    data: dict[str, Any] = {}
    person: dict[str, str] = {}
    for path, example in allowed_merge_tags(audience).items():
        *steps, last = path.removeprefix("recipient.").split(".")
        if not steps and last in {"name", "first_name"}:
            person[last] = str(example)
        if steps[:1] == ["data"]:
            place = data
            for step in steps[1:]:
                place = place.setdefault(step, {})
            place[last] = str(example)
    return Example(**person, data=data)


def _example_data(required: frozenset[str], period: str) -> dict[str, object]:
    return {name: registry.data_sources.get(name)().example_of(period) for name in sorted(required)}


def _example_links() -> Links:
    try:
        base = signed_links.base_url()
    except Misconfigured:
        base = ANYWHERE
    return inert_links(signed_links.USER_PREFIX, base=base)


def _page(**context: Any) -> str:
    return render_to_string("wagtail_lifecycle/admin/preview.html", context)
