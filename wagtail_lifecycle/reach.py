"""How many people a campaign would reach today, and why it would not reach the others. Writes nothing."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Final

from django.core.cache import cache

from wagtail_lifecycle import planning, samples
from wagtail_lifecycle.audiences import get_audience
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.models.people import normalise_address
from wagtail_lifecycle.planning import Decision, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from wagtail_lifecycle.audiences import Audience, Recipient

#: Audiences up to this size are decided about one by one; of larger ones, a sample.
EXACT: Final = 5_000
SAMPLE: Final = 1_000
PAGE: Final = 500
#: People whose address contains the one that is asked about.
ALIKE: Final = 500
#: An editor who tries one audience after another does not have the same people counted again and again.
CACHE_SECONDS: Final = 60


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The people of an audience, by what would become of their mail today."""

    matched: int
    opted_out: int = 0
    suppressed: int = 0
    no_address: int = 0
    duplicate: int = 0
    #: whether all but `matched` is reckoned from a sample
    is_about: bool = False

    @property
    def reached(self) -> int:
        return max(0, self.matched - self.opted_out - self.suppressed - self.no_address - self.duplicate)


def reach_of(audience: str, topic_id: int | None, now: datetime) -> Reach:
    """Return how many people a mail would reach, at most a minute old; the work does not grow beyond `EXACT` people.

    Raises UnknownName, and whatever an audience of the site raises.
    """
    digest = hashlib.sha256(audience.encode()).hexdigest()
    key = f"wagtail_lifecycle:reach:{digest}:{topic_id or ''}"
    known: Reach | None = cache.get(key)
    if known is None:
        known = _reach(get_audience(audience), topic_id, now)
        cache.set(key, known, CACHE_SECONDS)
    return known


def _reach(audience: Audience, topic_id: int | None, now: datetime) -> Reach:
    matched = audience.count(now)
    if matched > EXACT:
        people = audience.some(now, SAMPLE, Random(matched))  # noqa: S311 - a sample, no secret
        share = matched / max(1, len(people))
        reasons = {reason: round(count * share) for reason, count in _reasons([people], topic_id).items()}
        return _of(reasons, matched=matched, is_about=True)
    pages = (page.recipients for page in islice(audience.pages(now, size=PAGE), EXACT // PAGE + 1))
    reasons = _reasons(pages, topic_id)
    return _of(reasons, matched=sum(reasons.values()), is_about=False)


def _of(reasons: Mapping[str, int], *, matched: int, is_about: bool) -> Reach:
    return Reach(
        matched=matched,
        opted_out=reasons.get(Reason.OPTED_OUT, 0),
        suppressed=reasons.get(Reason.SUPPRESSED, 0),
        no_address=reasons.get(Reason.NO_ADDRESS, 0),
        duplicate=reasons.get(Reason.DUPLICATE, 0),
        is_about=is_about,
    )


def _reasons(pages: Iterable[Sequence[Recipient]], topic_id: int | None) -> dict[str, int]:
    """Count what would become of each; "" are those who get the mail."""
    counts: Counter[str] = Counter()
    planned: dict[str, str] = {}
    for recipients in pages:
        decisions = planning.decide(planning.people_of(recipients), topic_id=topic_id, planned=planned)
        counts.update(str(decision.reason) for decision in decisions)
        planned |= {decision.person.address_hash: decision.person.recipient.key for decision in decisions}
    return dict(counts)


def decide_about(address: str, audience: str, topic_id: int | None, now: datetime) -> list[Decision]:
    """Return what would become of the mail of everybody in the audience who has this address; nobody, an empty list.

    Raises ValueError where it is no address, and UnknownName.
    """
    wanted = normalise_address(address)
    found = samples.find(Campaign(audience=audience), address.strip(), now, limit=ALIKE)
    people = [person for person in planning.people_of(found) if person.address == wanted]
    return planning.decide(people, topic_id=topic_id, planned={})
