"""The last look before a mail is made: whether the person is still there and still wants it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from wagtail_lifecycle import planning
from wagtail_lifecycle.audiences import get_audience
from wagtail_lifecycle.data_sources import load_data
from wagtail_lifecycle.dispatch import claiming
from wagtail_lifecycle.models import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wagtail_lifecycle.audiences import Recipient
    from wagtail_lifecycle.dispatch.editions import Editions
    from wagtail_lifecycle.planning import Person

Reason = Delivery.Reason


@dataclass(frozen=True, kw_only=True)
class Addressee:
    """A delivery and the person it is for, as they are now."""

    delivery: Delivery
    recipient: Recipient
    #: by data source
    data: Mapping[str, Any]


def addressees(group: Sequence[Delivery], editions: Editions) -> list[Addressee]:
    """Return who of the group gets a mail, with their data; the others are written down as left out.

    The number of queries does not depend on the size of the group, except for people whose address has changed.
    """
    left_out: dict[str, list[Delivery]] = defaultdict(list)
    wanted = list(_still_wanted(group, editions, left_out))
    readers = [(recipient, editions.of(delivery.language).required) for delivery, recipient in wanted]
    loaded = load_data(readers, editions.period)
    kept = []
    for delivery, recipient in wanted:
        compiled = editions.of(delivery.language)
        data = {name: loaded[name].get(recipient.key) for name in compiled.required}
        if compiled.is_empty_for(recipient, data):
            left_out[Reason.EMPTY].append(delivery)
        else:
            kept.append(Addressee(delivery=delivery, recipient=recipient, data=data))
    for reason, deliveries in left_out.items():
        claiming.leave_out(deliveries, reason)
    return kept


def _still_wanted(
    group: Sequence[Delivery], editions: Editions, left_out: dict[str, list[Delivery]]
) -> Iterable[tuple[Delivery, Recipient]]:
    members = _members(group, editions.audience)
    topic_id = editions.topic.pk if editions.topic else None
    refused = planning.refusals((person.address_hash for person in members.values()), topic_id=topic_id)
    for delivery in group:
        person = members.get(delivery.recipient_key)
        reason = Reason.EXPIRED if _is_over(delivery, editions) else _reason(delivery, person, refused)
        if reason:
            left_out[reason].append(delivery)
        elif person is not None:
            yield delivery, person.recipient


def _members(group: Sequence[Delivery], audience: str) -> dict[str, Person]:
    """Return who still belongs to the audience, read afresh."""
    keys = [delivery.recipient_key for delivery in group]
    members = get_audience(audience).by_key(keys, timezone.now())
    return {key: planning.identify(recipient) for key, recipient in members.items()}


def _is_over(delivery: Delivery, editions: Editions) -> bool:
    return editions.expires_after is not None and timezone.now() > delivery.created_at + editions.expires_after


def _reason(delivery: Delivery, person: Person | None, refused: Mapping[str, str]) -> str:
    if person is None:
        return Reason.GONE
    if not person.address:
        return Reason.NO_ADDRESS
    if person.address_hash in refused:
        return refused[person.address_hash]
    has_moved = person.address_hash != delivery.address_hash
    if has_moved and not claiming.readdress(delivery, person):
        return Reason.DUPLICATE
    return ""
