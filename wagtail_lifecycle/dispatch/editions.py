"""What a run sends: the pinned revision of every language, compiled once per process."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError
from wagtail.models import Revision

from wagtail_lifecycle import registry
from wagtail_lifecycle.audiences import get_audience
from wagtail_lifecycle.conf import Sender, settings
from wagtail_lifecycle.data_sources import Period
from wagtail_lifecycle.exceptions import UnknownName
from wagtail_lifecycle.models import Campaign, Run, RunContent
from wagtail_lifecycle.rendering import CompiledMail, Content, compile_mail

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from wagtail_lifecycle.events import Event
    from wagtail_lifecycle.models import Topic

logger = logging.getLogger(__name__)

#: Runs a worker is likely to be in at once; a compiled mail has a few hundred kilobytes.
CACHED_RUNS: Final = 16


@dataclass(frozen=True, kw_only=True)
class Editions:
    """The mail of one run in all its languages."""

    #: name of the audience
    audience: str
    #: None for a transactional campaign
    topic: Topic | None
    sender: Sender
    period: Period
    #: how long after it was planned a mail about an event is still worth sending; None for other mails
    expires_after: timedelta | None = None
    #: by language code, the source's first
    compiled: Mapping[str, CompiledMail]

    def of(self, language: str) -> CompiledMail:
        """Return the mail in `language`, or the source's where that language was pinned in another spelling."""
        return self.compiled.get(language) or next(iter(self.compiled.values()))


def pin(run: Run, campaign: Campaign) -> None:
    """Bind the run to what is live now, so that later edits touch the next run only."""
    translations = Campaign.objects.filter(translation_key=campaign.translation_key, live=True)
    rows = [campaign, *translations.exclude(pk=campaign.pk).order_by("pk")]
    contents = [RunContent(run=run, locale_id=row.locale_id, revision=live_revision(row)) for row in rows]
    RunContent.objects.bulk_create(contents, ignore_conflicts=True)


def live_revision(campaign: Campaign) -> Revision:
    """Return the revision that is live; made from the row where it was published past every form.

    `save_revision` would make it the latest one too, in front of a newer draft.
    """
    live = _own(campaign, campaign.live_revision)
    if live is not None:
        return live
    revision = Revision.objects.create(
        content_object=campaign,
        base_content_type=campaign.get_base_content_type(),
        content=campaign.serializable_data(),
        object_str=str(campaign),
    )
    # update(): no signals and no other field, because nothing about the campaign has changed.
    latest = _own(campaign, campaign.latest_revision) or revision
    Campaign.objects.filter(pk=campaign.pk).update(live_revision=revision, latest_revision=latest)
    return revision


def _own(campaign: Campaign, revision: Revision | None) -> Revision | None:
    """Return the revision unless it is another row's: `copy_for_translation` copies these keys of the source."""
    return revision if revision is not None and revision.object_id == str(campaign.pk) else None


def source_of(run: Run) -> Campaign:
    """Return the campaign as it was when the run began."""
    content = RunContent.objects.select_related("revision").get(run=run, locale=run.campaign.locale_id)
    pinned: Campaign = content.revision.as_object()
    return pinned


def lifetime_of(run: Run) -> timedelta | None:
    """Return how long after it was planned a mail of this run is still worth sending; None where it is for ever."""
    try:
        return _expires_after(source_of(run))
    except UnknownName:
        # The event left the code: sending says so, and ends the run.
        return None


def languages_of(run: Run) -> list[str]:
    """Return the language codes the run can send, the source's first."""
    contents = RunContent.objects.filter(run=run).order_by("pk")
    codes = list(contents.values_list("locale__language_code", flat=True))
    source: str = run.campaign.locale.language_code
    return [source, *(code for code in codes if code != source)]


def load(run: Run) -> Editions:
    """Return what the run sends. Raises LifecycleError where it cannot become a mail."""
    # The translation key is random: a primary key alone could come back after a restored backup.
    return _load(run.pk, run.campaign.translation_key)


@lru_cache(maxsize=CACHED_RUNS)
def _load(run_id: int, _translation_key: UUID) -> Editions:
    run = Run.objects.select_related("campaign__locale").get(pk=run_id)
    source = source_of(run)
    # Here, once: per group it would be taken for a passing fault and end as `poison`.
    get_audience(source.audience)
    content = source.content
    return Editions(
        audience=source.audience,
        topic=source.topic,
        sender=settings.sender(source.sender),
        period=_period(run, source),
        expires_after=_expires_after(source),
        compiled={content.language: compile_mail(content)} | _translations(run, content),
    )


def _translations(run: Run, source: Content) -> dict[str, CompiledMail]:
    others = RunContent.objects.filter(run=run).exclude(locale=run.campaign.locale_id).order_by("pk")
    translated = [pinned.revision.as_object().content for pinned in others.select_related("revision")]
    compiled = ((content.language, translation(run.campaign_id, content.ruled_by(source))) for content in translated)
    return {language: mail for language, mail in compiled if mail is not None}


def translation(campaign_id: int, content: Content) -> CompiledMail | None:
    """Return the mail in one more language; its readers get the source's where it is broken."""
    try:
        return compile_mail(content)
    except DatabaseError:
        raise
    # Blocks are the site's own code, and may raise anything; the other languages go all the same.
    except Exception as error:  # noqa: BLE001
        extra = {"action": "translation_broken", "campaign_id": campaign_id, "language": content.language}
        logger.warning("A translation cannot become a mail: %s", error, extra=extra)
        return None


def _expires_after(source: Campaign) -> timedelta | None:
    if not source.is_on_event:
        return None
    event: type[Event] = registry.events.get(source.event)
    return event.expires_after() + source.delay


def _period(run: Run, source: Campaign) -> Period:
    if run.period_start is None or run.period_end is None:
        return Period.for_slot(source.period, run.slot)
    return Period(run.period_start, run.period_end, source.period)
