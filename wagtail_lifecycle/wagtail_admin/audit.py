"""Who did what: the entries of the audit log, in the history of campaigns and on the pages of runs and senders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import LogFormatter, log
from wagtail.log_actions import registry as log_registry

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.models import SenderState
from wagtail_lifecycle.wagtail_admin.actions import ACTIONS
from wagtail_lifecycle.wagtail_admin.outlook import moment
from wagtail_lifecycle.wagtail_admin.standings import zone_of

if TYPE_CHECKING:
    from wagtail_lifecycle.models import Run
    from wagtail_lifecycle.wagtail_admin.actions import Action

PAUSE_SENDER: Final = "wagtail_lifecycle.pause_sender"
RESUME_SENDER: Final = "wagtail_lifecycle.resume_sender"
#: Entries that a page shows.
SHOWN: Final = 20


@dataclass(frozen=True)
class Entry:
    """One line of "who did what"."""

    #: a name of the audit log
    action: str
    when: str
    who: str
    what: str


def log_run(run: Run, action: Action, *, count: int, user: Any) -> None:
    """Write down what somebody did to a run, in the history of its campaign."""
    zone = zone_of(run.campaign)
    data = {"run": run.pk, "slot": run.slot.isoformat(), "zone": zone.key, "count": count}
    log(instance=run.campaign, action=action.name, user=user, data=data)


def log_sender(key: str, action: str, *, count: int, user: Any) -> None:
    state = SenderState.objects.get_or_create(key=key)[0]
    log(instance=state, action=action, user=user, data={"count": count})


def entries_of_run(run: Run) -> list[Entry]:
    """Return what people did to a run, newest first."""
    found = log_registry.get_logs_for_instance(run.campaign).filter(data__run=run.pk)
    return [_entry(log_entry, str(log_entry.message), zone_of(run.campaign)) for log_entry in _newest(found)]


def entries_of_senders() -> list[Entry]:
    """Return what people did to senders, newest first."""
    model, labels = log_registry.get_log_model_for_model(SenderState), settings.senders
    found = _newest(model.objects.get_for_model(SenderState).filter(action__in=[PAUSE_SENDER, RESUME_SENDER]))
    names = [labels[entry.label].label if entry.label in labels else entry.label for entry in found]
    return [
        _entry(entry, f"{entry.message}: {name}", settings.time_zone) for entry, name in zip(found, names, strict=True)
    ]


def _newest(entries: Any) -> list[Any]:
    return list(entries.select_related("user").order_by("-timestamp", "-pk")[:SHOWN])


def _entry(log_entry: Any, what: str, zone: ZoneInfo) -> Entry:
    when = moment(log_entry.timestamp, zone).words
    return Entry(log_entry.action, when, str(log_entry.user_display_name), what)


def _run_formatter(action: Action) -> type[LogFormatter]:
    class RunFormatter(LogFormatter):
        label = action.label

        def format_message(self, log_entry: Any) -> str:
            data = log_entry.data
            slot = moment(datetime.fromisoformat(data["slot"]), ZoneInfo(data["zone"])).words
            return str(action.told % {"count": data["count"], "run": slot})

    return RunFormatter


def register_log_actions(actions: Any) -> None:
    """Name what the audit log shows."""
    for action in ACTIONS.values():
        actions.register_action(action.name)(_run_formatter(action))
    actions.register_action(PAUSE_SENDER, _("Pause a sender"), _("Paused the sender"))
    actions.register_action(RESUME_SENDER, _("Resume a sender"), _("Resumed the sender"))
