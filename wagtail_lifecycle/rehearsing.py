"""The mails of a live version, made for everybody and sent to nobody, before its slot comes.

Any number of tasks may do it at once, and go on after a crash: a page of the audience counts only for who moves the
cursor. What is kept are counts.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from wagtail_lifecycle import planning, samples, schedules
from wagtail_lifecycle.audiences import get_audience
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.dispatch import editions
from wagtail_lifecycle.models import Campaign, CampaignState, Rehearsal
from wagtail_lifecycle.preflight import try_people
from wagtail_lifecycle.preflight.tallies import Tally
from wagtail_lifecycle.rendering import compile_mail

if TYPE_CHECKING:
    from datetime import datetime

    from wagtail_lifecycle.audiences import AudiencePage
    from wagtail_lifecycle.rendering import CompiledMail

logger = logging.getLogger(__name__)

#: People whose mails are made between two looks at the clock; nothing of them is kept.
PAGE: Final = 200
#: Campaigns begun in one call; the next comes within a minute.
BOUND: Final = 100
#: So often a page is begun; whose worker died each time has a mail in it that kills.
TRIES: Final = 5
#: What is written down in place of an error that nobody could catch.
WORKER_LOST: Final = "WorkerLost"


def waiting() -> list[int]:
    """Return the live campaigns whose version was not rehearsed to its end; one query."""
    done = Rehearsal.objects.filter(revision=OuterRef("live_revision"), finished_at__isnull=False)
    earlier = Campaign.objects.filter(translation_key=OuterRef("translation_key"), pk__lt=OuterRef("pk"))
    found = Campaign.objects.filter(~Exists(done), ~Exists(earlier), live=True, live_revision__isnull=False)
    sendable = found.filter(state__problem="").order_by("pk")
    return list(sendable.values_list("pk", flat=True)[:BOUND])


def rehearse(campaign_id: int, now: datetime) -> bool:
    """Make mails for a few seconds; answer whether somebody has to go on."""
    campaign = Campaign.objects.filter(pk=campaign_id, live=True, live_revision__isnull=False).first()
    if campaign is None or not campaign.is_source:
        return False
    rehearsal, _created = Rehearsal.objects.get_or_create(
        revision_id=campaign.live_revision_id, defaults={"campaign": campaign, "started_at": now}
    )
    return rehearsal.finished_at is None and _go_on(rehearsal, campaign)


def forget(campaign: Campaign) -> None:
    """Have a campaign rehearsed again, because a translation of it was published."""
    Rehearsal.objects.filter(campaign__translation_key=campaign.translation_key).delete()


def _go_on(rehearsal: Rehearsal, campaign: Campaign) -> bool:
    deadline = time.monotonic() + settings.batch_seconds
    try:
        compiled = _compiled(campaign)
        pages = get_audience(campaign.audience).pages(rehearsal.started_at, rehearsal.cursor, PAGE)
    # The site's own code may raise anything; publishing and sending say so, and end here, too.
    except Exception as error:  # noqa: BLE001
        extra = {"action": "rehearse", "campaign_id": campaign.pk}
        logger.warning("The campaign cannot be rehearsed: %s", type(error).__name__, extra=extra)
        return _finish(rehearsal)
    for page in pages:
        if not _take(rehearsal, page, campaign, compiled):
            return False
        if time.monotonic() > deadline:
            return True
    return _finish(rehearsal)


def _finish(rehearsal: Rehearsal) -> bool:
    Rehearsal.objects.filter(pk=rehearsal.pk, cursor=rehearsal.cursor).update(finished_at=timezone.now())
    return False


def _compiled(campaign: Campaign) -> dict[str, CompiledMail]:
    """Return the mail in every live language, the source's first."""
    source = campaign.content
    translations = Campaign.objects.filter(translation_key=campaign.translation_key, live=True).exclude(pk=campaign.pk)
    contents = [source, *(each.content.ruled_by(source) for each in translations.order_by("pk"))]
    mails = (editions.translation(campaign.pk, content) for content in contents[1:])
    first = compile_mail(source)
    return {first.language: first} | {mail.language: mail for mail in mails if mail is not None}


def _take(rehearsal: Rehearsal, page: AudiencePage, campaign: Campaign, compiled: dict[str, CompiledMail]) -> bool:
    """Make the mails of one page and add them up; answer False if another task was faster."""
    decisions = planning.decide(planning.people_of(page.recipients), topic_id=campaign.topic_id, planned={})
    wanted = [decision.person.recipient for decision in decisions if not decision.reason]
    if rehearsal.tries < TRIES:
        Rehearsal.objects.filter(pk=rehearsal.pk).update(tries=F("tries") + 1)
        tally = try_people(compiled, wanted, samples.period_of(campaign, rehearsal.started_at))
    else:
        tally = Tally(errors=Counter({WORKER_LOST: len(wanted)}))
    rehearsal.tries = 0
    was_blocking, before = rehearsal.is_blocking, rehearsal.cursor
    _add(rehearsal, tally, left_out=len(page.recipients) - len(wanted))
    rehearsal.cursor = page.cursor
    here = Rehearsal.objects.filter(pk=rehearsal.pk, cursor=before, finished_at=None)
    if not here.update(**_counts(rehearsal)):
        return False
    if rehearsal.is_blocking and not was_blocking:
        _pause(rehearsal)
    return True


def _add(rehearsal: Rehearsal, tally: Tally, *, left_out: int) -> None:
    rehearsal.made += tally.made
    rehearsal.empty += tally.empty
    rehearsal.left_out += left_out
    rehearsal.largest = max(rehearsal.largest, tally.largest)
    rehearsal.too_large += tally.too_large
    rehearsal.errors = _sum(rehearsal.errors, tally.errors)
    rehearsal.missing = _sum(rehearsal.missing, tally.missing)


def _sum(known: dict[str, int], more: Counter[str]) -> dict[str, int]:
    return {key: known.get(key, 0) + more.get(key, 0) for key in [*known, *(key for key in more if key not in known)]}


def _counts(rehearsal: Rehearsal) -> dict[str, object]:
    names = ("cursor", "tries", "made", "empty", "left_out", "largest", "too_large", "errors", "missing")
    return {name: getattr(rehearsal, name) for name in names}


def _pause(rehearsal: Rehearsal) -> None:
    """Stop the campaign before its slot; a person resumes it, or publishes another version."""
    schedules.pause(rehearsal.campaign_id, CampaignState.Pause.PREFLIGHT)
    logger.error(
        "Campaign paused: mails cannot be made",
        extra={"action": "preflight_paused", "campaign_id": rehearsal.campaign_id, "rehearsal_id": rehearsal.pk},
    )
