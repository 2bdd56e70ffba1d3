"""Domains as mail headers and links need them: ASCII, whatever alphabet they were written in."""

from __future__ import annotations

from urllib.parse import urlsplit

import idna
from django.utils.encoding import iri_to_uri


def ascii_domain(domain: str) -> str:
    """Return `domain` in lower case and IDNA 2008. Raises ValueError where that is not possible.

    Python's own codec knows IDNA 2003 only, where faß.de is fass.de, which may belong to somebody else.
    """
    if domain.isascii():
        return domain.lower()
    return idna.encode(domain, uts46=True, transitional=False).decode("ascii")


def ascii_address(address: str) -> str:
    """Return the bare `address` with its domain in ASCII. Raises ValueError, also for another local part.

    A local part outside ASCII needs SMTPUTF8 (RFC 6531) at every hop.
    """
    local, at, domain = address.rpartition("@")
    if not local.isascii():
        raise ValueError("The part before the @ has characters outside ASCII.")
    return f"{local}{at}{ascii_domain(domain)}"


def ascii_url(url: str) -> str:
    """Return `url` with its host in ASCII and the rest percent-encoded. Raises ValueError."""
    if url.isascii():
        return url
    parts = urlsplit(url)
    host, colon, port = parts.netloc.partition(":")
    return iri_to_uri(parts._replace(netloc=f"{ascii_domain(host)}{colon}{port}").geturl())
