"""The values that go into rendering and come out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.utils.functional import Promise

from wagtail_lifecycle.rendering.brand import Brand


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
    """The parts of a mail as quoted-printable, of which the constants were encoded once for everybody."""

    html: bytes
    text: bytes


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One person's mail, before it has an envelope."""

    subject: str
    html: str
    text: str
    #: html and text, encoded
    octets: Octets


class Person(Protocol):
    """What rendering reads of a recipient."""

    @property
    def name(self) -> str: ...
    @property
    def first_name(self) -> str: ...
    @property
    def data(self) -> Mapping[str, object]: ...
