"""From a slot to sent mails: the only writer of runs and deliveries.

Every function may be called by several processes at once, and again after a crash.
"""

from wagtail_lifecycle.dispatch import senders, steering
from wagtail_lifecycle.dispatch.claiming import tasks_worth
from wagtail_lifecycle.dispatch.closing import close_run
from wagtail_lifecycle.dispatch.opening import open_run, skip_slots
from wagtail_lifecycle.dispatch.recovering import recover
from wagtail_lifecycle.dispatch.sending import send_batch

__all__ = ["close_run", "open_run", "recover", "send_batch", "senders", "skip_slots", "steering", "tasks_worth"]
