"""Audiences of the site's users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import CharField, Q, Value, prefetch_related_objects
from django.db.models.functions import Concat, Length
from django.utils.translation import gettext_lazy as _

from wagtail_lifecycle.audiences.base import Audience, Recipient
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.registry import register_audience

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import Expression, QuerySet

#: the key prefix of users
USER = "user"
#: the accessor of Wagtail's profile, which knows language and time zone
PROFILE = "wagtail_userprofile"
#: What the names of people are called in user models.
NAME_FIELDS: Final = ("name", "full_name", "first_name", "last_name")


def active_users() -> QuerySet[Any]:
    """Return the users who may log in, ordered by primary key; verified or not."""
    return get_user_model()._default_manager.filter(is_active=True).order_by("pk")  # noqa: SLF001 - documented


def mailable_users() -> QuerySet[Any]:
    """Return the users who may get bulk mail: active, and verified where the user model knows."""
    verified = settings.verified_field
    return active_users().filter(**{verified: True}) if verified else active_users()


def recipients_of_users(users: Sequence[Any]) -> list[Recipient]:
    """Return users as recipients, in one query however many they are.

    Language and time zone are those of the Wagtail profile; empty where the user never chose.
    """
    users = list(users)
    if users and apps.is_installed("wagtail.users"):
        prefetch_related_objects(users, PROFILE)
    return [_recipient(user) for user in users]


def _recipient(user: Any) -> Recipient:
    profile = getattr(user, PROFILE, None)
    address = getattr(user, user.get_email_field_name(), "") or ""
    return Recipient(
        key=f"{USER}:{user.pk}",
        address=address,
        name=_name(user, address),
        language=profile.preferred_language if profile else "",
        time_zone=profile.current_time_zone if profile else "",
    )


def _name(user: Any, address: str) -> str:
    full_name = user.get_full_name() if hasattr(user, "get_full_name") else getattr(user, "name", "")
    # Some user models answer with the address where they have no name.
    return "" if full_name == address else str(full_name or "").strip()


def _name_fields() -> list[str]:
    columns = {field.name for field in get_user_model()._meta.concrete_fields if isinstance(field, CharField)}
    return [name for name in NAME_FIELDS if name in columns]


class UserAudience(Audience):
    """Active and verified users. Subclass it and override `narrow` to choose among them."""

    merge_tags = {
        "recipient.first_name": _("Ana"),
        "recipient.name": _("Ana Lindqvist"),
        "recipient.address": "ana@example.org",
    }
    key_prefix = USER

    def get_queryset(self, now: datetime) -> QuerySet[Any]:
        return self.narrow(mailable_users(), now)

    def narrow(self, users: QuerySet[Any], now: datetime) -> QuerySet[Any]:  # noqa: ARG002 - for subclasses
        """Return those of `users` who belong at `now`."""
        return users

    def search(self, people: QuerySet[Any], text: str) -> QuerySet[Any] | None:
        """Every word of `text` is in the address or in a name."""
        fields = [people.model.get_email_field_name(), *_name_fields()]
        for word in text.split():
            people = people.filter(Q.create([(f"{field}__icontains", word) for field in fields], Q.OR))
        return people

    def name_length(self) -> Expression | None:
        # Two at least, which is what Concat wants.
        return Length(Concat(*_name_fields(), Value(""), Value(""), output_field=CharField()))

    def get_recipient(self, obj: Any) -> Recipient:
        return recipients_of_users([obj])[0]

    def get_recipients(self, objs: Sequence[Any]) -> list[Recipient]:
        return recipients_of_users(objs)


@register_audience
class ActiveUsers(UserAudience):
    name = "active_users"
    label = _("Active users")
    description = _("Everybody with an active account and a verified address.")


@register_audience
class UnverifiedUsers(UserAudience):
    name = "unverified_users"
    label = _("Users not verified")
    description = _("Everybody with an active account who has not verified their address yet.")

    def get_queryset(self, now: datetime) -> QuerySet[Any]:
        # The one audience that mails unverified addresses: it asks people to verify them.
        verified = settings.verified_field
        users = active_users().filter(**{verified: False}) if verified else active_users().none()
        return self.narrow(users, now)
