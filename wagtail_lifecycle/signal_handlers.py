"""What Wagtail and Django tell us → what is to be brought into step.

Only publishing, unpublishing and deleting count: saving a draft fires `post_save` with draft values, and the
editor saves by itself every half second.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import ProtectedError
from django.db.models.signals import post_delete, post_migrate, post_save, pre_delete, pre_save
from wagtail.signals import published, unpublished

from wagtail_lifecycle import rehearsing, schedules, user_events
from wagtail_lifecycle.models import Campaign, Topic
from wagtail_lifecycle.models.versions import is_topic_used


def connect() -> None:
    """Wire the handlers."""
    published.connect(sync_campaign, sender=Campaign, dispatch_uid="wagtail_lifecycle.published")
    unpublished.connect(sync_campaign, sender=Campaign, dispatch_uid="wagtail_lifecycle.unpublished")
    post_delete.connect(forget_campaign, sender=Campaign, dispatch_uid="wagtail_lifecycle.deleted")
    users = get_user_model()
    pre_save.connect(before_user_save, sender=users, dispatch_uid="wagtail_lifecycle.before_user_save")
    post_save.connect(after_user_save, sender=users, dispatch_uid="wagtail_lifecycle.after_user_save")
    pre_delete.connect(keep_used_topic, sender=Topic, dispatch_uid="wagtail_lifecycle.topic")
    own = apps.get_app_config("wagtail_lifecycle")
    post_migrate.connect(sync_system_tasks, sender=own, dispatch_uid="wagtail_lifecycle.migrated")


def sync_campaign(instance: Campaign, **_kwargs: Any) -> None:
    if not instance.is_source:
        rehearsing.forget(instance)
    schedules.sync(instance.pk)


def forget_campaign(instance: Campaign, **_kwargs: Any) -> None:
    with transaction.atomic():
        schedules.sync(instance.pk)
        translations = Campaign.objects.filter(translation_key=instance.translation_key)
        # The first row was the campaign; without it the others are content of nothing.
        if not translations.filter(pk__lt=instance.pk).exists():
            for translation in translations:
                translation.delete()


def before_user_save(instance: Any, *, raw: bool, update_fields: frozenset[str] | None, **_kwargs: Any) -> None:
    user_events.before_save(instance, raw=raw, update_fields=update_fields)


def after_user_save(instance: Any, *, raw: bool, created: bool, **_kwargs: Any) -> None:
    user_events.after_save(instance, raw=raw, created=created)


def keep_used_topic(instance: Topic, **_kwargs: Any) -> None:
    """Do for versions of campaigns what PROTECT does for the campaigns themselves."""
    if is_topic_used([instance.pk]):
        raise ProtectedError(
            f"Topic {instance.pk} is named by a campaign, or by an earlier version of one. Keep it, or rename it.",
            {instance},
        )


def sync_system_tasks(using: str, **_kwargs: Any) -> None:
    schedules.sync_system_tasks(using)
