"""What is measured without workers: a mail, a page view, the admin's pages."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from benchmarks.lifecycle import pages_of
from wagtail_lifecycle import page_views
from wagtail_lifecycle.audiences import Recipient
from wagtail_lifecycle.conf import Sender, settings
from wagtail_lifecycle.data_sources import Period
from wagtail_lifecycle.models import Campaign, Delivery, Run
from wagtail_lifecycle.rendering import CompiledMail, Links, Mail, compile_mail
from wagtail_lifecycle.rendering.pieces import Parts, Personal
from wagtail_lifecycle.rendering.quick import PieceTemplate
from wagtail_lifecycle.rendering.tidying import Stretch
from wagtail_lifecycle.transport import Letter, ListHeaders, mime

#: no longer a person's, so that the rows stand for themselves
ROWS = """
    INSERT INTO {table} (run_id, recipient_key, address_hash, address, language, event_key, status, reason, detail,
                         message_id, claims, attempts, crash_epoch, lines, created_at, finished_at)
    SELECT %s, 'user:' || n, md5(%s || n::text), 'reader' || n || '@bench.example', 'en', '',
           CASE WHEN n %% 50 = 0 THEN 'failed' WHEN n %% 70 = 0 THEN 'skipped' ELSE 'sent' END,
           CASE WHEN n %% 50 = 0 THEN 'refused' WHEN n %% 70 = 0 THEN 'opted_out' ELSE '' END,
           CASE WHEN n %% 50 = 0 THEN '550 5.1.1 no such user' ELSE '' END,
           '<' || %s || '.' || n || '@example.org>', 0, 1, '', 1, now(), now()
    FROM generate_series(1, %s) AS n
"""
ROWS_PER_RUN = 100_000


def sample_letter(now: datetime, number: int = 1) -> Letter:
    """Return the mail of one person, made as a worker makes it."""
    return _letter_of(compile_mail(Campaign.objects.order_by("pk").first().content), now, number)


def _letter_of(compiled: CompiledMail, now: datetime, number: int) -> Letter:
    values = _values_of(now, number)
    recipient, links = values["recipient"], values["links"]
    made = compiled.personalise(recipient, data=values["data"], links=links)
    about = ListHeaders(slug="reports", name="Reports", unsubscribe_url=links.unsubscribe, campaign_id=1, run_id=1)
    return Letter(
        sender=_sender(), address=recipient.address, name=recipient.name, mail=made,
        message_id=f"<{number}@example.org>", date=now, list_headers=about,
    )  # fmt: skip


def mail_cost(count: int) -> dict[str, object]:
    """CPU microseconds of one mail, from data to octets: ours, and without what makes it fast."""
    content, now = Campaign.objects.order_by("pk").first().content, timezone.now()
    compiled, slow = compile_mail(content), by_django(compile_mail(content))
    letter = _letter_of(compiled, now, 1)
    cost = _fastest(
        {
            "prepared_us": lambda number: mime.octets(_letter_of(compiled, now, number)),
            "pieces_us": lambda number: _pieces(compiled, now, number),
            "django_pieces_us": lambda number: _pieces(slow, now, number),
            "encoded_whole_us": lambda number: mime.octets(_unprepared(_letter_of(compiled, now, number))),
            "django_message_us": lambda number: _by_django(_letter_of(compiled, now, number)),
        },
        count,
    )
    sizes = {"html_kb": len(letter.mail.html.encode()) / 1000, "wire_kb": len(mime.octets(letter)) / 1000}
    return {"name": "mail_cost", **{name: round(size, 1) for name, size in sizes.items()}, **cost}


def by_django(compiled: CompiledMail) -> CompiledMail:
    """Return the mail with its pieces left to Django's own nodes."""
    return replace(compiled, html=_by_nodes(compiled.html), text=_by_nodes(compiled.text))


def _by_nodes(parts: Parts) -> Parts:
    return replace(parts, parts=tuple(map(_node_piece, parts.parts)))


def _node_piece(part):
    if isinstance(part, Stretch):
        return replace(part, parts=tuple(map(_node_piece, part.parts)))
    return replace(part, template=NodeTemplate(part.template.template)) if isinstance(part, Personal) else part


class NodeTemplate(PieceTemplate):
    def _quickly(self, *_args, **_options) -> None:
        return None


