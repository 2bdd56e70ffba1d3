"""How the site's Celery is set up, as far as `CELERY_*` in the Django settings tells. Nothing is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.core.checks import Warning as CheckWarning
from django.utils.module_loading import import_string

from wagtail_lifecycle.checks.mail import TAG
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.exceptions import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Check = Callable[..., Iterable[CheckMessage]]

SCHEDULER: Final = "django_celery_beat.schedulers:DatabaseScheduler"
PICKLE: Final = frozenset({"pickle", "application/x-python-serialize"})
#: kombu's default, in seconds
VISIBILITY_TIMEOUT: Final = 3600


def _get(name: str, default: Any = None) -> Any:
    return getattr(django_settings, f"CELERY_{name}", default)


def _is_configured() -> bool:
    return any(name.startswith("CELERY_") for name in dir(django_settings))


@register(TAG)
def check_celery_is_configured(**_kwargs: Any) -> list[CheckMessage]:
    if _get("BROKER_URL"):
        return []
    return [
        CheckWarning(
            "CELERY_BROKER_URL is not set, so Celery would send nothing.",
            hint=(
                'Set CELERY_BROKER_URL = "redis://localhost:6379/0" and let celery.py call '
                'app.config_from_object("django.conf:settings", namespace="CELERY"). Without Celery, let cron run '
                "`manage.py lifecycle_tick` every minute, and silence this check."
            ),
            id="wagtail_lifecycle.W007",
        )
    ]


@register(TAG)
def check_queues(**_kwargs: Any) -> list[CheckMessage]:
    try:
        _ = settings.queues
    except Misconfigured as error:
        hint = 'For example: WAGTAIL_LIFECYCLE_QUEUES = {"transactional": "mail-now", "bulk": "mail-bulk"}'
        return [Error(str(error), hint=hint, id="wagtail_lifecycle.E010")]
    return []


@register(TAG, Tags.security)
def check_pickle(**_kwargs: Any) -> list[CheckMessage]:
    accepted = {*_get("ACCEPT_CONTENT", ()), *(_get("RESULT_ACCEPT_CONTENT") or ())}
    serializers = {_get("TASK_SERIALIZER"), _get("RESULT_SERIALIZER"), _get("EVENT_SERIALIZER")}
    if not (accepted | serializers) & PICKLE:
        return []
    return [
        Error(
            "Celery accepts or writes pickle: whoever can write to the broker can run code in the workers.",
            hint='Set CELERY_ACCEPT_CONTENT = ["json"], and the serializers to "json" or leave them out.',
            id="wagtail_lifecycle.E009",
        )
    ]


@register(TAG)
def check_beat_scheduler(**_kwargs: Any) -> list[CheckMessage]:
    if not _is_configured() or _is_database_scheduler(str(_get("BEAT_SCHEDULER", ""))):
        return []
    return [
        CheckWarning(
            "Beat does not use the DatabaseScheduler, so campaigns are never due.",
            hint=f'Set CELERY_BEAT_SCHEDULER = "{SCHEDULER}".',
            id="wagtail_lifecycle.W008",
        )
    ]


def _is_database_scheduler(path: str) -> bool:
    # "django" is the entry point that django-celery-beat installs.
    if path.replace(":", ".") in {SCHEDULER.replace(":", "."), "django"}:
        return True
    try:
        ancestors = import_string(path.replace(":", ".")).__mro__
    except (ImportError, AttributeError):
        return False
    return any(f"{cls.__module__}:{cls.__qualname__}" == SCHEDULER for cls in ancestors)


@register(TAG)
def check_celery_time_zone(**_kwargs: Any) -> list[CheckMessage]:
    zone = _get("TIMEZONE") or "UTC"
    if not _is_configured() or str(zone) == django_settings.TIME_ZONE:
        return []
    return [
        CheckWarning(
            f"Celery's time zone is {zone}, the site's is {django_settings.TIME_ZONE}: "
            "other periodic tasks run at hours nobody expects.",
            hint="Set CELERY_TIMEZONE = TIME_ZONE.",
            id="wagtail_lifecycle.W009",
        )
    ]


@register(TAG)
def check_cron_deadline(**_kwargs: Any) -> list[CheckMessage]:
    if not _is_configured() or _get("BEAT_CRON_STARTING_DEADLINE"):
        return []
    return [
        Info(
            "Beat makes up for crontabs it missed at any later hour. Campaigns ignore such wake-ups, "
            "other periodic tasks may not.",
            hint="Set CELERY_BEAT_CRON_STARTING_DEADLINE = 3600 (seconds).",
            id="wagtail_lifecycle.I001",
        )
    ]


@register(TAG)
def check_redis_transport(**_kwargs: Any) -> list[CheckMessage]:
    broker = str(_get("BROKER_URL", ""))
    if not broker.startswith(("redis", "rediss", "sentinel", "valkey")):
        return []
    options = _get("BROKER_TRANSPORT_OPTIONS") or {}
    return [*_visibility_timeout(options), *_restore_interval(options)]


def _visibility_timeout(options: dict[str, Any]) -> list[CheckMessage]:
    lease = settings.lease.total_seconds()
    visible = options.get("visibility_timeout", VISIBILITY_TIMEOUT)
    if visible > lease:
        return []
    return [
        CheckWarning(
            f"Redis delivers a task again after {visible} seconds, while it may work for {lease:.0f}.",
            hint='Set CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, …}.',
            id="wagtail_lifecycle.W010",
        )
    ]


def _restore_interval(options: dict[str, Any]) -> list[CheckMessage]:
    if options.get("unacked_restore_interval"):
        return []
    return [
        Info(
            "Tasks of a killed worker come back after about 100 seconds.",
            hint=(
                'Set CELERY_BROKER_TRANSPORT_OPTIONS = {"unacked_restore_interval": 10, '
                '"unacked_restore_throttle": 1, …} for about ten.'
            ),
            id="wagtail_lifecycle.I002",
        )
    ]
