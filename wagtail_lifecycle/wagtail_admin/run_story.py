"""How a run stands: why nothing goes, and what happens next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext

from wagtail_lifecycle.models import Delivery, Run
from wagtail_lifecycle.wagtail_admin import sender_states
from wagtail_lifecycle.wagtail_admin.actions import ACTIONS
from wagtail_lifecycle.wagtail_admin.outlook import moment
from wagtail_lifecycle.wagtail_admin.run_list import reason_of
from wagtail_lifecycle.wagtail_admin.standings import zone_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wagtail_lifecycle.wagtail_admin.audit import Entry
    from wagtail_lifecycle.wagtail_admin.balances import Balance


def story_of(run: Run, balance: Balance, entries: Iterable[Entry]) -> list[str]:
    """Return why a run does not send, and what happens next, as sentences; none where there is nothing to say."""
    if run.status == Run.Status.PAUSED:
        return _paused(run, balance, entries)
    if run.status == Run.Status.CANCELLED and run.finished_at is None and run.reason == Run.Reason.PERSON:
        return [reason_of(run), gettext("Its last mails are being cancelled; that takes a minute.")]
    if run.status == Run.Status.SENDING and balance.open:
        return _sending(run)
    return [reason_of(run)] if run.reason or run.missed_count > 1 else []


def _paused(run: Run, balance: Balance, entries: Iterable[Entry]) -> list[str]:
    if run.reason == Run.Reason.SENDER:
        return sender_states.story_of(run)
    if run.reason == Run.Reason.BREAKER:
        decided = balance.sent + balance.failed + balance.uncertain
        return [
            gettext("Too many mails failed, so the run paused itself: %(failed)d of %(decided)d.")
            % {"failed": balance.failed, "decided": decided},
            gettext(
                "Nothing more goes until a person resumes it. Read the reasons below, put right what is wrong, then "
                "resume the run and retry what failed."
            ),
        ]
    return [_paused_by(run, entries), gettext("Nothing more goes until a person resumes it.")]


def _paused_by(run: Run, entries: Iterable[Entry]) -> str:
    pause = ACTIONS["pause"].name
    for entry in entries:
        if entry.action == pause:
            return gettext("%(name)s paused it on %(time)s.") % {"name": entry.who, "time": entry.when}
    return reason_of(run)


def _sending(run: Run) -> list[str]:
    if run.campaign.is_on_event and not run.campaign.live:
        return [gettext("Its campaign is not active: what is planned waits until somebody publishes it again.")]
    later = Delivery.objects.filter(run=run, status__in=Delivery.DUE, due_at__gt=timezone.now())
    due = later.order_by().aggregate(due=Min("due_at"))["due"]
    if due is None or Delivery.objects.filter(run=run, status__in=Delivery.DUE, due_at=None).exists():
        return []
    time = {"time": moment(due, zone_of(run.campaign)).words}
    return [gettext("Mails of it wait for their time, the first until %(time)s.") % time]
