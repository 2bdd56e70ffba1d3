"""The values of the settings, and how senders and retries are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from typing import Any

from wagtail_lifecycle.domains import ascii_address
from wagtail_lifecycle.exceptions import Misconfigured

PREFIX = "WAGTAIL_LIFECYCLE_"
SENDER_KEYS = frozenset({"from", "label", "reply_to", "postal_address", "rate", "max_connections"})


@dataclass(frozen=True, kw_only=True)
class Sender:
    """A From that the site owner has configured."""

    #: key in WAGTAIL_LIFECYCLE_SENDERS; kept by campaigns, so it never changes
    key: str
    #: the address mails come from
    address: str
    #: the name beside the address
    name: str = ""
    #: what editors choose
    label: str = ""
    #: where answers go, if not to `address`
    reply_to: str = ""
    #: shown at the foot of every bulk mail (CAN-SPAM, 15 USC 7704(a)(5))
    postal_address: str = ""
    #: messages per second over all workers; None means no limit
    rate: float | None = None
    #: connections at once over all workers; None means no limit
    max_connections: int | None = None

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often and how long a mail is tried again."""

    #: pause after the first attempt; doubled with each further one
    base: timedelta
    #: longest pause
    cap: timedelta
    #: since the delivery was planned
    give_up: timedelta


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """When failures pause a run."""

    #: share of the decided deliveries that failed, 0 to 1
    share: float = 0.2
    #: deliveries decided before the share means anything
    after: int = 50
    #: the first so many of a run that fail alike pause it at once
    alike: int = 10


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How often an hour another verification mail may be asked for."""

    #: for one address
    address: int = 3
    #: from one IP address; the first 64 bits of an IPv6 one
    ip: int = 20


@dataclass(frozen=True, kw_only=True)
class Queues:
    """The Celery queues of our tasks; None means the site's default queue."""

    transactional: str | None = None
    bulk: str | None = None


def sender_of(key: str, options: Mapping[str, Any]) -> Sender:
    unknown = set(options) - SENDER_KEYS
    name, address = parseaddr(options.get("from", ""))
    if unknown or "@" not in address:
        fault = f"unknown keys {sorted(unknown)}" if unknown else f"no address in {options.get('from', '')!r}"
        raise Misconfigured(
            f"{PREFIX}SENDERS[{key!r}] has {fault}. "
            'Write {"from": "Name <address@domain>", "label": …, "reply_to": …, "postal_address": …, '
            '"rate": …, "max_connections": …}.'
        )
    return Sender(
        key=key,
        address=_ascii_address(key, address),
        name=name,
        label=options.get("label", name or address),
        reply_to=_ascii_address(key, options.get("reply_to", "")),
        postal_address=options.get("postal_address", ""),
        rate=options.get("rate"),
        max_connections=options.get("max_connections"),
    )


def patience_of(options: Mapping[str, float], *, base: float, cap: float, give_up: float) -> Patience:
    return Patience(
        base=timedelta(seconds=options.get("base_seconds", base)),
        cap=timedelta(seconds=options.get("cap_seconds", cap)),
        give_up=timedelta(seconds=options.get("give_up_seconds", give_up)),
    )


def _ascii_address(key: str, address: str) -> str:
    try:
        return ascii_address(address)
    except ValueError as error:
        raise Misconfigured(
            f"{PREFIX}SENDERS[{key!r}] has an address that mail servers refuse: {address!r} ({error}). "
            "Write it in ASCII; only its domain may have other letters."
        ) from error
