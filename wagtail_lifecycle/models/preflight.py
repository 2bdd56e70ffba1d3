"""What was found before a campaign went live: warnings that somebody accepted, and mails that were made for nobody."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.models import Revision

from wagtail_lifecycle.models.campaigns import Campaign


class Acceptance(models.Model):
    """Somebody has seen these warnings about this content, and publishes it all the same."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="acceptances")
    #: what `preflight.content_key` says of the content: any change asks again
    content_key = models.CharField(max_length=64)
    #: names of checks
    codes = models.JSONField(default=list)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    accepted_at = models.DateTimeField()

    class Meta:
        verbose_name = _("acceptance of warnings")
        verbose_name_plural = _("acceptances of warnings")
        ordering = ["-accepted_at"]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {', '.join(self.codes)}"


class Rehearsal(models.Model):
    """The mails of one version, made for the whole audience and sent to nobody. Counts only, no people."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="rehearsals")
    #: the version of the campaign that is live; its translations are made as well
    revision = models.OneToOneField(Revision, on_delete=models.CASCADE, related_name="+")
    #: of the audience, after the last person looked at
    cursor = models.CharField(max_length=150, blank=True)
    #: how often somebody has begun with the page after the cursor: a mail may kill its worker
    tries = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    #: people whose mail was made, who have nothing to report, and who get none for another reason
    made = models.PositiveIntegerField(default=0)
    empty = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0)
    #: octets of the largest HTML part, and mails of which Gmail would cut the end
    largest = models.PositiveIntegerField(default=0)
    too_large = models.PositiveIntegerField(default=0)
    #: people for whom no mail could be made, by the kind of error: {"ValueError": 3}
    errors = models.JSONField(default=dict)
    #: people without a value, by merge tag without fallback: {"recipient.name": 12}
    missing = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("rehearsal")
        verbose_name_plural = _("rehearsals")

    def __str__(self) -> str:
        return f"{self.campaign_id} · {self.revision_id}"

    @property
    def failed(self) -> int:
        """How many people no mail could be made for."""
        return sum(self.errors.values())

    @property
    def is_blocking(self) -> bool:
        """Whether somebody would get no mail, or one that is cut."""
        return bool(self.errors or self.too_large)


class Heartbeat(models.Model):
    """When a process of ours was last seen."""

    #: "recover": what beat asks a worker to do every minute, or cron does
    name = models.CharField(max_length=50, unique=True)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return f"{self.name} · {self.seen_at:%Y-%m-%d %H:%M} UTC"
