"""A campaign that wants to go live, with all that checks ask of it, looked up once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from bs4 import BeautifulSoup

from wagtail_lifecycle import links, registry
from wagtail_lifecycle.audiences import get_audience
from wagtail_lifecycle.conf import Sender, settings
from wagtail_lifecycle.exceptions import LifecycleError, UnknownName
from wagtail_lifecycle.models.rules import content_of
from wagtail_lifecycle.preflight import walking
from wagtail_lifecycle.rendering import CompiledMail, Links, Mail, compile_mail
from wagtail_lifecycle.rendering.preview import Example

if TYPE_CHECKING:
    from datetime import datetime

    from wagtail_lifecycle.models import Campaign
    from wagtail_lifecycle.models.problems import Problem
    from wagtail_lifecycle.preflight.tallies import Tally
    from wagtail_lifecycle.rendering import Content


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What the schedule and the machinery have to say, which know more than a campaign."""

    #: why it would never go
    schedule_problem: Problem | None = None
    #: when it goes first
    next_slot: datetime | None = None
    #: when beat last sent something, and when a worker last did what beat asks for; None means never
    beat_seen: datetime | None = None
    worker_seen: datetime | None = None


@dataclass
class Flight:
    """One campaign before it goes live."""

    campaign: Campaign
    now: datetime
    #: None where nobody has asked the schedule
    circumstances: Circumstances | None = None
    #: mails of people, made for this; None where none were
    tally: Tally | None = None
    #: why it cannot be sent, as everybody is told
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def content(self) -> Content:
        return content_of(self.campaign)

    @cached_property
    def sender(self) -> Sender | None:
        try:
            return settings.sender(self.content.sender)
        except LifecycleError:
            return None

    @cached_property
    def compiled(self) -> CompiledMail | None:
        """The mail; None where it cannot be one, which the problems tell."""
        sender = self.content.sender if self.sender else min(settings.senders, default="")
        try:
            return compile_mail(replace(self.content, sender=sender))
        # The templates of blocks are the site's own code and may raise anything; `problems` says so.
        except Exception:  # noqa: BLE001
            return None

    @cached_property
    def example(self) -> Mail | None:
        """The mail of a person who does not exist, with believable data."""
        if self.compiled is None:
            return None
        shown = Links(unsubscribe=links.base_url(), site=links.base_url(), verify=links.base_url())
        try:
            data = {name: self._example_of(name) for name in sorted(self.compiled.required)}
            return self.compiled.personalise(Example(), data=data, links=shown)
        except Exception:  # noqa: BLE001 - as above
            return None

    def _example_of(self, name: str) -> object:
        return registry.data_sources.get(name)().example_of(self.content.period)

    @cached_property
    def html(self) -> str:
        return self.example.html if self.example else ""

    @cached_property
    def soup(self) -> BeautifulSoup:
        return BeautifulSoup(self.html, "html.parser")

    @cached_property
    def items(self) -> list[walking.Item]:
        return walking.items(self.content.body)

    @cached_property
    def links(self) -> list[walking.Link]:
        return walking.links(self.content.body)

    @cached_property
    def is_bulk(self) -> bool:
        return bool(self.content.topic)

    @cached_property
    def audience_size(self) -> int | None:
        """How many belong to the audience now; None where it is none."""
        try:
            return get_audience(self.content.audience).count(self.now)
        except UnknownName:
            return None
