"""The values that go into rendering and come out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, Self

from django.utils.functional import Promise

from wagtail_lifecycle.rendering.brand import Brand
from wagtail_lifecycle.rendering.encoding import decoded, quoted_printable


@dataclass(frozen=True, kw_only=True)
class Content:
    """What an editor wrote, of one revision in one language."""

    #: primary key of the campaign, for links and headers
    campaign_id: int
    subject: str
    preheader: str
    #: the StreamValue of the body
    body: Any
    #: language code of the content, for example "de" or "pt-br"
    language: str
    #: key of the sender in the settings
    sender: str
    #: name of the audience, whose merge tags the content may use
    audience: str
    #: kind of the period that reports cover: "day", "week", "month" or "today"
    period: str = "day"
    #: name of the topic; empty means transactional, with no opt-out
    topic: str = ""
    #: of the campaign's site
    brand: Brand = field(default_factory=Brand)

    def ruled_by(self, source: Content) -> Content:
        """Return these words under the rules of the source: a translation is content only."""
        return replace(
            self,
            campaign_id=source.campaign_id,
            sender=source.sender,
            audience=source.audience,
            topic=source.topic,
            period=source.period,
            brand=source.brand,
        )


@dataclass(frozen=True, kw_only=True)
class Links:
    """Absolute URLs that a mail shows."""

    #: page to opt out of the topic of this mail; empty where there is none
    unsubscribe: str = ""
    #: home page of the site
    site: str = ""
    #: page where the address is verified; empty for who is no user
    verify: str | Promise = ""


@dataclass(frozen=True, kw_only=True)
class Octets:
    """The parts of a mail as `encoding` makes them, of which the constants were encoded once for everybody."""

    html: bytes
    text: bytes


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One person's mail, before it has an envelope."""

    subject: str
    octets: Octets

    @classmethod
    def of(cls, *, subject: str, html: str, text: str) -> Self:
        """Return a mail of which nothing was encoded beforehand."""
        return cls(subject=subject, octets=Octets(html=quoted_printable(html), text=quoted_printable(text)))

    @cached_property
    def html(self) -> str:
        return decoded(self.octets.html)

    @cached_property
    def text(self) -> str:
        return decoded(self.octets.text)


class Person(Protocol):
    """What rendering reads of a recipient."""

    @property
    def name(self) -> str: ...
    @property
    def first_name(self) -> str: ...
    @property
    def time_zone(self) -> str: ...
    @property
    def data(self) -> Mapping[str, object]: ...
