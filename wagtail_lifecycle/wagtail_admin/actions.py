"""What people can do to a run: when it makes sense, what it is called, and what it says afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext, ngettext_lazy, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from wagtail_lifecycle.dispatch import steering
from wagtail_lifecycle.models import Run
from wagtail_lifecycle.wagtail_admin import sender_states

if TYPE_CHECKING:
    from collections.abc import Callable

    from wagtail_lifecycle.wagtail_admin.balances import Balance

Status = Run.Status
ENDED: Final = (Status.FINISHED, Status.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing to do. The texts know `%(count)d` and `%(run)s`."""

    slug: str
    label: Any
    icon: str
    #: does it to a run, to all its mails or those with one reason; answers how many
    act: Callable[..., int]
    #: whether it makes sense
    fits: Callable[[Run, Balance], bool]
    #: what it says afterwards, and where there was nothing to do
    done: Any
    nothing: Any
    #: what the history says
    told: Any
    #: what it says instead where something else still holds the run; empty where nothing does
    held: Callable[[Run], str] = lambda _run: ""
    #: how many of the mails of a run, all or those with one reason, stay as they are all the same
    left_out: Callable[..., int] = lambda _run_id, **_options: 0
    #: says so, beforehand and afterwards
    left_out_told: Any = ""
    #: asked before what cannot be undone; empty where it can
    question: Any = ""
    #: what follows from it
    consequence: Any = ""
    #: the mails that it is about, by what became of them
    about: tuple[str, ...] = ()
    #: whether it ends or repeats what nobody can take back
    is_serious: bool = False
    #: whether mails go because of it
    sends: bool = False
    #: whether it changes a run also where it is about no mail
    counts_nothing: bool = False

    @property
    def name(self) -> str:
        """What the audit log calls it."""
        return f"wagtail_lifecycle.{self.slug.replace('-', '_')}_run"

    @property
    def url_name(self) -> str:
        return f"lifecycle_runs:{self.slug}"

    def expected(self, balance: Balance) -> int:
        """Return how many mails it is about."""
        return sum(getattr(balance, key) for key in self.about)

    def sentence(self, count: int, left_out: int = 0) -> str:
        """Return what to say afterwards."""
        if not left_out:
            return str(self.done % {"count": count}) if count or self.counts_nothing else str(self.nothing)
        stays = str(self.left_out_told % {"count": left_out})
        return f"{self.done % {'count': count}} {stays}" if count else stays


def _is_about_mails(run: Run) -> bool:
    return run.status != Status.SKIPPED and run.reason != Run.Reason.BROKEN


def _has_a_rest(run: Run, balance: Balance) -> bool:
    left_out = balance.failed + balance.cancelled + balance.skipped
    return run.status in ENDED and _is_about_mails(run) and (not run.campaign.is_on_event or bool(left_out))


def _waits_for_its_sender(run: Run) -> str:
    if not Run.objects.filter(pk=run.pk, status=Status.PAUSED, reason=Run.Reason.SENDER).exists():
        return ""
    return " ".join([gettext("You have resumed the run, and it waits for its sender."), *sender_states.story_of(run)])


