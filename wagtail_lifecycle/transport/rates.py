"""What the limits of a sender have in common, wherever they are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: A connection whose worker has not said so for this long is taken to be closed.
LEASE_SECONDS: Final = 60.0
#: What may go at once, in seconds of the rate. Servers that limit count by the second: a whole one would double it.
BURST_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Grant:
    """So many messages may go now; after so many seconds it is worth asking again."""

    count: int
    wait_seconds: float = 0.0


def burst(rate: float) -> float:
    """Return how many messages may go at once."""
    return max(1.0, rate * BURST_SECONDS)
