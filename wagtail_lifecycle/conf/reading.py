"""The settings of the package, with their defaults, read on access."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.utils.module_loading import import_string

from wagtail_lifecycle.conf.values import PREFIX, Breaker, Limits, Patience, Queues, Sender, patience_of, sender_of
from wagtail_lifecycle.domains import ascii_domain, ascii_url
from wagtail_lifecycle.exceptions import Misconfigured, UnknownName

QUEUE_KEYS = frozenset({"transactional", "bulk"})


class Settings:
    """Every WAGTAIL_LIFECYCLE_* setting as a typed property."""

    @staticmethod
    def _get(name: str, default: Any = None) -> Any:
        return getattr(django_settings, PREFIX + name, default)

    @property
    def senders(self) -> dict[str, Sender]:
        """`SENDERS`: senders by key, each `{"from": "Name <address>", "label", "reply_to", "postal_address"}`."""
        configured: Mapping[str, Mapping[str, Any]] = self._get("SENDERS", {})
        return {key: sender_of(key, options) for key, options in configured.items()}

    def sender(self, key: str) -> Sender:
        try:
            return self.senders[key]
        except KeyError:
            known = ", ".join(sorted(self.senders)) or "none"
            raise UnknownName(
                f"No sender {key!r} in {PREFIX}SENDERS (configured: {known}). "
                "Choose one of these or add it to the settings."
            ) from None

    @property
    def base_url(self) -> str:
        """`BASE_URL`: scheme and host of links that belong to no page; default WAGTAILADMIN_BASE_URL."""
        url = self._get("BASE_URL") or getattr(django_settings, "WAGTAILADMIN_BASE_URL", "")
        try:
            return ascii_url(str(url).rstrip("/"))
        except ValueError as error:
            raise Misconfigured(
                f"The base URL {str(url)!r} cannot be written in ASCII ({error}). Set {PREFIX}BASE_URL to "
                '"https://www.example.org".'
            ) from error

    @property
    def authors(self) -> Callable[[Any], Mapping[int, list[Any]]] | None:
        """`AUTHORS`: dotted path of a callable, pages → {page pk: [Recipient]}; None means the owner."""
        path = self._get("AUTHORS")
        return import_string(path) if path else None

    @property
    def verified_field(self) -> str | None:
        """`VERIFIED_FIELD`: name of the user model's yes/no field; default `is_verified` where there is one."""
        name: str = self._get("VERIFIED_FIELD", "is_verified")
        try:
            get_user_model()._meta.get_field(name)
        except FieldDoesNotExist:
            return None
        return name

    @property
    def queues(self) -> Queues:
        """`QUEUES`: `{"transactional": name, "bulk": name}`; default both the site's default queue."""
        configured: Mapping[str, str | None] = self._get("QUEUES", {})
        unknown = set(configured) - QUEUE_KEYS
        if unknown:
            raise Misconfigured(
                f"{PREFIX}QUEUES has unknown keys {sorted(unknown)}. "
                'Write {"transactional": name, "bulk": name}, or leave out what goes to the default queue.'
            )
        return Queues(**configured)

    @property
    def redis_url(self) -> str:
        """`REDIS_URL`: where views are buffered; default the Celery broker where that is Redis, else none."""
        broker = str(getattr(django_settings, "CELERY_BROKER_URL", ""))
        default = broker if broker.startswith(("redis://", "rediss://", "unix://")) else ""
        return str(self._get("REDIS_URL", default) or "")

    @property
    def message_id_domain(self) -> str | None:
        """`MESSAGE_ID_DOMAIN`: right side of Message-ID; default the sender's domain."""
        domain: str | None = self._get("MESSAGE_ID_DOMAIN")
        try:
            return ascii_domain(domain) if domain else None
        except ValueError as error:
            raise Misconfigured(
                f"{PREFIX}MESSAGE_ID_DOMAIN {domain!r} is no domain ({error}). "
                'Write one such as "mail.example.org", or leave it out.'
            ) from error

    @property
    def lease(self) -> timedelta:
        """`LEASE_SECONDS`: how long a claim holds; at least twice the SMTP dot timeout (600 s, RFC 5321)."""
        return timedelta(seconds=self._get("LEASE_SECONDS", 1260))

    @property
    def dot_timeout(self) -> float:
        """`DOT_TIMEOUT_SECONDS`: how long a server may think after the final dot (RFC 5321 4.5.3.2.6: ten minutes)."""
        return float(self._get("DOT_TIMEOUT_SECONDS", 600))

    @property
    def recover_seconds(self) -> int:
        """`RECOVER_SECONDS`: how often what was lost is looked for."""
        return int(self._get("RECOVER_SECONDS", 60))

    @property
    def connections(self) -> int:
        """`CONNECTIONS`: SMTP connections of one worker process; several pay when the server is slow to answer."""
        return int(self._get("CONNECTIONS", 4))

    @property
    def messages_per_connection(self) -> int:
        """`MESSAGES_PER_CONNECTION`: after so many a connection is replaced; many servers refuse more than 100."""
        return int(self._get("MESSAGES_PER_CONNECTION", 100))

    @property
    def bulk_patience(self) -> Patience:
        """`BULK_RETRIES`: `{"base_seconds": 300, "cap_seconds": 14400, "give_up_seconds": 259200}`."""
        return patience_of(self._get("BULK_RETRIES", {}), base=300, cap=14_400, give_up=259_200)

    @property
    def transactional_patience(self) -> Patience:
        """`TRANSACTIONAL_RETRIES`: the same for transactional campaigns: 30 s, 10 minutes, 24 hours."""
        return patience_of(self._get("TRANSACTIONAL_RETRIES", {}), base=30, cap=600, give_up=86_400)

    @property
    def breaker(self) -> Breaker:
        """`BREAKER`: `{"share": 0.2, "after": 50, "alike": 10}`: when failures pause a run."""
        return Breaker(**self._get("BREAKER", {}))

    @property
    def probe_seconds(self) -> float:
        """`PROBE_SECONDS`: pause before a paused sender is tried again; doubled up to a quarter of an hour."""
        return float(self._get("PROBE_SECONDS", 30))

    @property
    def group_rest(self) -> timedelta:
        """`GROUP_REST_SECONDS`: pause after a group that could not be read, doubled with each further time."""
        return timedelta(seconds=self._get("GROUP_REST_SECONDS", 30))

    @property
    def broker_rest_seconds(self) -> float:
        """`BROKER_REST_SECONDS`: how long a broker that is out of reach is left alone."""
        return float(self._get("BROKER_REST_SECONDS", 30))

    @property
    def verification_seconds(self) -> int:
        """`VERIFICATION_SECONDS`: how long the link of a verification mail works; default three days."""
        return int(self._get("VERIFICATION_SECONDS", 259_200))

    @property
    def verification_limits(self) -> Limits:
        """`VERIFICATION_LIMITS`: `{"address": 3, "ip": 20}`: how often an hour another mail may be asked for."""
        return Limits(**self._get("VERIFICATION_LIMITS", {}))

    @property
    def test_addresses(self) -> list[str]:
        """`TEST_ADDRESSES`: addresses that test mails may go to, besides the editor's own; default none."""
        return [str(address) for address in self._get("TEST_ADDRESSES", [])]

    @property
    def test_limit(self) -> int:
        """`TEST_LIMIT`: test mails an editor may send within an hour; default 30."""
        return int(self._get("TEST_LIMIT", 30))

    @property
    def user_events(self) -> bool:
        """`USER_EVENTS`: whether saving a new or newly verified user is an event; default no."""
        return bool(self._get("USER_EVENTS", False))

    @property
    def tasks_per_run(self) -> int:
        """`TASKS_PER_RUN`: tasks that send one large run side by side, one per worker process that should help."""
        return int(self._get("TASKS_PER_RUN", 4))

    @property
    def batch_size(self) -> int:
        """`BATCH_SIZE`: deliveries claimed together."""
        return int(self._get("BATCH_SIZE", 100))

    @property
    def batch_seconds(self) -> float:
        """`BATCH_SECONDS`: how long one task works before it enqueues itself again."""
        return float(self._get("BATCH_SECONDS", 5))

    @property
    def time_zone(self) -> ZoneInfo:
        """The site's zone: Django's TIME_ZONE."""
        return ZoneInfo(django_settings.TIME_ZONE)


settings = Settings()