_ALL: Final = (
    Action(
        slug="resume",
        label=pgettext_lazy("a run", "Resume"),
        icon="resubmit",
        act=steering.resume,
        fits=lambda run, _balance: run.status == Status.PAUSED and run.reason != Run.Reason.SENDER,
        done=_("The run goes on."),
        nothing=_("The run was going on already."),
        told=_("Resumed the run of %(run)s"),
        held=_waits_for_its_sender,
        sends=True,
    ),
    Action(
        slug="pause",
        label=pgettext_lazy("a run", "Pause"),
        icon="time",
        act=steering.pause,
        fits=lambda run, _balance: run.status in {Status.PREPARING, Status.SENDING},
        done=_("The run is paused. Mails that are leaving at this moment still go."),
        nothing=_("The run was paused already."),
        told=_("Paused the run of %(run)s"),
    ),
    Action(
        slug="retry-failed",
        label=_("Retry failed"),
        icon="rotate",
        act=steering.retry_failed,
        fits=lambda run, balance: bool(balance.failed) and _is_about_mails(run),
        done=ngettext_lazy("%(count)d failed mail is tried again.", "%(count)d failed mails are tried again.", "count"),
        nothing=_("No mail of it has failed any more, so nothing is tried again."),
        told=ngettext_lazy(
            "Retried %(count)d failed mail of the run of %(run)s",
            "Retried %(count)d failed mails of the run of %(run)s",
            "count",
        ),
        question=ngettext_lazy(
            "Try %(count)d failed mail once more?", "Try %(count)d failed mails once more?", "count"
        ),
        consequence=_(
            "Nobody got these mails. Put right first what made them fail, or they will fail again. Who has opted out "
            "or left the audience meanwhile gets none."
        ),
        about=("failed",),
        left_out=steering.too_old,
        left_out_told=ngettext_lazy(
            "%(count)d failed mail is about something too long ago to be told now, and stays as it is.",
            "%(count)d failed mails are about something too long ago to be told now, and stay as they are.",
            "count",
        ),
        sends=True,
    ),
    Action(
        slug="treat-as-sent",
        label=_("Treat as sent"),
        icon="check",
        act=partial(steering.settle_run, sent=True),
        fits=lambda _run, balance: bool(balance.uncertain),
        done=ngettext_lazy(
            "%(count)d uncertain mail counts as sent.", "%(count)d uncertain mails count as sent.", "count"
        ),
        nothing=_("None of its mails is uncertain any more, so nothing was changed."),
        told=ngettext_lazy(
            "Treated %(count)d uncertain mail of the run of %(run)s as sent",
            "Treated %(count)d uncertain mails of the run of %(run)s as sent",
            "count",
        ),
        question=ngettext_lazy(
            "Treat %(count)d uncertain mail as sent?", "Treat %(count)d uncertain mails as sent?", "count"
        ),
        consequence=_("They are not sent again. Who did not get theirs will not get it."),
        about=("uncertain",),
    ),
    Action(
        slug="send-again",
        label=_("Send again (may arrive twice)"),
        icon="mail",
        act=partial(steering.settle_run, sent=False),
        fits=lambda _run, balance: bool(balance.uncertain),
        done=ngettext_lazy(
            "%(count)d uncertain mail is sent again.", "%(count)d uncertain mails are sent again.", "count"
        ),
        nothing=_("None of its mails is uncertain any more, so nothing is sent again."),
        told=ngettext_lazy(
            "Sent %(count)d uncertain mail of the run of %(run)s again",
            "Sent %(count)d uncertain mails of the run of %(run)s again",
            "count",
        ),
        question=ngettext_lazy(
            "Send %(count)d uncertain mail again?", "Send %(count)d uncertain mails again?", "count"
        ),
        consequence=_(
            "They may have arrived: then these people get the mail twice. It has the same Message-ID, by which some "
            "mail programs hide the second copy."
        ),
        about=("uncertain",),
        is_serious=True,
        sends=True,
    ),
    Action(
        slug="send-to-rest",
        label=_("Send to the rest"),
        icon="group",
        act=steering.send_to_rest,
        fits=_has_a_rest,
        done=ngettext_lazy(
            "The run goes on: %(count)d person who had no mail of it, and whoever has joined the audience since.",
            "The run goes on: %(count)d people who had no mail of it, and whoever has joined the audience since.",
            "count",
        ),
        nothing=_("Everybody has their mail, so nothing is sent."),
        told=ngettext_lazy(
            "Sent the run of %(run)s to the rest, %(count)d person who had been left out",
            "Sent the run of %(run)s to the rest, %(count)d people who had been left out",
            "count",
        ),
        question=_("Send this run to everybody of the audience who has no mail of it yet?"),
        consequence=_(
            "Failed and cancelled mails are tried again, people who were left out are looked at afresh, and so is "
            "everybody who has joined the audience since. Who has opted out is left out again. The content is that "
            "of the run, also if the campaign was changed since. Uncertain mails are not sent again."
        ),
        is_serious=True,
        sends=True,
        counts_nothing=True,
    ),
    Action(
        slug="send-skipped",
        label=_("Send this skipped slot now"),
        icon="mail",
        act=steering.send_skipped,
        fits=lambda run, _balance: (
            run.status == Status.SKIPPED and run.reason == Run.Reason.MISSED and run.campaign.live
        ),
        done=_("The run begins."),
        nothing=_("Somebody else was faster: the run has begun."),
        told=_("Sent the skipped run of %(run)s after all"),
        question=_("Send what was skipped after all?"),
        consequence=_(
            "Everybody who is in the audience now gets one mail, with the campaign's content of today and with the "
            "numbers of the skipped slot's period. Where the line stands for several slots, one mail goes, not one for "
            "each."
        ),
        is_serious=True,
        sends=True,
    ),
    Action(
        slug="cancel",
        label=pgettext_lazy("a run", "Cancel the run"),
        icon="cross",
        act=steering.cancel,
        fits=lambda run, _balance: run.status in Run.OPEN,
        done=ngettext_lazy(
            "The run is cancelled: %(count)d mail does not go.",
            "The run is cancelled: %(count)d mails do not go.",
            "count",
        ),
        nothing=_("The run is cancelled."),
        told=ngettext_lazy(
            "Cancelled the run of %(run)s: %(count)d mail did not go",
            "Cancelled the run of %(run)s: %(count)d mails did not go",
            "count",
        ),
        question=ngettext_lazy(
            "Cancel this run? %(count)d mail that is still open will not go.",
            "Cancel this run? %(count)d mails that are still open will not go.",
            "count",
        ),
        consequence=_("What has been sent stays sent, and a mail that is leaving at this moment still goes."),
        about=("open",),
        is_serious=True,
        counts_nothing=True,
    ),
)
#: By slug, in the order of the buttons.
ACTIONS: Final = {action.slug: action for action in _ALL}


def actions_for(run: Run, balance: Balance) -> list[Action]:
    """Return what makes sense for a run that stands like this."""
    return [action for action in _ALL if action.fits(run, balance)]
