"""How often something may be done, counted in Django's cache."""

from __future__ import annotations

from typing import Final

from django.core.cache import cache
from django.utils.crypto import salted_hmac

#: seconds
HOUR: Final = 3600


def is_allowed(purpose: str, who: str, times: int) -> bool:
    """Count one more time and tell whether `who` is within so many an hour."""
    # Hashed: who can read the cache learns no address, and no key is too long or has a space.
    key = f"wagtail_lifecycle.{purpose}.{salted_hmac(purpose, who, algorithm='sha256').hexdigest()}"
    if cache.add(key, 1, HOUR):
        return times > 0
    try:
        return cache.incr(key) <= times
    except ValueError:
        # It went out of the cache between the two lines.
        return True
