"""Showing that an address is one's own: the link of the mail, and asking for another mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from wagtail_lifecycle import links, triggers, user_events
from wagtail_lifecycle.audiences import Recipient, recipients_of_users
from wagtail_lifecycle.audiences.users import PROFILE
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.events import UserRegistered
from wagtail_lifecycle.exceptions import InvalidToken
from wagtail_lifecycle.models.people import hash_address, normalise_address

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

    from wagtail_lifecycle.models import Campaign

#: The key of nobody: whoever is not to get a mail has their row too, and no one can tell from outside.
NOBODY: Final = "nobody:"
SALT: Final = "wagtail_lifecycle.nobody"


def who_verifies(token: str) -> Any:
    """Return the user whom `token` would verify now. Raises InvalidToken, whatever is wrong with it."""
    wish = links.read_verify_token(token)
    user = _unverified().filter(pk=_pk(wish.user_pk)).first()
    if user is None or _hash(_address_of(user)) != wish.address_hash:
        raise InvalidToken("The token is used, or the address has changed, or the account is gone.")
    return user


def confirm(token: str) -> None:
    """Note that the address is verified, once. Raises InvalidToken."""
    user = who_verifies(token)
    field = settings.verified_field
    assert field is not None  # noqa: S101 - or nobody could be found
    with transaction.atomic():
        # The address as well: it may have been changed since it was compared.
        rows = _unverified().filter(pk=user.pk, **{user.get_email_field_name(): _address_of(user)})
        if not rows.select_related(None).order_by().update(**{field: True}):
            raise InvalidToken("Somebody else has used the token at this moment, or changed the address.")
        setattr(user, field, True)
        user_events.verified(user)


def ask_again(address: str) -> None:
    """Send another verification mail to whoever has this address and is not verified.

    Does the same work for everybody else: the row of somebody who does not exist, left out when it is due.
    """
    email = get_user_model().get_email_field_name()
    user = _unverified().filter(**{f"{email}__iexact": address}).first()
    recipient = recipients_of_users([user])[0] if user else _nobody(address)
    triggers.fire_again(UserRegistered, recipient, _minute(timezone.now()), choose=first_that_asks)


def send_again(user: Any) -> int:
    """Send another verification mail to this user, such as after a change of address; answer how many were planned."""
    [recipient] = recipients_of_users([user])
    return triggers.fire_again(UserRegistered, recipient, f"again {uuid4()}", choose=first_that_asks)


def first_that_asks(campaigns: Iterable[Campaign]) -> list[Campaign]:
    """Return the campaign that asks to verify and goes first: the others are reminders, or other mails."""
    asking = [campaign for campaign in campaigns if any(block.block.asks_to_verify for block in campaign.body)]
    return sorted(asking, key=lambda campaign: (campaign.delay, campaign.pk))[:1]


def _unverified() -> QuerySet[Any]:
    users: QuerySet[Any] = get_user_model()._default_manager.order_by("pk")  # noqa: SLF001 - documented
    if apps.is_installed("wagtail.users"):
        # Language and time zone at once: one more query would tell who exists.
        users = users.select_related(PROFILE)
    field = settings.verified_field
    return users.filter(is_active=True, **{field: False}) if field else users.none()


def _pk(text: str) -> Any:
    try:
        return get_user_model()._meta.pk.to_python(text)
    except ValidationError as error:
        raise InvalidToken("The token is for users of another kind.") from error


def _address_of(user: Any) -> str:
    return getattr(user, user.get_email_field_name()) or ""


def _hash(address: str) -> str:
    try:
        return hash_address(address)
    except ValueError:
        return ""


def _nobody(address: str) -> Recipient:
    # What a stranger typed is not kept, not even in a form that could be guessed.
    alias = salted_hmac(SALT, normalise_address(address), algorithm="sha256").hexdigest()[:32]
    return Recipient(key=NOBODY, address=f"{alias}@nobody.invalid")


def _minute(now: datetime) -> str:
    """One key a minute: somebody who presses twice gets one mail."""
    return f"again {now:%Y-%m-%dT%H:%M}Z"
