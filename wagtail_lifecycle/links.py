"""Absolute URLs, and the signed tokens in them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.core.signing import BadSignature, Signer, TimestampSigner
from django.urls import reverse
from django.utils.functional import lazy
from wagtail.models import Site

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.domains import ascii_url
from wagtail_lifecycle.exceptions import InvalidToken, Misconfigured

#: One salt per purpose: a token for one thing opens nothing else.
UNSUBSCRIBE_SALT: Final = "wagtail_lifecycle.unsubscribe"
VERIFY_SALT: Final = "wagtail_lifecycle.verify"
INERT_SALT: Final = "wagtail_lifecycle.inert"
#: Ours have about 100 characters; nothing longer is worth computing a signature for.
MAX_TOKEN: Final = 200
#: the primary key of a user may be long
MAX_VERIFY_TOKEN: Final = 400
#: what a token of a preview or a test says: nothing, in as many characters as one that opts out
INERT: Final = f"{'-' * 43}.0"
#: stands in a URL for the token; like a token it needs no quoting
PLACE: Final = "token:token"
#: what a link's query calls the language that its page is to answer in
LANGUAGE: Final = "lang"
#: the keys of recipients who are users begin with it
USER_PREFIX: Final = "user:"


@dataclass(frozen=True)
class Unsubscription:
    """Who wants to stop what."""

    address_hash: str
    #: None means everything
    topic_id: int | None


@dataclass(frozen=True)
class Verification:
    """Who says that which address is theirs."""

    #: as text, whatever kind of primary key users have
    user_pk: str
    address_hash: str


def base_url() -> str:
    """Return scheme and host of links that belong to no page, never from a request's Host header."""
    if settings.base_url:
        return settings.base_url
    site = Site.objects.filter(is_default_site=True).first()
    if site is None:
        raise Misconfigured(
            "Links in mails need a base URL, and there is none. "
            "Set WAGTAIL_LIFECYCLE_BASE_URL, or make one of Wagtail's sites the default."
        )
    return ascii_url(site.root_url.rstrip("/"))


def absolute(path: str, *, base: str = "") -> str:
    """Return `path` below `base`, which spares a loop the look-up of `base_url()`; a whole URL stays what it is."""
    if path.startswith(("https://", "http://")):
        return path
    # Media on another host may be configured without a scheme.
    if path.startswith("//"):
        return f"https:{path}"
    return f"{base or base_url()}/{path.lstrip('/')}"


def unsubscribe_url(address_hash: str, topic_id: int | None, *, base: str = "") -> str:
    """Return the absolute URL that stops one topic, or everything, for one address."""
    return UnsubscribeUrls(topic_id, base=base).of(address_hash)


class UnsubscribeUrls:
    """The same for many addresses, of which only the token differs."""

    def __init__(self, topic_id: int | None, *, base: str = "") -> None:
        self._topic_id = topic_id
        self._signer = _unsubscribe_signer()
        url = absolute(reverse("wagtail_lifecycle:unsubscribe", args=[PLACE]), base=base)
        self._before, _place, self._after = url.rpartition(PLACE)

    def of(self, address_hash: str) -> str:
        """Return the absolute URL of one address."""
        return f"{self._before}{_unsubscribe_token(self._signer, address_hash, self._topic_id)}{self._after}"


def in_language(url: str, language: str) -> str:
    """Return `url`, a link of ours without a query, so that its page answers in `language`, a language code."""
    return f"{url}?{urlencode({LANGUAGE: language})}" if url and language else url


def unsubscribe_token(address_hash: str, topic_id: int | None) -> str:
    return _unsubscribe_token(_unsubscribe_signer(), address_hash, topic_id)


def _unsubscribe_token(signer: Signer, address_hash: str, topic_id: int | None) -> str:
    return signer.sign(f"{_packed(bytes.fromhex(address_hash))}.{topic_id or ''}")


def read_unsubscribe_token(token: str) -> Unsubscription:
    """Return what `token` stands for, however old it is. Raises InvalidToken."""
    if len(token) > MAX_TOKEN:
        raise InvalidToken("The token is too long to be one of ours.")
    try:
        person, _dot, topic = _unsubscribe_signer().unsign(token).partition(".")
        address_hash = base64.urlsafe_b64decode(person + "=").hex()
        return Unsubscription(address_hash=address_hash, topic_id=int(topic) if topic else None)
    except (BadSignature, binascii.Error, ValueError) as error:
        raise InvalidToken("The token was not signed here for unsubscribing.") from error


def verify_url(recipient_key: str, address_hash: str, base: str = "", language: str = "") -> str:
    """Return the absolute URL where this user verifies this address; empty for who is no user."""
    if not recipient_key.startswith(USER_PREFIX):
        return ""
    token = verify_token(recipient_key.removeprefix(USER_PREFIX), address_hash)
    return in_language(absolute(reverse("wagtail_lifecycle:verify", args=[token]), base=base), language)


#: The same, but computed only where a mail shows it: few do.
lazy_verify_url = lazy(verify_url, str)


def verify_token(user_pk: object, address_hash: str) -> str:
    """Return a token that is over when the address has changed, when it is verified, or when its time is up."""
    return _verify_signer().sign(f"{_packed(str(user_pk).encode())}.{_packed(bytes.fromhex(address_hash))}")


def read_verify_token(token: str) -> Verification:
    """Return what `token` stands for; whether that is still to be done, the user's row says. Raises InvalidToken."""
    if len(token) > MAX_VERIFY_TOKEN:
        raise InvalidToken("The token is too long to be one of ours.")
    try:
        value = _verify_signer().unsign(token, max_age=settings.verification_seconds)
        user_pk, _dot, address = value.partition(".")
        return Verification(user_pk=_unpacked(user_pk).decode(), address_hash=_unpacked(address).hex())
    except (BadSignature, binascii.Error, ValueError) as error:
        raise InvalidToken("The token was not signed here for verifying, or not lately.") from error


def inert_unsubscribe_url(*, base: str = "") -> str:
    """Return an absolute URL that looks like one to opt out and says that it does nothing: for previews and tests."""
    return absolute(reverse("wagtail_lifecycle:unsubscribe", args=[_inert_signer().sign(INERT)]), base=base)


def inert_verify_url(recipient_key: str, *, base: str = "") -> str:
    """Return the same in the place of `verify_url`; empty for who is no user."""
    if not recipient_key.startswith(USER_PREFIX):
        return ""
    return absolute(reverse("wagtail_lifecycle:verify", args=[_inert_signer().sign(INERT)]), base=base)


def is_inert(token: str) -> bool:
    """Whether `token` comes from a preview or a test mail, where it stands for nobody."""
    try:
        return len(token) <= MAX_TOKEN and _inert_signer().unsign(token) == INERT
    except BadSignature:
        return False


def _inert_signer() -> Signer:
    return Signer(salt=INERT_SALT)


def _verify_signer() -> TimestampSigner:
    return TimestampSigner(salt=VERIFY_SALT)


def _packed(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _unpacked(value: str) -> bytes:
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


def _unsubscribe_signer() -> Signer:
    # Not a TimestampSigner: a link in an old mail must work for as long as the mail is kept.
    return Signer(salt=UNSUBSCRIBE_SALT)
