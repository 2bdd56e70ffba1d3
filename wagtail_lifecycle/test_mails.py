"""Test mails: one campaign, as one person would get it, to somebody of the site."""

from __future__ import annotations

import logging
import re
from email.utils import make_msgid
from typing import TYPE_CHECKING, Any, Final

from django.db import DatabaseError
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from wagtail_lifecycle import links, rendering, samples
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.domains import ascii_address
from wagtail_lifecycle.exceptions import LifecycleError, Misconfigured
from wagtail_lifecycle.hourly import is_allowed
from wagtail_lifecycle.names import one_line
from wagtail_lifecycle.rendering import Mail
from wagtail_lifecycle.rendering.preview import preview_mail
from wagtail_lifecycle.transport import Letter, Line

if TYPE_CHECKING:
    from datetime import datetime

    from wagtail_lifecycle.audiences import Recipient
    from wagtail_lifecycle.models import Campaign
    from wagtail_lifecycle.rendering import Content
    from wagtail_lifecycle.transport import Outcome

logger = logging.getLogger(__name__)

MAX_NOTE: Final = 600
_BODY: Final = re.compile(r"<body\b[^>]*>", re.IGNORECASE)


class RefusedTest(LifecycleError):
    """The test mail may not go; the message says why and what to do."""


def addresses_for(user: Any) -> list[str]:
    """Return where `user` may send tests: their own address first, then those of the setting `TEST_ADDRESSES`."""
    own = str(getattr(user, user.get_email_field_name(), "") or "")
    wanted = [own, *settings.test_addresses]
    return list(dict.fromkeys(address for address in wanted if address))


def send_test(campaign: Campaign, address: str, *, user: Any, recipient: Recipient | None, now: datetime) -> Outcome:
    """Send the campaign as it stands to `address`, as `recipient` would get it, and answer what the server said.

    `recipient` is a person of the audience, or None for the example person. Nothing in the mail does anything when it
    is followed, and no row of anybody changes. Raises RefusedTest where the address is not one of `addresses_for`
    or the hour's limit is reached, and CompileError where the campaign cannot become a mail.
    """
    if address not in addresses_for(user):
        raise RefusedTest(
            _("Tests go to your own address, or to one that the setting TEST_ADDRESSES allows. Choose one of these.")
        )
    if not is_allowed("test-mail", str(user.pk), settings.test_limit):
        raise RefusedTest(_too_many(settings.test_limit))
    content = samples.content_of(campaign)
    mail = _marked(_made(campaign, content, recipient, now), campaign, recipient, content.language)
    with Line() as line:
        return line.send(_letter(content, mail, address, now))


def _too_many(limit: int) -> str:
    sentence = ngettext(
        "You have sent %(count)d test within an hour. Send the next one later.",
        "You have sent %(count)d tests within an hour. Send the next one later.",
        limit,
    )
    return sentence % {"count": limit}


def _made(campaign: Campaign, content: Content, recipient: Recipient | None, now: datetime) -> Mail:
    try:
        return _mail(campaign, content, recipient, now)
    except (LifecycleError, DatabaseError):
        raise
    # Blocks and data sources are the site's own code, and may raise anything.
    except Exception as error:
        logger.exception("test mail failed", extra={"action": "test_mail", "campaign_id": campaign.pk})
        raise RefusedTest(_("A block of this mail cannot be rendered. The site's log says why.")) from error


def _mail(campaign: Campaign, content: Content, recipient: Recipient | None, now: datetime) -> Mail:
    if recipient is None:
        return preview_mail(content)
    compiled, period = rendering.compile_mail(content), samples.period_of(campaign, now)
    return samples.personal_mail(compiled, recipient, period, base=links.base_url())


def _marked(mail: Mail, campaign: Campaign, recipient: Recipient | None, language: str) -> Mail:
    """Say in the subject and above the words that this is a test: nobody shall take it for the real mail."""
    with translation.override(language):
        note = _note(campaign, recipient)
        banner = render_to_string("wagtail_lifecycle/emails/test_note.html", {"note": note})
        subject = _("[Test] %(subject)s") % {"subject": mail.subject}
    html = _BODY.sub(lambda body: body[0] + banner, mail.html, count=1)
    return Mail.of(subject=subject, html=html, text=f"{note}\n\n{mail.text}")


def _note(campaign: Campaign, recipient: Recipient | None) -> str:
    if recipient is None or not recipient.name:
        sentence = _("This is a test of “%(campaign)s”. Its links to unsubscribe and to verify do nothing.")
    else:
        sentence = _(
            "This is a test of “%(campaign)s”, as %(person)s would get it. "
            "Its links to unsubscribe and to verify do nothing."
        )
    return one_line(sentence % {"campaign": campaign.name, "person": recipient.name if recipient else ""}, MAX_NOTE)


def _letter(content: Content, mail: Mail, address: str, now: datetime) -> Letter:
    sender = settings.sender(content.sender)
    try:
        envelope = ascii_address(address)
    except ValueError as error:
        raise Misconfigured(f"No mail can go to the test address ({error}). Write another one.") from error
    domain = settings.message_id_domain or sender.domain
    return Letter(
        sender=sender,
        address=envelope,
        mail=mail,
        message_id=make_msgid(domain=domain),
        date=now,
    )
