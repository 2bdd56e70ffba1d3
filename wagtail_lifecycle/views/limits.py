"""How often something may be asked for, counted in Django's cache."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from wagtail_lifecycle.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest

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


def may_ask(request: HttpRequest) -> bool:
    """Count one more verification mail that this visitor asks for, and tell whether they may."""
    return is_allowed("verify-ip", visitor(request), settings.verification_limits.ip)


def may_be_mailed(address: str) -> bool:
    """Count one more verification mail to this address, and tell whether it may go."""
    return is_allowed("verify-address", address.lower(), settings.verification_limits.address)


def visitor(request: HttpRequest) -> str:
    """Return the visitor's IP address; of IPv6 the network, because one visitor has all of it."""
    given: str = request.META.get("REMOTE_ADDR", "")
    try:
        address = ip_address(given)
    except ValueError:
        return given
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return given
