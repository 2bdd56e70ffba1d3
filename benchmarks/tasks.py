"""What the Celery workers do: ours, and what tutorials show."""

from datetime import datetime

from celery import shared_task
from django.contrib.auth import get_user_model
from django.core.mail import send_mail
from django.utils import timezone
from django.utils.html import strip_tags

from benchmarks import mail
from wagtail_lifecycle import dispatch
from wagtail_lifecycle.data_sources import Period
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.tasks import enqueue_runs


@shared_task
def open_and_send(campaign_id: int, slot: str) -> None:
    """Do what `tick` does when a slot is due."""
    run = dispatch.open_run(Campaign.objects.get(pk=campaign_id), datetime.fromisoformat(slot), timezone.now())
    enqueue_runs([run.pk], side_by_side=True)


@shared_task
def tutorial_loop(count: int) -> None:
    for user in mail.first_people(count):
        send_one(user)


@shared_task
def tutorial_user(user_id: int) -> None:
    send_one(get_user_model().objects.get(pk=user_id))


@shared_task
def tutorial_task_per_user(count: int) -> None:
    for user_id in mail.first_people(count).values_list("pk", flat=True):
        tutorial_user.delay(user_id)


def send_one(user) -> None:
    html, _text = mail.templates()
    message = html.render(mail.context_of(user, Period.for_slot("day", timezone.now())))
    send_mail(f"{user.name}: views of your pages", strip_tags(message), None, [user.email], html_message=message)
