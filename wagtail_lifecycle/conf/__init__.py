"""The settings of the package."""

from wagtail_lifecycle.conf.reading import Settings, settings
from wagtail_lifecycle.conf.values import PREFIX, Breaker, Limits, Patience, Queues, Sender

__all__ = ["PREFIX", "Breaker", "Limits", "Patience", "Queues", "Sender", "Settings", "settings"]
