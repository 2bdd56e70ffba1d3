"""What the mails of one task have in common, and whether it may go on."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Exists, OuterRef

from wagtail_lifecycle import links, signals
from wagtail_lifecycle.dispatch import clock
from wagtail_lifecycle.dispatch.senders import PAUSED
from wagtail_lifecycle.models import Delivery, Run, SenderState

if TYPE_CHECKING:
    from wagtail_lifecycle.conf import Sender
    from wagtail_lifecycle.dispatch.breaking import Breaker
    from wagtail_lifecycle.dispatch.durability import Form
    from wagtail_lifecycle.dispatch.editions import Editions
    from wagtail_lifecycle.dispatch.outcomes import Terms
    from wagtail_lifecycle.links import UnsubscribeUrls
    from wagtail_lifecycle.transport import Outcome, Verdict


logger = logging.getLogger(__name__)


#: While the last are still planned the first get their mail.
AT_WORK: Final = (Run.Status.PREPARING, Run.Status.SENDING)


class Stopped(Exception):
    """Somebody paused or cancelled the run, or its sender: no further dot."""


class Standstill(Exception):
    """No mail of this sender gets out at the moment, through nobody's fault among the recipients."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the mails of one task have in common."""

    run: Run
    editions: Editions
    terms: Terms
    form: Form
    breaker: Breaker
    #: scheme and host of links
    base: str
    #: `clock.elapsed()` after which no further mail is begun
    deadline: float
    #: how many mails met what
    seen: Counter[Verdict] = field(default_factory=Counter)
    #: one mail is to find out whether the paused sender works again
    is_probe: bool = False

    @property
    def sender(self) -> Sender:
        return self.editions.sender

    @cached_property
    def unsubscribing(self) -> UnsubscribeUrls | None:
        """The URLs that stop the topic; None for a transactional campaign."""
        topic = self.editions.topic
        return links.UnsubscribeUrls(topic.pk, base=self.base) if topic else None

    @property
    def is_over(self) -> bool:
        return clock.elapsed() > self.deadline

    @property
    def allowed(self) -> list[Any]:
        """Conditions on a delivery: its run is being sent, and its sender works."""
        sending = Exists(Run.objects.filter(pk=OuterRef("run"), status__in=AT_WORK))
        paused = Exists(SenderState.objects.filter(PAUSED, key=self.sender.key))
        return [sending] if self.is_probe else [sending, ~paused]

    def may_go_on(self) -> bool:
        """Ask whether the run is still being sent; one query."""
        paused = Exists(SenderState.objects.filter(PAUSED, key=self.sender.key))
        runs = Run.objects.filter(pk=self.run.pk, status__in=AT_WORK)
        return (runs if self.is_probe else runs.filter(~paused)).exists()

    def tell(self, signal: Any, delivery: Delivery, **values: str) -> None:
        """Tell observers; they hear ids, and cannot stop a mail."""
        if not signal.receivers:
            return
        answers = signal.send_robust(
            sender=Delivery,
            delivery_id=delivery.pk,
            run_id=self.run.pk,
            campaign_id=self.run.campaign_id,
            **values,
        )
        for receiver, answer in answers:
            if isinstance(answer, Exception):
                logger.error(
                    "A receiver of a signal failed: %s",
                    type(answer).__name__,
                    extra={"action": "signal_failed", "receiver": getattr(receiver, "__qualname__", "?")},
                )

    def tell_end(self, delivery: Delivery, status: str, reason: str) -> None:
        self.tell(signals.post_send, delivery, status=status, reason=reason)
