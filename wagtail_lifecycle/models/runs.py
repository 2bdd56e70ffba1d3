"""Runs and deliveries: what was sent to whom, or why not. Only `dispatch` writes here."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from wagtail.models import Locale, Revision

from wagtail_lifecycle.models.campaigns import Campaign


class Run(models.Model):
    """One execution of a campaign for one slot."""

    class Status(models.TextChoices):
        PREPARING = "preparing", _("preparing")
        SENDING = "sending", _("sending")
        PAUSED = "paused", _("paused")
        FINISHED = "finished", _("finished")
        CANCELLED = "cancelled", _("cancelled")
        SKIPPED = "skipped", _("skipped")

    class Reason(models.TextChoices):
        MISSED = "missed", _("Nothing ran at that time, and it was too late afterwards.")
        PERSON = "person", _("A person did it.")
        SENDER = "sender", _("The sender cannot send at the moment.")
        BREAKER = "breaker", _("Too many mails failed.")
        BROKEN = "broken", _("The campaign could not be turned into a mail.")

    OPEN = (Status.PREPARING, Status.SENDING, Status.PAUSED)

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="runs")
    slot = models.DateTimeField(_("slot"), help_text=_("The instant the run is for."))
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.PREPARING)
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    #: at least once, for verification mails and the like; bulk campaigns are at most once
    is_transactional = models.BooleanField(default=False)
    #: the period reports cover, in days of the site's zone; `period_end` is the day after the last
    period_start = models.DateField(null=True)
    period_end = models.DateField(null=True)
    #: the audience's cursor after the last planned member, a primary key or a recipient's key, so that planning
    #: continues after a crash
    plan_cursor = models.CharField(max_length=150, blank=True)
    #: the first of several missed slots, and how many there were, where the run stands for all of them
    missed_from = models.DateTimeField(null=True)
    missed_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(_("created"))
    #: when everybody of the audience had a row
    planned_at = models.DateTimeField(null=True)
    #: when a person last let it go on: what failed before no longer counts
    resumed_at = models.DateTimeField(null=True)
    #: null for a cancelled run some of whose deliveries have not been cancelled yet
    finished_at = models.DateTimeField(_("finished"), null=True)
    #: deliveries by status, written when the run finishes: {"sent": 12, "skipped": 3}
    totals = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-slot", "-pk"]
        permissions = [("steer_run", "Can pause, resume, cancel and repeat runs")]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "slot"], name="lifecycle_one_run_per_slot"),
            models.CheckConstraint(
                condition=Q(status__in=["preparing", "sending", "paused", "finished", "cancelled", "skipped"]),
                name="lifecycle_run_status",
            ),
        ]
        indexes = [
            models.Index(
                fields=["status"],
                condition=Q(status__in=["preparing", "sending", "paused"]),
                name="lifecycle_open_runs",
            )
        ]

    def __str__(self) -> str:
        return f"{self.campaign} · {self.slot:%Y-%m-%d %H:%M} UTC"


class RunContent(models.Model):
    """The revision of one locale that a run sends, pinned so that edits touch only the next run."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="contents")
    locale = models.ForeignKey(Locale, on_delete=models.PROTECT, related_name="+")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "locale"], name="lifecycle_one_content_per_locale")]

    def __str__(self) -> str:
        return f"{self.run} · {self.locale}"


