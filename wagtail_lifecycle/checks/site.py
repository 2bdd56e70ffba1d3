"""What the site has to provide: time zones, the middleware, the URLs, the database, the authors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import connections, router
from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse

from wagtail_lifecycle.checks.mail import TAG
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.models import Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MIDDLEWARE: Final = "wagtail_lifecycle.middleware.PageViewMiddleware"
#: what turns a page into a 304, and what would see us read the session
BELOW_IT: Final = (
    "django.middleware.http.ConditionalGetMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
)
#: seconds a writer of SQLite waits for its turn
SQLITE_TIMEOUT: Final = 10


@register(TAG, Tags.compatibility)
def check_time_zones(**_kwargs: Any) -> list[CheckMessage]:
    if django_settings.USE_TZ:
        return []
    return [
        Error(
            "USE_TZ is False, so the slots of campaigns could not be stored as instants.",
            hint="Set USE_TZ = True.",
            id="wagtail_lifecycle.E005",
        )
    ]


@register(TAG)
def check_middleware(**_kwargs: Any) -> list[CheckMessage]:
    installed = list(django_settings.MIDDLEWARE)
    if MIDDLEWARE not in installed:
        return [
            CheckWarning(
                f"{MIDDLEWARE} is not in MIDDLEWARE, so nobody's page views are counted.",
                hint="Add it above the session middleware.",
                id="wagtail_lifecycle.W004",
            )
        ]
    above = [name for name in BELOW_IT if name in installed[: installed.index(MIDDLEWARE)]]
    if not above:
        return []
    return [
        CheckWarning(
            f"{MIDDLEWARE} stands below {', '.join(above)}: it would count answers that are not sent, "
            "or make pages vary by cookie.",
            hint=f"Move it above {above[0]} in MIDDLEWARE.",
            id="wagtail_lifecycle.W005",
        )
    ]


@register(TAG, Tags.urls)
def check_urls(**_kwargs: Any) -> list[CheckMessage]:
    try:
        path = reverse("wagtail_lifecycle:unsubscribe", args=["token"])
    except NoReverseMatch:
        return [
            Error(
                "The URLs of wagtail_lifecycle are not included, so nobody could unsubscribe.",
                hint='Add path("lifecycle/", include("wagtail_lifecycle.urls")) above the URLs of Wagtail.',
                id="wagtail_lifecycle.E006",
            )
        ]
    if _leads_to_us(path):
        return []
    return [
        Error(
            f"{path} is answered by another URL pattern, so nobody could unsubscribe.",
            hint='Move include("wagtail_lifecycle.urls") above include(wagtail_urls).',
            id="wagtail_lifecycle.E007",
        )
    ]


def _leads_to_us(path: str) -> bool:
    # reverse() adds FORCE_SCRIPT_NAME, resolve() does not take it off.
    path = f"/{path.removeprefix(get_script_prefix())}"
    try:
        return "wagtail_lifecycle" in resolve(path).app_names
    except Resolver404:
        return False


@register(TAG)
def check_settings_app(**_kwargs: Any) -> list[CheckMessage]:
    if apps.is_installed("wagtail.contrib.settings"):
        return []
    return [
        CheckWarning(
            "wagtail.contrib.settings is not installed, so nobody can choose the logo and the colours of mails.",
            hint='Add "wagtail.contrib.settings" to INSTALLED_APPS.',
            id="wagtail_lifecycle.W013",
        )
    ]


@register(TAG)
def check_authors(**_kwargs: Any) -> list[CheckMessage]:
    try:
        authors: object = settings.authors
    except ImportError as error:
        fault = f"cannot be imported: {error}"
    else:
        if authors is None or callable(authors):
            return []
        fault = "is not callable."
    return [
        Error(
            f"WAGTAIL_LIFECYCLE_AUTHORS {fault}",
            hint=(
                'Name a function by its path, "package.module.function". '
                "It gets pages and returns {page.pk: [Recipient]}."
            ),
            id="wagtail_lifecycle.E008",
        )
    ]


@register(TAG)
def check_sqlite(**_kwargs: Any) -> list[CheckMessage]:
    connection = connections[router.db_for_write(Run)]
    if connection.vendor != "sqlite" or _is_in_memory(str(connection.settings_dict["NAME"])):
        return []
    missing = list(_missing_for_sqlite(connection.settings_dict.get("OPTIONS", {})))
    if not missing:
        return []
    return [
        CheckWarning(
            "SQLite will answer “database is locked” when the web server, a worker and beat write together.",
            hint=f"Add to OPTIONS of the database: {', '.join(missing)}.",
            id="wagtail_lifecycle.W006",
        )
    ]


def _is_in_memory(name: str) -> bool:
    return ":memory:" in name or "mode=memory" in name


def _missing_for_sqlite(options: Mapping[str, Any]) -> Iterator[str]:
    if str(options.get("transaction_mode") or "").upper() not in {"IMMEDIATE", "EXCLUSIVE"}:
        yield '"transaction_mode": "IMMEDIATE"'
    if "journal_mode=wal" not in str(options.get("init_command") or "").lower().replace(" ", ""):
        yield '"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"'
    if float(options.get("timeout") or 5) < SQLITE_TIMEOUT:
        yield '"timeout": 20'