def _pieces(compiled: CompiledMail, now: datetime, number: int) -> tuple[str, str]:
    """Render without encoding."""
    values = _values_of(now, number)
    with translation.override(compiled.language):
        return compiled.html.join(values), compiled.text.join(values)


@lru_cache(maxsize=1)
def _sender() -> Sender:
    return settings.sender("news")


@lru_cache(maxsize=1000)
def _values_of(now: datetime, number: int) -> dict[str, object]:
    period = Period.for_slot("day", now)
    recipient = Recipient(key=f"user:{number}", address=f"reader{number}@bench.example", name=f"Zoë Reader {number}")
    links = Links(unsubscribe=f"https://publisher.example.org/lifecycle/unsubscribe/token-{number}/")
    return {"recipient": recipient, "data": {"page_views": pages_of(recipient.key, period)}, "links": links}


def _unprepared(letter: Letter) -> Letter:
    mail = letter.mail
    return replace(letter, mail=Mail.of(subject=mail.subject, html=mail.html, text=mail.text))


def _by_django(letter: Letter) -> bytes:
    from django.core.mail import EmailMultiAlternatives  # noqa: PLC0415 - what is compared

    message = EmailMultiAlternatives(letter.mail.subject, letter.mail.text, "news@example.org", [letter.address])
    message.attach_alternative(letter.mail.html, "text/html")
    return message.message().as_bytes()


def _fastest(ways: dict[str, Callable[[int], object]], count: int) -> dict[str, int]:
    """Return the CPU microseconds of a call of each: the least of twenty passes in turn, since others work here too."""
    passes: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(20):
        for name, way in ways.items():
            begun = time.thread_time()
            for number in range(1, count + 1):
                way(number)
            passes[name].append((time.thread_time() - begun) / count * 1e6)
    return {name: round(min(spent)) for name, spent in passes.items()}


def page_view_cost(count: int) -> dict[str, object]:
    now = timezone.now()
    spent = []
    for number in range(count):
        begun = time.perf_counter()
        page_views.count(number % 500 + 1, now)
        spent.append((time.perf_counter() - begun) * 1000)
    return {
        "name": "page_view", "calls": count, "median_ms": round(statistics.median(spent), 4),
        "p99_ms": round(statistics.quantiles(spent, n=100)[98], 4),
    }  # fmt: skip


def admin_pages(deliveries: int) -> list[dict[str, object]]:
    """Time the admin's pages over so many deliveries, made by SQL."""
    run = _fill(deliveries)
    get_user_model().objects.create_superuser("admin@bench.example", "x", name="Admin")
    client = Client()
    client.force_login(get_user_model().objects.get(email="admin@bench.example"))
    pages = {
        "admin_runs": reverse("lifecycle_runs:index"),
        "admin_run": reverse("lifecycle_runs:run", args=[run.pk]),
        "admin_run_failed": reverse("lifecycle_runs:run", args=[run.pk]) + "?status=failed",
        "admin_campaigns": reverse(Campaign.snippet_viewset.get_url_name("list")),
    }
    return [{"deliveries": Delivery.objects.count(), **_page(client, name, url)} for name, url in pages.items()]


def _page(client: Client, name: str, url: str) -> dict[str, object]:
    client.get(url)
    spent, queries = [], 0
    for _ in range(5):
        begun = time.perf_counter()
        with CaptureQueriesContext(connection) as captured:
            status = client.get(url).status_code
        spent.append((time.perf_counter() - begun) * 1000)
        queries = len(captured)
    return {"name": name, "status": status, "median_ms": round(statistics.median(spent), 1), "queries": queries}


def _fill(deliveries: int) -> Run:
    """Make runs of 100,000 deliveries each, with the total above."""
    campaign, run = Campaign.objects.order_by("pk").first(), None
    table = Delivery._meta.db_table
    now = timezone.now()
    while deliveries > 0:
        count = min(deliveries, ROWS_PER_RUN)
        slot = now - timedelta(days=400, minutes=deliveries // ROWS_PER_RUN)
        run = Run.objects.create(campaign=campaign, slot=slot, status=Run.Status.FINISHED, created_at=now,
                                 finished_at=now, totals={"sent": count})  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(ROWS.format(table=table), [run.pk, str(run.pk), str(run.pk), count])
        deliveries -= count
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {table}")
    return run
