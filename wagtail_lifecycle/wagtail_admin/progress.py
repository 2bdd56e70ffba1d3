"""What a line of the list of campaigns tells of a run that is going on, and of the people it goes to."""

from __future__ import annotations

import hashlib
import logging
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.core.cache import cache
from django.db.models import Count
from django.utils.translation import gettext, ngettext

from wagtail_lifecycle.audiences import get_audience
from wagtail_lifecycle.models import Delivery, Run
from wagtail_lifecycle.wagtail_admin.buttons import run_buttons

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from wagtail.admin.widgets import Button

    from wagtail_lifecycle.wagtail_admin.balances import Balance
    from wagtail_lifecycle.wagtail_admin.standings import Standing

logger = logging.getLogger(__name__)

GOING: Final = (Run.Status.PREPARING, Run.Status.SENDING)
#: How long back the rate looks.
WINDOW: Final = timedelta(minutes=1)
#: How long the size of an audience is remembered.
CACHE_SECONDS: Final = 60
#: What a line offers at once; the page of the run offers all.
OFFERED: Final = ("resume", "pause", "cancel")


def rates_of(runs: Iterable[Run], now: datetime) -> dict[int, int]:
    """Return how many mails of each run that is going on were decided in the last minute, in at most one query."""
    going = [run.pk for run in runs if run.status in GOING]
    if not going:
        return {}
    recent = Delivery.objects.filter(run__in=going, finished_at__gte=now - WINDOW).order_by()
    return dict(recent.values_list("run").annotate(count=Count("pk")))


def progress_in_words(balance: Balance, rate: int) -> str:
    """Return how far a run is, how fast, and how long it still takes."""
    done = {"done": balance.planned - balance.open, "planned": balance.planned}
    if not rate:
        return gettext("%(done)d of %(planned)d, none in the last minute") % done
    minutes = math.ceil(balance.open / rate)
    return ngettext(
        "%(done)d of %(planned)d, %(rate)d per minute, about %(minutes)d minute left",
        "%(done)d of %(planned)d, %(rate)d per minute, about %(minutes)d minutes left",
        minutes,
    ) % {**done, "rate": rate, "minutes": minutes}


def progress_buttons(standing: Standing, user: Any, *, back_url: str) -> Iterator[Button]:
    """Yield what can be done to the run that is going on or paused, for beside the name."""
    if standing.run is None or standing.balance is None or standing.run.status not in Run.OPEN:
        return
    for button in run_buttons(standing.run, standing.balance, user, back_url=back_url, only=OFFERED):
        button.allow_in_dropdown, button.icon_name = False, None
        button.classname = "button button-small button-secondary"
        yield button


def sizes_of(audiences: Iterable[str], now: datetime) -> dict[str, int]:
    """Return how many people are in each audience, at most a minute old; one that cannot be counted is left out."""
    keys = {_key(name): name for name in set(audiences) if name}
    known: dict[str, int] = cache.get_many(keys)
    counted = {key: size for key in keys.keys() - known.keys() if (size := _count(keys[key], now)) is not None}
    cache.set_many(counted, CACHE_SECONDS)
    return {keys[key]: size for key, size in {**known, **counted}.items()}


def _key(audience: str) -> str:
    return f"wagtail_lifecycle:size:{hashlib.sha256(audience.encode()).hexdigest()}"


def _count(name: str, now: datetime) -> int | None:
    try:
        audience = get_audience(name)
        return None if audience.problem() else audience.count(now)
    except Exception:  # an audience of the site may raise anything, and the list must stay usable
        logger.exception("audience cannot be counted", extra={"action": "count_audience"})
        return None
