"""A database from its address, as the tests get it."""

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from demo_site.settings.base import SQLITE_OPTIONS


def database_from_url(url: str) -> dict[str, object]:
    """`sqlite:///file`, `postgresql://user:password@host:port/name` or, by socket, `…/name?host=/folder`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite_database(unquote(parts.path.removeprefix("/")) or ":memory:")
    if parts.scheme in {"postgres", "postgresql"}:
        query = parse_qs(parts.query)
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.removeprefix("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": query.get("host", [parts.hostname or ""])[0],
            "PORT": str(parts.port or query.get("port", [""])[0]),
        }
    raise ImproperlyConfigured(
        f"LIFECYCLE_TEST_DATABASE_URL starts with {parts.scheme!r}; use sqlite:///file or postgresql://…"
    )


def sqlite_database(name: str | Path) -> dict[str, object]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": SQLITE_OPTIONS}
