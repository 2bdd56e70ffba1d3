"""Whose mail a preview shows: chosen by an editor, kept in their session, and looked at again on every use."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import LogFormatter, log

from wagtail_lifecycle import links, planning, rendering, samples
from wagtail_lifecycle.models import Campaign, Delivery
from wagtail_lifecycle.wagtail_admin.access import is_everywhere

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.utils.functional import Promise

    from wagtail_lifecycle.audiences import Recipient
    from wagtail_lifecycle.rendering import CompiledMail, Content, Read, Reading

#: the permission without the model's name
PERMISSION: Final = "preview_people"
LOGGED: Final = "wagtail_lifecycle.preview_person"
#: where the session has the choices
SESSION: Final = "wagtail_lifecycle_preview"
#: campaigns a session remembers
REMEMBERED: Final = 50

EXAMPLE: Final = "example"
NOBODY: Final = "nobody"
LONGEST: Final = "longest"
SHORTEST: Final = "shortest"
PERSON: Final = "person"
INVENTED: Final[dict[str, str | Promise]] = {EXAMPLE: _("An example reader"), NOBODY: _("Missing data")}
#: what needs the permission
REAL: Final[dict[str, str | Promise]] = {
    LONGEST: _("The reader with the longest mail"),
    SHORTEST: _("The reader with the shortest mail"),
    PERSON: _("A reader I choose"),
}

GONE: Final = _("Who you have chosen is not in the audience any more. This is the example reader.")
WARNINGS: Final[dict[str, str | Promise]] = {
    Delivery.Reason.OPTED_OUT: _("This person has opted out, so would not get the mail."),
    Delivery.Reason.SUPPRESSED: _("This address is suppressed, so would not get the mail."),
}


@dataclass(frozen=True)
class Choice:
    """Whose mail somebody wants to see."""

    #: one of `INVENTED` or `REAL`
    reader: str = EXAMPLE
    #: of the recipient, where the reader is real
    key: str = ""

    @classmethod
    def of(cls, session: Mapping[str, Any], campaign: Campaign) -> Choice:
        """Return what the session remembers of the campaign."""
        stored = session.get(SESSION, {}).get(_slot(campaign))
        return cls(**stored) if stored else cls()

    def remember(self, session: Any, campaign: Campaign) -> None:
        """Keep it for the campaign and its translations."""
        choices = {slot: stored for slot, stored in session.get(SESSION, {}).items() if slot != _slot(campaign)}
        kept = list(choices.items())[1 - REMEMBERED :]
        session[SESSION] = {**dict(kept), _slot(campaign): asdict(self)}


def _slot(campaign: Campaign) -> str:
    return str(campaign.translation_key)


def may_see_people(user: Any, campaign: Campaign) -> bool:
    """Tell whether somebody may see the mails of real people of this campaign.

    On every site, because audiences belong to all: who may edit one campaign may choose any audience for it.
    """
    return bool(campaign.pk) and is_everywhere(user, PERMISSION, Campaign)


def choose(campaign: Campaign, wish: str, before: Choice, now: datetime) -> Choice | None:
    """Return whom a wish stands for; None where there is nobody like that.

    `wish` is the name of a reader, "next", or the key of a recipient. Raises LifecycleError where the audience or
    the mail is not ready for it.
    """
    if wish in INVENTED:
        return Choice(wish)
    if wish in {LONGEST, SHORTEST}:
        found = samples.extremes(campaign, rendering.compile_mail(samples.content_of(campaign)), now)
        return Choice(wish, found[wish == SHORTEST].key) if found else None
    person = _person(campaign, wish, before, now)
    return Choice(PERSON, person.key) if person else None


def _person(campaign: Campaign, wish: str, before: Choice, now: datetime) -> Recipient | None:
    if wish == PERSON:
        return samples.person(campaign, before.key, now) or samples.next_person(campaign, "", now)
    if wish == "next":
        return samples.next_person(campaign, before.key, now)
    return samples.person(campaign, wish, now)


def log_choice(campaign: Campaign, choice: Choice, user: Any) -> None:
    """Write down that somebody looked at the mail of a real person, without their address."""
    if choice.key:
        log(instance=campaign, action=LOGGED, user=user, data={"recipient": choice.key})


def reader(campaign: Campaign, choice: Choice, now: datetime) -> Recipient | None:
    """Return the real person of a choice, if they still belong to the audience."""
    return samples.person(campaign, choice.key, now) if choice.key else None


def read_as(campaign: Campaign, content: Content, choice: Choice, now: datetime) -> Read:
    """Return what says whose mail a preview shows."""
    if choice.reader == NOBODY:
        return rendering.read_nobody(content)
    example = rendering.read_example(content)
    if not choice.key:
        return example

    def read(compiled: CompiledMail) -> Reading:
        person = reader(campaign, choice, now)
        return _reading(campaign, person, compiled, now) if person else replace(example(compiled), warning=str(GONE))

    return read


def _reading(campaign: Campaign, person: Recipient, compiled: CompiledMail, now: datetime) -> Reading:
    data = samples.data_of(compiled, [person], samples.period_of(campaign, now))[person.key]
    return rendering.Reading(
        person=person,
        data=data,
        links=rendering.inert_links(person.key, base=links.base_url()),
        note=gettext("As %(person)s would get it. Its links do nothing.") % {"person": label_of(person)},
        warning=_warning(campaign, person, compiled, data),
    )


def _warning(campaign: Campaign, person: Recipient, compiled: CompiledMail, data: Mapping[str, Any]) -> str:
    known = planning.identify(person)
    if not known.address:
        return gettext("This person has no usable address, so would not get the mail.")
    refused = planning.refusals([known.address_hash], topic_id=samples.rules_of(campaign).topic_id)
    if known.address_hash in refused:
        return str(WARNINGS[refused[known.address_hash]])
    if compiled.is_empty_for(person, data):
        return gettext("There is nothing to report to this person, so they would not get the mail.")
    return ""


def label_of(person: Recipient) -> str:
    """Return the name of a person, or else the address."""
    return person.name or person.address


class PreviewFormatter(LogFormatter):
    label = _("See the mail of a person")

    def format_message(self, log_entry: Any) -> str:
        return gettext("Looked at the mail of the recipient %(key)s") % {"key": log_entry.data["recipient"]}


def register_log_actions(actions: Any) -> None:
    """Name what the audit log shows."""
    actions.register_action(LOGGED)(PreviewFormatter)
