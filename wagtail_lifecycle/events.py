"""What can happen to a person that a mail follows: registered, named, with the words that editors read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.registry import register_event

if TYPE_CHECKING:
    from django.utils.functional import Promise


class Event:
    """Something that happens to one person. Subclass it, give it a name and register it with `@register_event`."""

    #: how campaigns remember it; data, so it never changes
    name: ClassVar[str]
    #: what editors choose
    label: ClassVar[str | Promise]
    #: one sentence for editors: when exactly it happens
    description: ClassVar[str | Promise] = ""
    #: when a campaign without a delay goes, as a sentence without its full stop; "" makes one of the label
    at_once: ClassVar[str | Promise] = ""
    #: the same with a delay, which stands for `%(delay)s`
    later: ClassVar[str | Promise] = ""
    #: how long after it was due a mail about it is still worth sending
    lifetime: ClassVar[timedelta] = timedelta(days=3)

    @classmethod
    def expires_after(cls) -> timedelta:
        """Return `lifetime`; override it where a setting says."""
        return cls.lifetime

    @classmethod
    def sentence(cls, delay: str) -> str:
        """Return when a mail about it goes; `delay` in words, or empty."""
        if delay:
            return str(cls.later or _("%(delay)s after this: %(event)s")) % {"delay": delay, "event": cls.label}
        return str(cls.at_once or _("As soon as this happens: %(event)s")) % {"event": cls.label}


@register_event
class UserRegistered(Event):
    name = "user_registered"
    label = gettext_lazy("A user registers")
    description = gettext_lazy("An account was made, by the person or for them.")
    at_once = gettext_lazy("As soon as a user registers")
    later = gettext_lazy("%(delay)s after a user registers")

    @classmethod
    def expires_after(cls) -> timedelta:
        # Its mail asks people to verify: worth nothing once its link would be over.
        return timedelta(seconds=settings.verification_seconds)


@register_event
class UserVerified(Event):
    name = "user_verified"
    label = gettext_lazy("A user verifies their address")
    description = gettext_lazy("Somebody showed for the first time that they read the address of their account.")
    at_once = gettext_lazy("As soon as a user verifies their address")
    later = gettext_lazy("%(delay)s after a user verifies their address")
