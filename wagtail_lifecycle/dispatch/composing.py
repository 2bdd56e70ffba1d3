"""A person and the run's content become a letter."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import DatabaseError
from django.urls import NoReverseMatch
from django.utils import timezone

from wagtail_lifecycle import links
from wagtail_lifecycle.dispatch import claiming
from wagtail_lifecycle.dispatch.work import Stopped
from wagtail_lifecycle.exceptions import Misconfigured
from wagtail_lifecycle.models import Delivery
from wagtail_lifecycle.rendering import Links
from wagtail_lifecycle.transport import Letter, ListHeaders

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from wagtail_lifecycle.dispatch.rechecking import Addressee
    from wagtail_lifecycle.dispatch.work import Work
    from wagtail_lifecycle.rendering import Mail

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """A delivery and its letter."""

    delivery: Delivery
    letter: Letter


class Desk:
    """Where the letters of a batch are written in order, some before they are asked for.

    An error in one fails that person's delivery and nobody else's. A letter is written before its mail is announced,
    so that a mail whose making kills the worker is found out.
    """

    def __init__(self, addressees: Sequence[Addressee], work: Work) -> None:
        self._left = deque(addressees)
        self._written: deque[tuple[Delivery, Letter | None]] = deque()
        self._error: Exception | None = None
        self._work = work
        #: the Date of letters that have none yet: one for all, so that one statement can keep it with their rows
        self.now = timezone.now()

    def __len__(self) -> int:
        return len(self._written) + len(self._left)

    @property
    def deliveries(self) -> list[Delivery]:
        """What was not taken yet."""
        return [delivery for delivery, _letter in self._written] + [addressee.delivery for addressee in self._left]

    def take(self, count: int) -> list[Job]:
        """Return the letters of the next `count` people; of those that could not be written there is none."""
        while len(self._written) < count and self._left:
            self._write()
        taken = [self._written.popleft() for _ in range(min(count, len(self._written)))]
        return [Job(delivery, letter) for delivery, letter in taken if letter is not None]

    def write_ahead(self, count: int) -> bool:
        """Write one more unless `count` are written; answer whether it did. What it raises, `take` will raise."""
        if self._error is not None or not self._left or len(self._written) >= count:
            return False
        try:
            self._write()
        except Exception as error:  # noqa: BLE001 - mails are under way, of which none is at fault
            self._error = error
        return True

    def _write(self) -> None:
        if self._error is not None:
            raise self._error
        addressee = self._left[0]
        self._written.append((addressee.delivery, _letter(addressee, self._work, self.now)))
        self._left.popleft()


def _letter(addressee: Addressee, work: Work, now: datetime) -> Letter | None:
    try:
        letter = _compose(addressee, work, now)
        # Now, while an error is no doubt about the mail yet.
        _ = letter.wire
    except (DatabaseError, Misconfigured, NoReverseMatch):
        # The site's fault and not this mail's: the group goes back, and the task fails where operators see it.
        raise
    # The templates of blocks are the site's own code and may raise anything; its text may be personal.
    except Exception as error:  # noqa: BLE001
        _fail(addressee.delivery, type(error).__name__, work)
        return None
    return letter


def _compose(addressee: Addressee, work: Work, now: datetime) -> Letter:
    delivery, urls = addressee.delivery, work.unsubscribing
    edition = work.editions.of(delivery.language)
    url = links.in_language(urls.of(delivery.address_hash), edition.language) if urls else ""
    verify = links.lazy_verify_url(delivery.recipient_key, delivery.address_hash, work.base, edition.language)
    mail: Mail = edition.personalise(
        addressee.recipient, data=addressee.data, links=Links(unsubscribe=url, site=f"{work.base}/", verify=verify)
    )
    return Letter(
        sender=work.sender,
        address=delivery.address,
        name=addressee.recipient.name,
        mail=mail,
        message_id=delivery.message_id,
        # The first attempt's, as with Message-ID.
        date=delivery.dated_at or now,
        list_headers=_list_headers(work, url),
    )


def _list_headers(work: Work, url: str) -> ListHeaders | None:
    topic = work.editions.topic
    if topic is None:
        return None
    return ListHeaders(
        slug=topic.slug,
        name=topic.name,
        unsubscribe_url=url,
        campaign_id=work.run.campaign_id,
        run_id=work.run.pk,
    )


def _fail(delivery: Delivery, detail: str, work: Work) -> None:
    reason = Delivery.Reason.RENDER_ERROR
    claiming.change(
        delivery,
        [Delivery.Status.CLAIMED],
        status=Delivery.Status.FAILED,
        reason=reason,
        detail=detail,
        token=None,
        lease_until=None,
        due_at=None,
        finished_at=timezone.now(),
    )
    logger.warning(
        "Delivery %s could not be rendered: %s",
        delivery.pk,
        detail,
        extra={"action": "render_error", "run_id": work.run.pk, "delivery_id": delivery.pk},
    )
    work.tell_end(delivery, Delivery.Status.FAILED, reason)
    if work.breaker.heed(Delivery.Status.FAILED):
        raise Stopped
