"""What a round asks of the database; each job runs in a process of its own, with a connection of its own."""

import random
from collections import Counter
from datetime import timedelta
from threading import Event

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone

from demo_site.celery import app
from tests.support.factories import make_campaign, make_topic
from wagtail_lifecycle import dispatch, schedules, tasks
from wagtail_lifecycle.dispatch import steering
from wagtail_lifecycle.models import Delivery, OptOut, Run, Suppression
from wagtail_lifecycle.models.people import hash_address

FIELDS = ("address", "status", "reason", "detail", "message_id", "attempts", "created_at", "finished_at")

#: Batches of one run at a time; each calls itself again while something is due.
TASKS = 3


def prepare(*, people: list[str], opted_out: list[str], suppressed: list[str], is_transactional: bool) -> int:
    """Make the people, a campaign and its run, and call the workers; answer the run's id."""
    # The tables are a copy; the queues are this round's own.
    schedules.sync_system_tasks()
    users, now = get_user_model(), timezone.now()
    users.objects.bulk_create([users(email=address, name="Reader", is_verified=True) for address in people])
    topic = None if is_transactional else make_topic()
    if topic is not None:
        OptOut.objects.bulk_create(
            [OptOut(topic=topic, address_hash=hash_address(address), created_at=now) for address in opted_out]
        )
    reason = Suppression.Reason.BOUNCED
    Suppression.objects.bulk_create(
        [Suppression(address_hash=hash_address(address), reason=reason, created_at=now) for address in suppressed]
    )
    # Its own next slot is half a day away.
    campaign = make_campaign(topic=topic, time_of_day=(now + timedelta(hours=12)).time().replace(microsecond=0))
    run = dispatch.open_run(campaign, now, now)
    call(run_id=run.pk)
    return run.pk


def call(*, run_id: int) -> int:
    """Have several workers send at once, as after a message that was delivered twice."""
    for _ in range(TASKS):
        tasks.enqueue_runs([run_id])
    return TASKS


def progress(*, run_id: int) -> dict:
    run = Run.objects.get(pk=run_id)
    statuses = Counter(Delivery.objects.filter(run=run_id).values_list("status", flat=True))
    return {"status": run.status, "reason": run.reason, "is_planned": run.planned_at is not None, "counts": statuses}


def facts(*, run_id: int) -> dict:
    """Everything that is judged."""
    run = Run.objects.get(pk=run_id)
    rows = list(Delivery.objects.filter(run=run_id).order_by("pk").values(*FIELDS))
    for row in rows:
        row["seconds"] = (row["finished_at"] - row["created_at"]).total_seconds() if row["finished_at"] else None
        del row["created_at"], row["finished_at"]
    return {"runs": Run.objects.count(), "status": run.status, "totals": run.totals, "rows": rows}


def opt_out(*, run_id: int, seed: int, count: int) -> int:
    """Let some opt out who have no mail yet."""
    run = Run.objects.select_related("campaign").get(pk=run_id)
    if run.campaign.topic_id is None:
        return 0
    waiting = Delivery.objects.filter(run=run_id, status__in=Delivery.DUE).values_list("address_hash", flat=True)
    hashes = list(waiting)
    chosen = random.Random(seed).sample(hashes, min(count, len(hashes)))
    rows = [OptOut(topic=run.campaign.topic, address_hash=h, created_at=timezone.now()) for h in chosen]
    return len(OptOut.objects.bulk_create(rows, ignore_conflicts=True))


def deactivate(*, run_id: int, seed: int, count: int) -> int:
    """Switch off some accounts that have no mail yet."""
    waiting = list(Delivery.objects.filter(run=run_id, status__in=Delivery.DUE).values_list("address", flat=True))
    chosen = random.Random(seed).sample(waiting, min(count, len(waiting)))
    return get_user_model().objects.filter(email__in=chosen).update(is_active=False)


def pause(*, run_id: int) -> int:
    run = Run.objects.get(pk=run_id)
    return steering.pause(run_id, user=None, now=timezone.now()) if run.status in Run.OPEN else 0


def resume(*, run_id: int) -> int:
    """Take back the pause of a person; what waits for its sender goes on by itself."""
    run = Run.objects.get(pk=run_id)
    if (run.status, run.reason) != (Run.Status.PAUSED, Run.Reason.PERSON):
        return 0
    # A sender at fault is not tried again while its only run is held; a person resumes both.
    if dispatch.senders.is_paused("news"):
        steering.resume_sender("news", user=None, now=timezone.now())
    count = steering.resume(run_id, user=None, now=timezone.now())
    tasks.enqueue_runs([run_id])
    return count


def hold_lock(*, seconds: float) -> int:
    """Let every other writer of SQLite wait."""
    with transaction.atomic():
        Run.objects.filter(pk=0).update(reason="")
        Event().wait(seconds)
    return 1


def answering(*, workers: list[str]) -> list[str]:
    """Tell which of the workers answer, as `celery inspect ping` does."""
    replies = app.control.ping(destination=workers, timeout=1.5, limit=len(workers))
    return [name for reply in replies for name in reply]


def migrate() -> int:
    from django.core.management import call_command  # noqa: PLC0415 - only the first round needs it

    call_command("migrate", verbosity=0)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return 1
