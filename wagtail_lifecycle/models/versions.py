"""What versions of campaigns refer to, published or not."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from wagtail.models import Revision

from wagtail_lifecycle.models.campaigns import Campaign


def revisions_of(campaign_ids: Iterable[int]) -> QuerySet[Revision]:
    """Return every version, published or not, of the campaigns."""
    content_type = ContentType.objects.get_for_model(Campaign)
    ids = [str(pk) for pk in campaign_ids]
    versions: QuerySet[Revision] = Revision.objects.filter(base_content_type=content_type, object_id__in=ids)
    return versions


def is_topic_used(topic_ids: Iterable[int]) -> bool:
    """Tell whether a campaign, or an earlier version of one, is about one of the topics."""
    ids = list(topic_ids)
    content_type = ContentType.objects.get_for_model(Campaign)
    # A version whose topic is gone cannot be made a campaign again, nor sent by a run that has pinned it.
    versions = Revision.objects.filter(base_content_type=content_type, content__topic__in=ids)
    return bool(ids) and (Campaign.objects.filter(topic__in=ids).exists() or versions.exists())
