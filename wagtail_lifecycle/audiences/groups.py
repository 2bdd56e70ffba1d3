"""The members of a group, one variant per group of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.models import Group
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wagtail_lifecycle.audiences.users import UserAudience
from wagtail_lifecycle.exceptions import UnknownName
from wagtail_lifecycle.registry import register_audience

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.utils.functional import Promise


@register_audience
class GroupMembers(UserAudience):
    """The option is the primary key of the group, because its name changes: "group_members:3"."""

    name = "group_members"
    label = _("Members of a group")
    description = _("Everybody in the group with an active account and a verified address.")

    def narrow(self, users: QuerySet[Any], now: datetime) -> QuerySet[Any]:  # noqa: ARG002 - the interface
        return users.filter(groups=int(self.option))

    @classmethod
    def variants(cls) -> list[tuple[str, str | Promise]]:
        return [
            (f"{cls.name}:{group.pk}", gettext("Members of the group “%(group)s”") % {"group": group.name})
            for group in Group.objects.order_by("name")
        ]

    @classmethod
    def from_name(cls, name: str) -> Self:
        _base, _colon, option = name.partition(":")
        if not (option.isascii() and option.isdigit()):
            raise UnknownName(
                f"The audience {name!r} does not say which group. Write {cls.name}:<primary key of the group>."
            )
        return cls(option)

    def problem(self) -> str:
        if Group.objects.filter(pk=int(self.option)).exists():
            return ""
        return gettext("The group of this audience no longer exists. Choose another audience.")
