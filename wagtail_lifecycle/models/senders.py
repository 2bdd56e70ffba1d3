"""What we remember of the senders that the site owner has configured."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class SenderState(models.Model):
    """Whether a sender works, and how much of its rate is used where there is no Redis."""

    class Reason(models.TextChoices):
        AUTHENTICATION = "authentication", _("The mail server does not accept the log-in.")
        REJECTED = "rejected", _("The mail server rejects the sender.")
        ENCRYPTION = "encryption", _("The encrypted connection to the mail server fails.")
        UNREACHABLE = "unreachable", _("The mail server cannot be reached.")
        PERSON = "person", _("A person paused it.")

    #: key in WAGTAIL_LIFECYCLE_SENDERS
    key = models.CharField(_("sender"), max_length=50, unique=True)
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    #: what the server said, with addresses masked
    detail = models.CharField(max_length=500, blank=True)
    paused_at = models.DateTimeField(_("paused"), null=True)
    #: when one mail is tried to see whether it works again; null while a person keeps it paused
    probe_at = models.DateTimeField(null=True)
    probes = models.PositiveIntegerField(default=0)
    #: messages that may go at once, and when that was computed
    tokens = models.FloatField(default=0)
    refilled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("state of a sender")
        verbose_name_plural = _("states of senders")

    def __str__(self) -> str:
        return self.key

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None


class ConnectionLease(models.Model):
    """One of the connections a sender may have at once, where there is no Redis to count them."""

    #: key in WAGTAIL_LIFECYCLE_SENDERS
    sender = models.CharField(max_length=50)
    #: 0 to `max_connections` - 1
    number = models.PositiveSmallIntegerField()
    #: who has it; empty when nobody does
    token = models.CharField(max_length=32, blank=True)
    #: a worker that dies gives nothing back; by the database's clock
    expires_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("connection of a sender")
        verbose_name_plural = _("connections of senders")
        constraints = [models.UniqueConstraint(fields=["sender", "number"], name="lifecycle_one_lease_per_connection")]

    def __str__(self) -> str:
        return f"{self.sender} {self.number}"