class Delivery(models.Model):
    """One matched person in one run: what happened, or why nothing did."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        CLAIMED = "claimed", _("being prepared")
        SENDING = "sending", _("being sent")
        DEFERRED = "deferred", _("waiting to be tried again")
        SENT = "sent", _("accepted by the mail server")
        FAILED = "failed", _("failed")
        SKIPPED = "skipped", _("left out")
        CANCELLED = "cancelled", _("cancelled")
        UNCERTAIN = "uncertain", _("uncertain")

    class Reason(models.TextChoices):
        NO_ADDRESS = "no_address", _("There is no valid address.")
        DUPLICATE = "duplicate", _("Somebody else of this run has the same address.")
        OPTED_OUT = "opted_out", _("Opted out of the topic.")
        SUPPRESSED = "suppressed", _("The address is suppressed.")
        GONE = "gone", _("Does not exist, or does not belong to the audience, any more.")
        EMPTY = "empty", _("There was nothing to report.")
        EXPIRED = "expired", _("It could not be sent for so long that it is of no use any more.")
        REFUSED = "refused", _("The mail server refused the recipient or the mail.")
        TEMPORARY = "temporary", _("The mail server asked to try again later.")
        UNREACHABLE = "unreachable", _("The mail server could not be reached.")
        RENDER_ERROR = "render_error", _("The mail could not be rendered for this person.")
        SITE_CODE = "site_code", _("The site's own code for the audience or its data failed.")
        POISON = "poison", _("The worker died several times while it prepared this mail.")
        LOST_REPLY = "lost_reply", _("The mail went out, but the server's answer was lost: it may have arrived.")

    #: still to be decided
    OPEN = (Status.QUEUED, Status.CLAIMED, Status.SENDING, Status.DEFERRED)
    #: may be claimed
    DUE = (Status.QUEUED, Status.DEFERRED)

    # Three changes of status per mail write to every index: none here that another one makes up for.
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    recipient_key = models.CharField(_("recipient"), max_length=150)
    #: SHA-256 of the normalised address; where there is none, of the recipient key
    address_hash = models.CharField(max_length=64)
    address = models.CharField(_("address"), max_length=320, blank=True)
    language = models.CharField(_("language"), max_length=100, blank=True)
    #: the campaign, and what makes the event one, for mail about an event; empty for a scheduled run
    campaign = models.ForeignKey(Campaign, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    event_key = models.CharField(max_length=150, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.QUEUED)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason, blank=True)
    #: what the server said, or the error, with addresses masked
    detail = models.CharField(max_length=500, blank=True)
    message_id = models.CharField("Message-ID", max_length=255)
    claims = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    #: what PostgreSQL forgets in a crash: whether commits since the intent can be relied on
    crash_epoch = models.CharField(max_length=32, blank=True)
    #: connections that share the group, so how many of its rows may have been under way
    lines = models.PositiveSmallIntegerField(default=1)
    #: the Date header, the same on every attempt
    dated_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text=_("Not before this instant."))
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "address_hash", "event_key"], name="lifecycle_one_delivery_per_person"
            ),
            models.UniqueConstraint(
                fields=["campaign", "address_hash", "event_key"],
                condition=~Q(event_key=""),
                name="lifecycle_one_delivery_per_event",
            ),
            # Not `unique` on the field, nor `db_index` above: on PostgreSQL those make a second index for LIKE.
            models.UniqueConstraint(fields=["message_id"], name="lifecycle_one_delivery_per_message"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "queued",
                        "claimed",
                        "sending",
                        "deferred",
                        "sent",
                        "failed",
                        "skipped",
                        "cancelled",
                        "uncertain",
                    ]
                ),
                name="lifecycle_delivery_status",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["claimed", "sending"]) | Q(token__isnull=False, lease_until__isnull=False),
                name="lifecycle_claims_have_a_lease",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["failed", "skipped", "uncertain"]) | ~Q(reason=""),
                name="lifecycle_ends_have_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["run", "id"], condition=Q(status__in=["queued", "deferred"]), name="lifecycle_due_deliveries"
            ),
            models.Index(
                fields=["lease_until"], condition=Q(status__in=["claimed", "sending"]), name="lifecycle_leases"
            ),
            # With the key, so that the page of a run lists its mails without reading those of all others.
            models.Index(fields=["run", "status", "id"], name="lifecycle_run_mails"),
            models.Index(fields=["address_hash"], name="lifecycle_mailboxes"),
            models.Index(fields=["campaign"], condition=Q(campaign__isnull=False), name="lifecycle_of_campaign"),
        ]

    def __str__(self) -> str:
        return f"{self.recipient_key} · {self.status}"
