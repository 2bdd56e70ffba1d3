"""The admin's addresses that belong to the package, as Django's resolver knows them."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

PREFIX = "admin/"


def own_urls() -> dict[str, str]:
    """Return the routes of the package below the admin's own, by the name of their view."""
    return dict(_walk(get_resolver(), "", ()))


def _walk(resolver: Any, route: str, namespaces: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for each in resolver.url_patterns:
        path = f"{route}{each.pattern}"
        if isinstance(each, URLResolver):
            if path.startswith(PREFIX) or PREFIX.startswith(path):
                yield from _walk(each, path, (*namespaces, each.namespace) if each.namespace else namespaces)
        elif isinstance(each, URLPattern) and path.startswith(PREFIX) and _is_own(each, namespaces):
            name = ":".join((*namespaces, each.name or each.lookup_str))
            yield name, path.removeprefix(PREFIX)


def _is_own(pattern: URLPattern, namespaces: tuple[str, ...]) -> bool:
    return any("lifecycle" in name for name in (*namespaces, pattern.lookup_str))
