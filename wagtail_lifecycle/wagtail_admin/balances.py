"""What became of the people of a run: planned = sent + failed + skipped + cancelled + uncertain + open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import Count
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from wagtail_lifecycle.models import Delivery, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.utils.functional import Promise

#: In the order of the sum. "Accepted": what the mail server took may still not arrive.
LABELS: Final[dict[str, Promise]] = {
    "sent": _("accepted by the mail server"),
    "failed": _("failed"),
    "skipped": _("left out"),
    "cancelled": _("cancelled"),
    "uncertain": _("uncertain"),
    "open": _("open"),
}
#: Runs of which nothing changes any more keep their totals.
CLOSED: Final = (Run.Status.FINISHED, Run.Status.SKIPPED)


@dataclass(frozen=True)
class Part:
    """One summand."""

    key: str
    label: str
    count: int
    #: where it begins in a bar of 100, and how long it is
    start: float
    length: float


@dataclass(frozen=True, kw_only=True)
class Balance:
    """The deliveries of a run by what became of them."""

    sent: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
    uncertain: int = 0
    #: still to be decided
    open: int = 0

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Balance:
        """Return the balance of deliveries counted by status."""
        closed = {status: count for status, count in counts.items() if status not in Delivery.OPEN}
        return cls(**closed, open=sum(counts.values()) - sum(closed.values()))

    @property
    def planned(self) -> int:
        return sum(getattr(self, key) for key in LABELS)

    @property
    def parts(self) -> list[Part]:
        found, start = [], 0.0
        for key, label in LABELS.items():
            count = getattr(self, key)
            length = 100 * count / self.planned if self.planned else 0.0
            found.append(Part(key, str(label), count, round(start, 2), round(length, 2)))
            start += length
        return found

    @property
    def summary(self) -> str:
        """The parts that are not zero, in words."""
        told = [
            gettext("%(count)d %(what)s") % {"count": part.count, "what": part.label}
            for part in self.parts
            if part.count
        ]
        return pgettext("between the parts of a list", ", ").join(told) or gettext("nobody")


def balances_of(runs: Iterable[Run]) -> dict[int, Balance]:
    """Return the balance of each run by primary key, in at most one query."""
    runs = list(runs)
    going_on = [run.pk for run in runs if run.status not in CLOSED]
    counted: dict[int, dict[str, int]] = {}
    if going_on:
        rows = Delivery.objects.filter(run__in=going_on).order_by().values_list("run", "status")
        for run_id, status, count in rows.annotate(count=Count("pk")):
            counted.setdefault(run_id, {})[status] = count
    return {run.pk: Balance.of(counted.get(run.pk, {}) if run.pk in going_on else run.totals) for run in runs}
