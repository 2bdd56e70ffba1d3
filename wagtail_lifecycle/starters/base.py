"""What a starter is: a whole campaign, made of what the site has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from django.utils.translation import gettext_lazy as _
from wagtail.models import Locale, Site

from wagtail_lifecycle import registry
from wagtail_lifecycle.audiences import audience_choices
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.models import Campaign, Topic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.utils.functional import Promise

#: Type and value of one block of the body.
Block: TypeAlias = "tuple[str, Mapping[str, object]]"


@dataclass(frozen=True)
class Draft:
    """An unsaved campaign, and what its author still has to do."""

    campaign: Campaign
    #: sentences about what the site has nothing for
    to_do: tuple[Promise, ...] = ()


class Starter:
    """A complete campaign to begin from. Subclass it, give it a name and register it with `@register_starter`.

    Every text may be lazy: the draft is written in the language of the person who begins it.
    """

    #: how it is known; data, so it never changes
    name: ClassVar[str]
    #: what editors choose, and the first name of their campaign
    label: ClassVar[str | Promise]
    #: one sentence for editors: who gets what, and when
    description: ClassVar[str | Promise] = ""
    #: may hold merge tags with a fallback: "{{ recipient.first_name | friend }}"
    subject: ClassVar[str | Promise] = ""
    preheader: ClassVar[str | Promise] = ""
    #: names of audiences, the best first; of those with options, the name before the colon takes the first one
    audiences: ClassVar[Sequence[str]] = ()
    #: slugs of topics, the best first; where the site has none of them, its only topic is taken
    topics: ClassVar[Sequence[str]] = ()
    #: other fields of the campaign: the trigger, the schedule, the rules
    fields: ClassVar[Mapping[str, Any]] = {}

    def body(self, site: Site | None) -> Sequence[Block]:  # noqa: ARG002 - for subclasses
        """Return type and value of each block; `site` is the one that the mail is of, and None where there is none."""
        return ()

    def is_available(self) -> bool:
        """Tell whether the gallery shows it; override it where it needs something that not every site has."""
        return True

    def draft(self, locale: Locale) -> Draft:
        """Return an unsaved campaign in the active language, made of what the site has."""
        site = Site.objects.filter(is_default_site=True).select_related("root_page").first()
        campaign = Campaign(
            locale=locale,
            name=str(self.label),
            subject=str(self.subject),
            preheader=str(self.preheader),
            sender=next(iter(settings.senders), ""),
            audience=self._audience(),
            topic=self._topic(),
            body=[(name, value) for name, value in self.body(site) if name in registry.blocks],
            **self.fields,
        )
        return Draft(campaign, tuple(_to_do(campaign)))

    def _audience(self) -> str:
        known = [name for name, _label in audience_choices()]
        for wanted in self.audiences:
            for name in known:
                if wanted in (name, name.partition(":")[0]):
                    return name
        return ""

    def _topic(self) -> Topic | None:
        if self.fields.get("is_transactional"):
            return None
        topics = {topic.slug: topic for topic in Topic.objects.all()}
        fitting = [topics[slug] for slug in self.topics if slug in topics]
        return next(iter(fitting or (topics.values() if len(topics) == 1 else ())), None)


def _to_do(campaign: Campaign) -> list[Promise]:
    missing = {
        _("Choose who the mail comes from: this site has no sender yet."): not campaign.sender,
        _("Choose who gets the mail: this site has no audience that this starter is made for."): not campaign.audience,
        _("Choose what people can opt out of: no topic of this site fits by itself."): not (
            campaign.topic_id or campaign.is_transactional
        ),
        _("Choose what the mail follows: this site does not have the event of this starter."): (
            campaign.is_on_event and campaign.event not in registry.events
        ),
    }
    return [sentence for sentence, is_missing in missing.items() if is_missing]
