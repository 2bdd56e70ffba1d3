"""Why a campaign cannot be sent, apart from its schedule, which `schedules.check` knows about."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _

from wagtail_lifecycle import registry, rendering
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.exceptions import CompileError, UnknownName
from wagtail_lifecycle.models.rules import content_of, rules_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wagtail_lifecycle.models.campaigns import Campaign

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """One reason, with the field that has to be changed."""

    #: name of the Campaign field
    field: str
    #: a sentence for the editor
    message: str


def problems_of(campaign: Campaign) -> list[Problem]:
    """Return why `campaign`, saved or not, cannot be sent; an empty list where it can.

    Of a translation only the content counts: the rest is that of its source.
    """
    rules = rules_of(campaign)
    found = [*_missing_texts(campaign), *_sender_problems(rules), *_body_problems(campaign)]
    found += _typed_merge_tags(campaign, rules.audience)
    found += _compile_problems(campaign, at_fault={problem.field for problem in found})
    if campaign.is_source:
        found += [*_audience_problems(campaign.audience), *_event_problems(campaign), *_topic_problems(campaign)]
    return found


def obstacles_of(campaign: Campaign) -> list[Problem]:
    """Return what has broken since publishing and makes sending senseless: a sender or an audience that is gone.

    A deleted picture or page is none: the mail goes without it.
    """
    found = [*_sender_problems(campaign), *_audience_problems(campaign.audience)]
    return found or list(_compile_problems(campaign, at_fault=set()))


def _missing_texts(campaign: Campaign) -> Iterator[Problem]:
    if not campaign.name.strip():
        yield Problem("name", _("Write a name: editors tell campaigns apart by it."))
    if not campaign.subject.strip():
        yield Problem("subject", _("Write a subject: a mail without one is taken for spam."))
    if not len(campaign.body):
        yield Problem("body", _("Add at least one block: the mail is empty."))


def _sender_problems(campaign: Campaign) -> Iterator[Problem]:
    if not campaign.sender:
        yield Problem("sender", _("Choose who the mail comes from."))
    elif campaign.sender not in settings.senders:
        yield Problem(
            "sender",
            _("The sender “%(name)s” is not configured any more. Choose another one.") % {"name": campaign.sender},
        )


def _audience_problems(name: str) -> Iterator[Problem]:
    if not name:
        yield Problem("audience", _("Choose who gets the mail."))
        return
    try:
        problem = registry.audiences.get(name.partition(":")[0]).from_name(name).problem()
    except UnknownName:
        problem = _("The audience “%(name)s” does not exist any more. Choose another one.") % {"name": name}
    if problem:
        yield Problem("audience", problem)


def _event_problems(campaign: Campaign) -> Iterator[Problem]:
    if not campaign.is_on_event:
        return
    if not campaign.event:
        yield Problem("event", _("Choose the event that the mail follows."))
    elif campaign.event not in registry.events:
        yield Problem(
            "event",
            _("The event “%(name)s” does not exist any more. Choose another one.") % {"name": campaign.event},
        )


def _topic_problems(campaign: Campaign) -> Iterator[Problem]:
    if campaign.topic_id is None and not campaign.is_transactional:
        yield Problem("topic", _("Choose a topic that people can opt out of, or say that the mail is transactional."))
    if campaign.topic_id is not None and campaign.is_transactional:
        yield Problem("topic", _("Nobody can opt out of a transactional mail: leave its topic empty."))


# -- The body ------------------------------------------------------------------------------------------------


def _body_problems(campaign: Campaign) -> Iterator[Problem]:
    body = campaign.body
    try:
        body.stream_block.clean(body)
    except ValidationError as error:
        for sentence in body_sentences(error, body):
            yield Problem("body", sentence)
    except Exception:  # a site's own block may raise anything, and the editor must hear of it
        logger.exception("check failed", extra={"action": "check", "campaign_id": campaign.pk})
        yield Problem("body", _("A block of this mail cannot be checked. The site's log says why."))


def _typed_merge_tags(campaign: Campaign, audience: str) -> Iterator[Problem]:
    """Find merge tags typed by hand where only the editor's chips work: they would be sent as they stand."""
    # Defaults of fields may be lazy translations.
    stored = json.dumps(campaign.body.stream_block.get_prep_value(campaign.body), cls=DjangoJSONEncoder)
    for tag in dict.fromkeys(rendering.find_merge_tags(stored, audience=audience)):
        sentence = _("“%(tag)s” would be sent as it stands: in the body, put it in with the button “Merge tag”.")
        yield Problem("body", sentence % {"tag": tag})


def body_sentences(error: ValidationError, body: Any) -> Iterator[str]:
    """Say in sentences what is wrong with which block of `body`, a StreamValue that did not pass its clean()."""
    yield from _own_messages(error)
    for index, child_error in getattr(error, "block_errors", {}).items():
        child = body[index]
        for sentence in _sentences(child_error, child.block):
            yield _("Block %(number)d (%(block)s): %(sentence)s") % {
                "number": index + 1,
                "block": child.block.label,
                "sentence": sentence,
            }


def _sentences(error: ValidationError, block: Any) -> Iterator[str]:
    yield from _own_messages(error)
    for key, child_error in getattr(error, "block_errors", {}).items():
        label, child = _child_of(block, key)
        for sentence in _sentences(child_error, child):
            yield _("%(field)s: %(sentence)s") % {"field": label, "sentence": sentence}


def _own_messages(error: ValidationError) -> list[str]:
    # The message of an error with children is arbitrary: they have the real ones.
    own = getattr(error, "non_block_errors", None)
    return error.messages if own is None else [message for each in own.as_data() for message in each.messages]


def _child_of(block: Any, key: Any) -> tuple[str, Any]:
    children = getattr(block, "child_blocks", {})
    if key in children:
        return str(children[key].label), children[key]
    return str(key + 1 if isinstance(key, int) else key), getattr(block, "child_block", None)


def _compile_problems(campaign: Campaign, *, at_fault: set[str]) -> Iterator[Problem]:
    """Compile what is not known to be wrong, so that everything is said at once."""
    content = content_of(campaign)
    if "sender" in at_fault:
        content = replace(content, sender=min(settings.senders, default=""))
    if "body" in at_fault:
        content = replace(content, body=[])
    if not content.sender:
        return
    try:
        rendering.compile_mail(content)
    except CompileError as error:
        yield Problem(error.field, str(error))
    except Exception:  # a site's own block may raise anything, and the editor must hear of it
        logger.exception("compile failed", extra={"action": "compile", "campaign_id": campaign.pk})
        yield Problem("body", _("A block of this mail cannot be rendered. The site's log says why."))
