"""Making mails for people without sending them: for a sample before publishing, for everybody afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wagtail_lifecycle import links, samples
from wagtail_lifecycle.exceptions import LifecycleError
from wagtail_lifecycle.planning import resolve_language
from wagtail_lifecycle.preflight.tallies import Tally, bare_merge_tags, missing_values
from wagtail_lifecycle.rendering import compile_mail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from wagtail_lifecycle.audiences import Recipient
    from wagtail_lifecycle.data_sources import Period
    from wagtail_lifecycle.models import Campaign
    from wagtail_lifecycle.rendering import CompiledMail

#: People looked at before publishing: the longest names, the shortest, and others at random.
SAMPLE: Final = 200


def try_sample(campaign: Campaign, now: datetime, size: int = SAMPLE) -> Tally | None:
    """Return what comes of the mails of a few people; None where `campaign` is no mail, or to nobody known."""
    try:
        compiled = compile_mail(samples.content_of(campaign))
        people, period = samples.sample(campaign, now, size), samples.period_of(campaign, now)
    except LifecycleError:
        return None
    # Templates of blocks are the site's own code and may raise anything; `problems_of` says so.
    except Exception:  # noqa: BLE001
        return None
    return try_people({compiled.language: compiled}, people, period)


def try_people(compiled: Mapping[str, CompiledMail], people: Sequence[Recipient], period: Period) -> Tally:
    """Return what comes of making the mail for each of `people`, in the language they would get it in.

    `compiled` maps language codes to mails, the source's first. The number of queries does not depend on the number of
    people.
    """
    tally, languages, base = Tally(), list(compiled), links.base_url()
    by_language: dict[str, list[Recipient]] = {}
    for recipient in people:
        by_language.setdefault(resolve_language(recipient.language, languages), []).append(recipient)
    for language, readers in by_language.items():
        _try(compiled[language], readers, period, base, tally)
    return tally


def _try(mail: CompiledMail, readers: Sequence[Recipient], period: Period, base: str, tally: Tally) -> None:
    try:
        data = samples.data_of(mail, readers, period)
    except Exception as error:  # noqa: BLE001 - data sources are the site's own code
        tally.errors[type(error).__name__] += len(readers)
        return
    bare = bare_merge_tags(mail)
    for recipient in readers:
        if mail.is_empty_for(recipient, data[recipient.key]):
            tally.empty += 1
            continue
        tally.missing.update(missing_values(bare, recipient))
        _try_one(mail, recipient, period, base, data[recipient.key], tally)


def _try_one(
    mail: CompiledMail, recipient: Recipient, period: Period, base: str, data: Mapping[str, Any], tally: Tally
) -> None:
    try:
        tally.add(samples.personal_mail(mail, recipient, period, base=base, data=data))
    # As above; its text may be personal, so only its kind is kept.
    except Exception as error:  # noqa: BLE001
        tally.errors[type(error).__name__] += 1
