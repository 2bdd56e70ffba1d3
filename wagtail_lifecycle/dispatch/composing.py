"""A person and the run's content become a letter."""

from __future__ import annotations

import logging
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


def compose(addressees: Sequence[Addressee], work: Work, now: datetime) -> list[Job]:
    """Return the letters of a group; an error in one fails that person's delivery and nobody else's.

    All of it happens before the group is announced, so that a mail whose making kills the worker is found out.
    """
    letters = ((addressee.delivery, _letter(addressee, work, now)) for addressee in addressees)
    return [Job(delivery, letter) for delivery, letter in letters if letter is not None]


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
