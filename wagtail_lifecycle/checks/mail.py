"""What mails need: senders, addresses for links, the MJML compiler."""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.exceptions import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wagtail_lifecycle.conf import Sender

TAG: Final = "wagtail_lifecycle"
SENDER_EXAMPLE: Final = (
    'WAGTAIL_LIFECYCLE_SENDERS = {"news": {"from": "My Site <news@example.org>", "label": "Newsroom", '
    '"postal_address": "My Site, 1 Main St, Springfield"}}'
)
#: hosts that a reader cannot reach, and the ones that project templates come with
NOWHERE: Final = frozenset({"", "localhost", "127.0.0.1", "::1", "0.0.0.0", "example.com"})  # noqa: S104 - compared


@register(TAG)
def check_senders(**_kwargs: Any) -> list[CheckMessage]:
    try:
        senders = settings.senders
    except Misconfigured as error:
        return [Error(str(error), hint=f"For example: {SENDER_EXAMPLE}", id="wagtail_lifecycle.E002")]
    if not senders:
        return [
            Error(
                "WAGTAIL_LIFECYCLE_SENDERS names no sender, so no campaign can be sent.",
                hint=f"Add at least one: {SENDER_EXAMPLE}",
                id="wagtail_lifecycle.E001",
            )
        ]
    return [fault for sender in senders.values() for fault in _faults_of(sender)]


def _faults_of(sender: Sender) -> Iterator[CheckMessage]:
    if not (_is_address(sender.address) and _is_address(sender.reply_to or sender.address)):
        yield Error(
            f"WAGTAIL_LIFECYCLE_SENDERS[{sender.key!r}] has an address that mail servers refuse.",
            hint='Write "from" as "Name <address@domain>" and "reply_to" as one bare address, or leave it out.',
            id="wagtail_lifecycle.E002",
        )
    if not sender.postal_address:
        yield CheckWarning(
            f"WAGTAIL_LIFECYCLE_SENDERS[{sender.key!r}] has no postal address.",
            hint='Add "postal_address": bulk mail has to show one in many countries (15 USC 7704(a)(5)).',
            id="wagtail_lifecycle.W001",
        )


def _is_address(address: str) -> bool:
    try:
        validate_email(address)
    except ValidationError:
        return False
    return True


@register(TAG)
def check_base_url(**_kwargs: Any) -> list[CheckMessage]:
    hint = 'Set WAGTAIL_LIFECYCLE_BASE_URL (or WAGTAILADMIN_BASE_URL) to "https://www.example.org".'
    try:
        url = settings.base_url
    except Misconfigured as error:
        return [Error(str(error), hint=hint, id="wagtail_lifecycle.E003")]
    if not url:
        sentence = "No base URL is set: links in mails begin with the address of Wagtail's default site."
        return [CheckWarning(sentence, hint=hint, id="wagtail_lifecycle.W011")]
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"} and parts.hostname:
        return []
    sentence = f"The base URL {url!r} is not absolute, so mails could not link to the site."
    return [Error(sentence, hint=hint, id="wagtail_lifecycle.E003")]


@register(TAG)
def check_message_id_domain(**_kwargs: Any) -> list[CheckMessage]:
    try:
        domain = settings.message_id_domain
    except Misconfigured as error:
        sentence = str(error)
    else:
        if domain is None or _is_address(f"x@{domain}"):
            return []
        sentence = f"WAGTAIL_LIFECYCLE_MESSAGE_ID_DOMAIN {domain!r} is no domain."
    hint = 'Write a domain such as "mail.example.org", or leave the setting out.'
    return [Error(sentence, hint=hint, id="wagtail_lifecycle.E011")]


@register(TAG)
def check_lease(**_kwargs: Any) -> list[CheckMessage]:
    lease, patience = settings.lease.total_seconds(), settings.dot_timeout
    if lease >= 2 * patience:
        return []
    return [
        CheckWarning(
            f"A lease lasts {lease:g} seconds, while a mail server may think for {patience:g}: it may end while a mail "
            "is under way, and the mail counts as uncertain.",
            hint=(
                f"Set WAGTAIL_LIFECYCLE_LEASE_SECONDS to {2 * patience:g} or more, or "
                f"WAGTAIL_LIFECYCLE_DOT_TIMEOUT_SECONDS to {lease / 2:g} or less."
            ),
            id="wagtail_lifecycle.W012",
        )
    ]


@register(TAG, deploy=True)
def check_base_url_in_production(**_kwargs: Any) -> list[CheckMessage]:
    try:
        url = settings.base_url
    except Misconfigured:
        url = ""
    parts = urlsplit(url)
    # What is missing or wrong altogether has been said by check_base_url.
    if not url or (parts.scheme == "https" and parts.hostname not in NOWHERE):
        return []
    return [
        CheckWarning(
            f"The base URL {url!r} does not lead readers to this site by https.",
            hint=(
                "Set WAGTAIL_LIFECYCLE_BASE_URL to the public https address: inboxes offer one-click "
                "unsubscribing (RFC 8058) by https only."
            ),
            id="wagtail_lifecycle.W002",
        )
    ]


@register(TAG, Tags.compatibility)
def check_mjml(**_kwargs: Any) -> list[CheckMessage]:
    try:
        mjml = importlib.import_module("mjml")
    except ImportError:
        mjml = None
    if not hasattr(mjml, "mjml2html"):
        return [
            Error(
                "The installed package `mjml` cannot compile mails: it has no `mjml2html`.",
                hint="Run `pip uninstall django-mjml mjml-python`, then `pip install mjml-python`.",
                id="wagtail_lifecycle.E004",
            )
        ]
    if _is_installed("django-mjml"):
        return [
            CheckWarning(
                "django-mjml is installed: it claims the same package `mjml` as mjml-python, which we need.",
                hint="Remove django-mjml, then run `pip install --force-reinstall mjml-python`.",
                id="wagtail_lifecycle.W003",
            )
        ]
    return []


def _is_installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
