"""How the senders stand, in sentences."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext, ngettext

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.dispatch import editions, senders
from wagtail_lifecycle.models import SenderState
from wagtail_lifecycle.wagtail_admin.outlook import moment

if TYPE_CHECKING:
    from datetime import datetime

    from wagtail_lifecycle.models import Run


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One sender, for people."""

    key: str
    label: str
    is_paused: bool = False
    #: why it is paused, as a sentence
    why: str = ""
    since: str = ""
    #: the words of the mail server
    said: str = ""
    #: what happens by itself
    next_step: str = ""
    #: how many runs wait for it, as a sentence
    waiting: str = ""


def standings() -> list[Standing]:
    """Return how each configured sender stands, the paused ones first; in at most two queries."""
    paused = {state.key: state for state in SenderState.objects.filter(senders.PAUSED)}
    waiting = Counter(key for _run, key in senders.waiting_runs()) if paused else Counter[str]()
    found = [
        standing(paused[sender.key], waiting[sender.key])
        if sender.key in paused
        else Standing(key=sender.key, label=sender.label or sender.key)
        for sender in settings.senders.values()
    ]
    return sorted(found, key=lambda each: not each.is_paused)


def paused_labels() -> list[str]:
    """Return what the senders are called that send nothing, in one query."""
    keys = set(SenderState.objects.filter(senders.PAUSED).values_list("key", flat=True))
    return [sender.label or key for key, sender in settings.senders.items() if key in keys]


def label_of(key: str) -> str:
    """Return what editors call a sender, also if it has left the settings."""
    return settings.senders[key].label or key if key in settings.senders else key


def standing(state: SenderState, waiting: int) -> Standing:
    """Return how a paused sender stands."""
    return Standing(
        key=state.key,
        label=label_of(state.key),
        is_paused=True,
        why=str(state.get_reason_display()),
        since=moment(state.paused_at, settings.time_zone).words if state.paused_at else "",
        said=state.detail,
        next_step=next_step(state, waiting),
        waiting=ngettext("%(count)d run waits for it.", "%(count)d runs wait for it.", waiting) % {"count": waiting}
        if waiting
        else "",
    )


def story_of(run: Run) -> list[str]:
    """Return, as sentences, why a run waits for its sender and what happens next."""
    key = editions.source_of(run).sender
    label = {"sender": label_of(key)}
    state = SenderState.objects.filter(senders.PAUSED, key=key).first()
    if state is None:
        return [gettext("Its sender “%(sender)s” works again. The run goes on within a minute.") % label]
    sentences = [gettext("Its sender “%(sender)s” is paused.") % label, str(state.get_reason_display())]
    if state.detail:
        sentences.append(gettext("The mail server said: “%(words)s”.") % {"words": state.detail})
    return [*sentences, next_step(state)]


def next_step(state: SenderState, waiting: int = 1) -> str:
    """Return what becomes of a paused sender by itself."""
    if state.probe_at is None:
        return gettext("Nothing happens by itself: a person paused it, and a person has to resume it.")
    if not waiting:
        return gettext(
            "No run waits for it. The next one that begins, or that a person resumes, tries one mail. If it works, the "
            "sender goes on by itself."
        )
    if state.probe_at <= timezone.now():
        return gettext("The next mail that is due is tried. If it works, the sender goes on by itself.")
    return gettext("One mail is tried on %(time)s. If it works, the sender and its runs go on by themselves.") % {
        "time": _clock(state.probe_at)
    }


def _clock(instant: datetime) -> str:
    return moment(instant, settings.time_zone).words
