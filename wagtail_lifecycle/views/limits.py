"""How often visitors may ask for a mail."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.hourly import is_allowed

if TYPE_CHECKING:
    from django.http import HttpRequest


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
