"""People as far as we must remember them: what they do not want, and who must not be mailed."""

from __future__ import annotations

import hashlib

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.translation import gettext_lazy as _

from wagtail_lifecycle.domains import ascii_address


def normalise_address(address: str) -> str:
    """Return `address` as we compare it: local part kept, domain in lower case and IDNA 2008.

    Raises ValueError where no mail can go: not an address, over 254 octets (RFC 5321 4.5.3.1) or a local part outside
    ASCII, which needs SMTPUTF8 (RFC 6531) at every hop.
    """
    try:
        normalised = ascii_address(address.strip())
        validate_email(normalised)
    except (ValueError, ValidationError) as error:
        raise ValueError("Not an address that mail can be sent to.") from error
    # A quoted local part may hold control characters, for RFC 5322 and for Django; no header may.
    local = normalised.rpartition("@")[0]
    if not normalised.isprintable() or len(normalised) > 254 or len(local) > 64:  # noqa: PLR2004
        raise ValueError("Not an address that mail can be sent to.")
    return normalised


def hash_address(address: str) -> str:
    """Return the SHA-256, in hex, of the normalised address: what tells people apart. Raises ValueError like it."""
    return hash_normalised(normalise_address(address))


def hash_normalised(address: str) -> str:
    """Return the same of an address that is normalised already."""
    return hashlib.sha256(address.encode()).hexdigest()


class Topic(models.Model):
    """What a recipient can opt out of."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    slug = models.SlugField(_("slug"), max_length=100, unique=True)
    description = models.CharField(
        _("description"),
        max_length=255,
        blank=True,
        help_text=_("One sentence that recipients read when they choose what they want to get."),
    )

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class OptOut(models.Model):
    """One address that does not want one topic, or anything (no topic)."""

    address_hash = models.CharField(max_length=64)
    topic = models.ForeignKey(Topic, null=True, blank=True, on_delete=models.CASCADE, related_name="opt_outs")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("opt-out")
        verbose_name_plural = _("opt-outs")
        constraints = [
            # Two constraints: SQLite does not know `nulls_distinct=False`.
            models.UniqueConstraint(fields=["address_hash", "topic"], name="lifecycle_one_opt_out"),
            models.UniqueConstraint(
                fields=["address_hash"], condition=models.Q(topic=None), name="lifecycle_one_opt_out_of_all"
            ),
        ]

    def __str__(self) -> str:
        # Not within the f-string: xgettext does not look there.
        everything = _("everything")
        return f"{self.address_hash[:8]}… · {self.topic or everything}"


class Suppression(models.Model):
    """An address that is not mailed, and why."""

    class Reason(models.TextChoices):
        BOUNCED = "bounced", _("Mail to it came back")
        COMPLAINED = "complained", _("Its owner reported our mail as spam")
        MANUAL = "manual", _("Suppressed by a person")

    address_hash = models.CharField(max_length=64, unique=True)
    reason = models.CharField(max_length=20, choices=Reason)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")

    def __str__(self) -> str:
        return f"{self.address_hash[:8]}… · {self.get_reason_display()}"
