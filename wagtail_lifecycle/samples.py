"""Some people of a campaign's audience, and the mails they would get: for previews, tests and checks.

Sends nothing and writes nothing, and no link in these mails does anything.
"""

from __future__ import annotations

from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any, Final

from wagtail_lifecycle import links
from wagtail_lifecycle.audiences import get_audience
from wagtail_lifecycle.data_sources import Period, load_data
from wagtail_lifecycle.models.rules import content_of, rules_of
from wagtail_lifecycle.rendering import inert_links

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from wagtail_lifecycle.audiences import Audience, Recipient
    from wagtail_lifecycle.models import Campaign
    from wagtail_lifecycle.rendering import CompiledMail, Mail

__all__ = [
    "content_of",
    "data_of",
    "extremes",
    "find",
    "next_person",
    "period_of",
    "person",
    "personal_mail",
    "rules_of",
    "sample",
]

#: Longer than any name that somebody looks for, and than any key.
MAX_TEXT: Final = 200
#: Pages of an audience read to find somebody where the database cannot search it.
PAGES_READ: Final = 20
#: How many of a sample have the longest names, and as many the shortest.
EDGE: Final = 10


def audience_of(campaign: Campaign) -> Audience:
    """Return the audience, of the campaign as it is edited or, for a translation, of its source. Raises UnknownName."""
    return get_audience(rules_of(campaign).audience)


def period_of(campaign: Campaign, now: datetime) -> Period:
    """Return the period that a run at `now` would report on."""
    return Period.for_slot(rules_of(campaign).period or "day", now)


def person(campaign: Campaign, key: str, now: datetime) -> Recipient | None:
    """Return who has this key and belongs to the audience; None for everybody else, and for nonsense."""
    if "\x00" in key or len(key) > MAX_TEXT:
        return None
    return audience_of(campaign).by_key([key], now).get(key)


def find(campaign: Campaign, text: str, now: datetime, limit: int = 10) -> list[Recipient]:
    """Return people of the audience whose name or address contains `text`, at most `limit`."""
    text = text.replace("\x00", "").strip()[:MAX_TEXT]
    if not text:
        return []
    audience = audience_of(campaign)
    found = audience.search(audience.get_queryset(now), text)
    if found is not None:
        return audience.get_recipients(list(found.order_by("pk")[:limit]))
    return list(islice(_matching(audience, text, now), limit))


def _matching(audience: Audience, text: str, now: datetime) -> Iterator[Recipient]:
    words = text.casefold().split()
    for page in islice(audience.pages(now), PAGES_READ):
        for member in page.recipients:
            about = f"{member.name} {member.address}".casefold()
            if all(word in about for word in words):
                yield member


def next_person(campaign: Campaign, after_key: str, now: datetime) -> Recipient | None:
    """Return who comes after the person with `after_key`, the first after the last; None where nobody belongs."""
    audience = audience_of(campaign)
    known = "\x00" not in after_key and len(after_key) <= MAX_TEXT
    cursor = audience.cursor_of(after_key, now) if known else ""
    return _first(audience, cursor, now) or _first(audience, "", now)


def _first(audience: Audience, cursor: str, now: datetime) -> Recipient | None:
    pages = islice(audience.pages(now, cursor, size=1), PAGES_READ)
    return next((member for page in pages for member in page.recipients), None)


def sample(campaign: Campaign, now: datetime, size: int = 200) -> list[Recipient]:
    """Return people of the audience: those with the longest and the shortest names, and others at random.

    The same people as long as the audience stays the same. The number of queries does not depend on its size.
    """
    audience = audience_of(campaign)
    chance = Random(str(campaign.translation_key))  # noqa: S311 - a sample, no secret
    edges = _edges(audience, now, min(EDGE, size // 4))
    found = {member.key: member for member in [*edges, *audience.some(now, size, chance)]}
    return list(found.values())[:size]


def _edges(audience: Audience, now: datetime, count: int) -> list[Recipient]:
    length = audience.name_length()
    if length is None:
        return []
    people = audience.get_queryset(now).annotate(lifecycle_length=length)
    objs = [*people.order_by("-lifecycle_length", "pk")[:count], *people.order_by("lifecycle_length", "pk")[:count]]
    return audience.get_recipients(objs)


def data_of(compiled: CompiledMail, recipients: Sequence[Recipient], period: Period) -> dict[str, dict[str, Any]]:
    """Return what the mail reads about each recipient, by key, as it is loaded when the mail is sent.

    Each data source is asked once.
    """
    loaded = load_data([(recipient, compiled.required) for recipient in recipients], period)
    return {
        recipient.key: {name: loaded[name].get(recipient.key) for name in compiled.required} for recipient in recipients
    }


def personal_mail(
    compiled: CompiledMail,
    recipient: Recipient,
    period: Period,
    *,
    base: str,
    data: Mapping[str, Any] | None = None,
) -> Mail:
    """Return the mail that the recipient would get, with links that do nothing.

    `data` is theirs where it was loaded already, see `data_of`; `base` is that of `links.base_url()`. Raises what the
    data sources and the templates of blocks raise.
    """
    if data is None:
        data = data_of(compiled, [recipient], period)[recipient.key]
    return compiled.personalise(recipient, data=data, links=inert_links(recipient.key, base=base))


def extremes(
    campaign: Campaign, compiled: CompiledMail, now: datetime, size: int = 100
) -> tuple[Recipient, Recipient] | None:
    """Return who of a sample gets the longest mail and who gets the shortest; None where nobody belongs."""
    people = sample(campaign, now, size)
    if not people:
        return None
    period, base = period_of(campaign, now), links.base_url()
    data = data_of(compiled, people, period)

    def weight(recipient: Recipient) -> int:
        mail = personal_mail(compiled, recipient, period, base=base, data=data[recipient.key])
        return len(mail.octets.html) + len(mail.octets.text)

    by_weight = sorted(people, key=weight)
    return by_weight[-1], by_weight[0]
