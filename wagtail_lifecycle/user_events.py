"""Users who register and verify, as events: said by the site's code, or heard when a user is saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from wagtail_lifecycle import triggers
from wagtail_lifecycle.audiences import recipients_of_users
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.events import UserRegistered, UserVerified

if TYPE_CHECKING:
    from collections.abc import Collection

#: Where a user remembers, between the two signals of one save, that it makes them verified.
BECOMES_VERIFIED: Final = "_wagtail_lifecycle_becomes_verified"
_silent: ContextVar[bool] = ContextVar("wagtail_lifecycle_silent", default=False)


def registered(user: Any) -> int:
    """Plan the mails that follow a registration; once per user and address. Answer how many were planned."""
    return _fire(UserRegistered, user)


def verified(user: Any) -> int:
    """Plan the mails that follow a verification; once per user and address. Answer how many were planned."""
    return _fire(UserVerified, user)


@contextmanager
def silence() -> Iterator[None]:
    """Let users be saved without its being an event, for imports and the like."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def _fire(event: type[UserRegistered | UserVerified], user: Any) -> int:
    [recipient] = recipients_of_users([user])
    return triggers.fire(event, recipient, recipient.key)


# -- What the signals of the user model lead to, where WAGTAIL_LIFECYCLE_USER_EVENTS is on -----------------------


def before_save(user: Any, *, raw: bool, update_fields: Collection[str] | None) -> None:
    """Notice that this save makes a known user verified; one query, and only if it may."""
    field = settings.verified_field
    setattr(user, BECOMES_VERIFIED, False)
    if raw or field is None or not _is_listening() or (update_fields is not None and field not in update_fields):
        return
    # A field that was not loaded is not saved either.
    if not user.__dict__.get(field) or user._state.adding:  # noqa: SLF001 - documented for everybody
        return
    stored = type(user)._base_manager.filter(pk=user.pk, **{field: False})  # noqa: SLF001 - documented too
    setattr(user, BECOMES_VERIFIED, stored.exists())


def after_save(user: Any, *, raw: bool, created: bool) -> None:
    """Fire what this save was."""
    if raw or not _is_listening():
        return
    if created:
        registered(user)
    elif getattr(user, BECOMES_VERIFIED, False):
        verified(user)


def _is_listening() -> bool:
    return settings.user_events and not _silent.get()
