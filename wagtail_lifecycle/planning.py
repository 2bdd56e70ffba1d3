"""Who gets a mail, and why not: one answer per person, for dispatch and for everybody who wants to know beforehand.

Writes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F, Q

from wagtail_lifecycle.audiences import Recipient
from wagtail_lifecycle.models import Delivery, OptOut, Suppression
from wagtail_lifecycle.models.lookups import Among
from wagtail_lifecycle.models.people import hash_normalised, normalise_address

Reason = Delivery.Reason


@dataclass(frozen=True, kw_only=True)
class Person:
    """A recipient together with what tells them apart."""

    recipient: Recipient
    #: normalised; empty where there is none
    address: str
    #: of the address; where there is none, of the key
    address_hash: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What is to become of one person in one run."""

    person: Person
    #: why they are left out; empty if they get the mail
    reason: str = ""


def identify(recipient: Recipient) -> Person:
    """Return the recipient with a usable address, or with none."""
    try:
        address = normalise_address(recipient.address)
    except ValueError:
        return Person(recipient=recipient, address="", address_hash=hash_key(recipient.key))
    return Person(recipient=recipient, address=address, address_hash=hash_normalised(address))


def hash_key(key: str) -> str:
    """Return what stands for a person without an address of their own in this run.

    The prefix keeps it apart from every address: a colon occurs in none.
    """
    return hashlib.sha256(f"key:{key}".encode()).hexdigest()


def people_of(recipients: Iterable[Recipient]) -> list[Person]:
    """Return the recipients with what tells them apart, each once."""
    return list({recipient.key: identify(recipient) for recipient in recipients}.values())


def decide(people: Sequence[Person], *, topic_id: int | None, planned: Mapping[str, str]) -> list[Decision]:
    """Return one decision per person, in two queries.

    `planned` maps the address hashes that the run already has to the keys of their people. Whoever is in it under
    their own key was planned before and gets no second decision.
    """
    refused = refusals({person.address_hash for person in people if person.address}, topic_id=topic_id)
    owners = dict(planned)
    decisions = []
    for person in people:
        owner = owners.setdefault(person.address_hash, person.recipient.key)
        if person.address_hash in planned and owner == person.recipient.key:
            continue
        decisions.append(_decide(person, refused=refused, is_duplicate=owner != person.recipient.key))
    return decisions


def refusals(hashes: Iterable[str], *, topic_id: int | None) -> dict[str, str]:
    """Return why these addresses are not mailed about the topic, by hash; in two queries.

    A transactional mail (no topic) is not refused by an opt-out: nobody loses the way to their own account.
    """
    wanted = Among(F("address_hash"), list(hashes))
    reasons: dict[str, str] = {}
    if topic_id is not None:
        opted_out = OptOut.objects.filter(wanted, Q(topic=topic_id) | Q(topic=None))
        reasons |= dict.fromkeys(opted_out.values_list("address_hash", flat=True), Reason.OPTED_OUT.value)
    suppressed = Suppression.objects.filter(wanted)
    return reasons | dict.fromkeys(suppressed.values_list("address_hash", flat=True), Reason.SUPPRESSED.value)


def resolve_language(wanted: str, available: Sequence[str]) -> str:
    """Return the language of the mail: the wanted one, its base, a variant of it, or the first, which is the source."""
    by_code = {code.lower(): code for code in available}
    base = wanted.lower().partition("-")[0]
    variants = (code for code in available if base and code.lower().startswith(f"{base}-"))
    return by_code.get(wanted.lower()) or by_code.get(base) or next(variants, available[0])


def _decide(person: Person, *, refused: Mapping[str, str], is_duplicate: bool) -> Decision:
    if not person.address:
        return Decision(person=person, reason=Reason.NO_ADDRESS)
    if is_duplicate:
        return Decision(person=_without_mailbox(person), reason=Reason.DUPLICATE)
    return Decision(person=person, reason=refused.get(person.address_hash, ""))


def _without_mailbox(person: Person) -> Person:
    # The mailbox belongs to somebody else's row; this one needs a hash of its own under unique(run, address hash).
    return Person(recipient=person.recipient, address=person.address, address_hash=hash_key(person.recipient.key))
