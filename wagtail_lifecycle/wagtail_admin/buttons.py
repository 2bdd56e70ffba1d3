"""The buttons of runs and campaigns: what makes sense, for those who may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from wagtail.admin.widgets import Button

from wagtail_lifecycle.models import Campaign, Run
from wagtail_lifecycle.wagtail_admin.access import is_everywhere, may
from wagtail_lifecycle.wagtail_admin.actions import ACTIONS, Action, actions_for

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from wagtail_lifecycle.wagtail_admin.balances import Balance

#: the permission to send tests of a campaign, without the model's name
SEND_TEST: Final = "send_test"


def may_steer(user: Any, run: Run) -> bool:
    """Tell whether somebody may steer this run, or the runs of this campaign."""
    return may(user, "view", run) and may(user, "steer", run)


def may_steer_senders(user: Any) -> bool:
    """Tell whether somebody may pause and resume senders, which all sites share."""
    return is_everywhere(user, "view", Run) and is_everywhere(user, "steer", Run)


def run_offers(run: Run, balance: Balance, user: Any) -> list[dict[str, Any]]:
    """Return what the page of a run offers."""
    fitting = actions_for(run, balance) if may_steer(user, run) else []
    return [{"action": action, "url": reverse(action.url_name, args=[run.pk])} for action in fitting]


def run_buttons(
    run: Run, balance: Balance, user: Any, *, back_url: str, only: Container[str] = ACTIONS
) -> Iterator[Button]:
    """Yield the same, or `only` some of it, for a line of a list, to which they come back."""
    for priority, offer in enumerate(run_offers(run, balance, user)):
        action: Action = offer["action"]
        if action.slug not in only:
            continue
        url = f"{offer['url']}?{urlencode({'next': back_url})}"
        if action.question:
            yield Button(str(action.label), url=url, icon_name=action.icon, priority=priority)
            continue
        post = {"data-controller": "w-action", "data-action": "w-action#post", "data-w-action-url-value": url}
        yield Button(str(action.label), icon_name=action.icon, priority=priority, attrs={"type": "button", **post})


def test_buttons(campaign: Campaign, user: Any) -> Iterator[Button]:
    """Yield the button of the editor that leads to the page of test mails, for those who may send them."""
    if may(user, SEND_TEST, campaign):
        url = reverse(Campaign.snippet_viewset.get_url_name("test"), args=[campaign.pk])
        yield Button(gettext("Send a test"), url=url, icon_name="mail", priority=5)
