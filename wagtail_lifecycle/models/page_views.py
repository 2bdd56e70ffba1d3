"""Views per page and day. Who viewed is not known here, nor anywhere else."""

from __future__ import annotations

from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

import swapper
from django.db import connections, models, router, transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from django.db.backends.base.base import BaseDatabaseWrapper

#: Rows of one INSERT; fewer where the database takes fewer parameters.
BATCH: Final = 1000


class Views(NamedTuple):
    """`number` views of a page on a day, from one source."""

    page_id: int
    day: date
    number: int
    source: str = ""


class DailyPageViewsQuerySet(models.QuerySet["DailyPageViews"]):
    def between(self, start: date, end: date) -> DailyPageViewsQuerySet:
        """Keep the days from `start` on and before `end`."""
        return self.filter(day__gte=start, day__lt=end)

    def of_pages(self, page_ids: Iterable[int]) -> DailyPageViewsQuerySet:
        return self.filter(page__in=list(page_ids))

    def total(self) -> int:
        total: int = self.aggregate(total=Sum("count", default=0))["total"]
        return total

    def by_page(self) -> dict[int, int]:
        """Return the views per page id, in one query; pages without views are not in it."""
        return dict(self.order_by().values_list("page_id").annotate(total=Sum("count")))

    def by_day(self) -> dict[date, int]:
        """Return the views per day, in one query; days without views are not in it."""
        return dict(self.order_by("day").values_list("day").annotate(total=Sum("count")))


class DailyPageViewsManager(models.Manager.from_queryset(DailyPageViewsQuerySet)):  # type: ignore[misc]
    def add_views(self, rows: Iterable[Views]) -> int:
        """Add counts to what is there and answer how many views were added.

        Views of pages that no longer exist are dropped.
        """
        alias = router.db_for_write(self.model)
        connection = connections[alias]
        added = 0
        # One order for everybody, so that two writers wait for each other and never for ever.
        ordered = iter(sorted(_summed(rows), key=attrgetter("page_id", "day", "source")))
        with transaction.atomic(using=alias, savepoint=False):
            while batch := list(islice(ordered, _batch_size(connection))):
                kept = list(_of_existing_pages(batch, alias))
                _upsert(connection, self.model, kept)
                added += sum(row.number for row in kept)
        return added

    def replace_source(self, source: str, rows: Iterable[Views]) -> int:
        """Make `rows` all there is from a source and answer how many views that is."""
        alias = router.db_for_write(self.model)
        with transaction.atomic(using=alias, savepoint=False):
            self.using(alias).filter(source=source).delete()
            return self.add_views(row._replace(source=source) for row in rows)


class DailyPageViews(models.Model):
    page = models.ForeignKey(
        swapper.get_model_name("wagtailcore", "Page"),
        on_delete=models.CASCADE,
        related_name="daily_page_views",
        # The unique constraint's index begins with the page.
        db_index=False,
        verbose_name=_("page"),
    )
    day = models.DateField(_("day"), help_text=_("A day of the site's time zone."))
    source = models.CharField(
        _("source"),
        max_length=64,
        default="",
        blank=True,
        help_text=_("Empty for views counted live; else the digest of an imported access log."),
    )
    count = models.PositiveBigIntegerField(_("views"), default=0)

    objects = DailyPageViewsManager()

    class Meta:
        verbose_name = _("daily page views")
        verbose_name_plural = _("daily page views")
        constraints = [
            models.UniqueConstraint(fields=["page", "day", "source"], name="wagtail_lifecycle_views_per_page_and_day"),
        ]
        indexes = [models.Index(fields=["day", "page"], name="lifecycle_views_day_page")]

    def __str__(self) -> str:
        return f"page {self.page_id}, {self.day:%Y-%m-%d}: {self.count}"


class PageViewFlush(models.Model):
    """A buffer that is in the database: who finds it again throws it away.

    The row is written in the transaction that adds the views, so a process that dies before it has
    emptied the buffer in Redis neither loses nor doubles them.
    """

    batch = models.CharField(_("batch"), max_length=64, unique=True)
    created = models.DateTimeField(_("created"), db_index=True)

    class Meta:
        verbose_name = _("page view flush")
        verbose_name_plural = _("page view flushes")

    def __str__(self) -> str:
        return self.batch


def _summed(rows: Iterable[Views]) -> Iterator[Views]:
    # ON CONFLICT refuses to touch one row twice in one statement.
    totals: dict[tuple[int, date, str], int] = {}
    for row in rows:
        key = (row.page_id, row.day, row.source)
        totals[key] = totals.get(key, 0) + row.number
    return (Views(page_id, day, number, source) for (page_id, day, source), number in totals.items())


def _of_existing_pages(rows: Sequence[Views], alias: str) -> Iterator[Views]:
    page_model = swapper.load_model("wagtailcore", "Page")
    wanted = {row.page_id for row in rows}
    pages = page_model._base_manager.using(alias)  # noqa: SLF001 - documented; hides no page
    existing = set(pages.filter(pk__in=wanted).values_list("pk", flat=True))
    return (row for row in rows if row.page_id in existing)


def _batch_size(connection: BaseDatabaseWrapper) -> int:
    limit = connection.features.max_query_params
    return min(BATCH, limit // len(Views._fields)) if limit else BATCH


def _upsert(connection: BaseDatabaseWrapper, model: type[models.Model], rows: Sequence[Views]) -> None:
    # bulk_create(update_conflicts=True) sets what it inserts; here it is added, in one statement.
    if not rows:
        return
    quote, options = connection.ops.quote_name, model._meta
    columns = {field.name: quote(str(field.column)) for field in options.concrete_fields}
    names = [columns[name] for name in ("page", "day", "source", "count")]
    page, day, source, count = names
    table = quote(options.db_table)
    values = ", ".join(["(%s, %s, %s, %s)"] * len(rows))
    sql = (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES {values} "  # noqa: S608 - only quoted names
        f"ON CONFLICT ({page}, {day}, {source}) DO UPDATE SET {count} = {table}.{count} + excluded.{count}"
    )
    to_day = connection.ops.adapt_datefield_value
    params = [value for row in rows for value in (row.page_id, to_day(row.day), row.source, row.number)]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
