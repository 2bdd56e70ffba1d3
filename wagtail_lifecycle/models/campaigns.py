"""Campaigns: what an editor writes, and what the machinery remembers about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from modelcluster.models import ClusterableModel
from wagtail.models import (
    DraftStateMixin,
    Locale,
    LockableMixin,
    PreviewableMixin,
    RevisionMixin,
    Site,
    TranslatableMixin,
    WorkflowMixin,
)
from wagtail.search import index

from wagtail_lifecycle import rendering
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.fields import EmailBodyField
from wagtail_lifecycle.models.branding import brand_of
from wagtail_lifecycle.models.people import Topic

LAST_DAY = -1


def sender_choices() -> list[tuple[str, str]]:
    return [(sender.key, sender.label) for sender in settings.senders.values()]


class Campaign(
    PreviewableMixin,
    WorkflowMixin,
    DraftStateMixin,
    LockableMixin,
    RevisionMixin,
    TranslatableMixin,
    index.Indexed,
    ClusterableModel,
):
    """Content, trigger, audience and rules of one lifecycle mail. `live` means active.

    The first row of a translation key *is* the campaign: it has the schedule, the audience and the runs. Its
    translations are content only.
    """

    class Frequency(models.TextChoices):
        MINUTES = "minutes", _("Every few minutes")
        HOURS = "hours", _("Every few hours")
        DAILY = "daily", _("Every day")
        WEEKDAYS = "weekdays", _("Every weekday (Monday to Friday)")
        WEEKLY = "weekly", _("Every week")
        MONTHLY = "monthly", _("Every month")
        ONCE = "once", _("Once, at a date and time")
        NOW = "now", _("Now: once, a minute after publishing")

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule", _("On a schedule")
        EVENT = "event", _("When something happens to a person")

    class PeriodKind(models.TextChoices):
        DAY = "day", _("The day before")
        WEEK = "week", _("The week before (Monday to Sunday)")
        MONTH = "month", _("The month before")
        TODAY = "today", _("Today so far")

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    name = models.CharField(_("name"), max_length=200, help_text=_("Only editors see it."))
    site = models.ForeignKey(
        Site,
        verbose_name=_("site"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Whose branding the mail has, and whose editors may change it. Empty means the default site."),
    )

    subject = models.CharField(_("subject"), max_length=200, blank=True)
    preheader = models.CharField(
        _("preheader"),
        max_length=200,
        blank=True,
        help_text=_("The grey line that inboxes show after the subject."),
    )
    sender = models.CharField(_("sender"), max_length=50, blank=True, choices=sender_choices)
    body = EmailBodyField(verbose_name=_("body"), blank=True)

    audience = models.CharField(_("audience"), max_length=150, blank=True)
    topic = models.ForeignKey(
        Topic,
        verbose_name=_("topic"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="campaigns",
        help_text=_("What people can opt out of."),
    )
    is_transactional = models.BooleanField(
        _("transactional"),
        default=False,
        help_text=_(
            "The mail belongs to something the person did, such as signing up. It has no topic, nobody can opt out of "
            "it, and it also goes to people who have stopped all other mail."
        ),
    )

    trigger = models.CharField(_("starts"), max_length=10, choices=Trigger, default=Trigger.SCHEDULE)
    event = models.CharField(_("event"), max_length=100, blank=True)
    delay = models.DurationField(
        _("delay"), default=timedelta(0), help_text=_("How long after the event the mail goes.")
    )

    frequency = models.CharField(_("when"), max_length=10, choices=Frequency, default=Frequency.DAILY)
    every = models.PositiveSmallIntegerField(
        _("every"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1440)],
        help_text=_("For “every few minutes” and “every few hours”: how many."),
    )
    time_of_day = models.TimeField(_("time of day"), null=True, blank=True)
    weekday = models.PositiveSmallIntegerField(_("day of the week"), choices=Weekday, default=Weekday.MONDAY)
    month_day = models.SmallIntegerField(
        _("day of the month"),
        default=1,
        choices=[*((day, str(day)) for day in range(1, 32)), (LAST_DAY, _("last day"))],
        help_text=_("29 to 31 mean the last day in shorter months."),
    )
    date = models.DateField(_("date"), null=True, blank=True, help_text=_("For “once”."))
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, help_text=_("Empty means the site's own time zone.")
    )
    late_within = models.DurationField(
        _("late within"),
        default=timedelta(hours=1),
        help_text=_("If it could not be sent on time, it is still sent this long afterwards, then skipped."),
    )
    period = models.CharField(_("period of reports"), max_length=10, choices=PeriodKind, default=PeriodKind.DAY)

    search_fields = [
        index.SearchField("name"),
        index.SearchField("subject"),
        index.AutocompleteField("name"),
        index.AutocompleteField("subject"),
        index.FilterField("id"),
        index.FilterField("live"),
        index.FilterField("frequency"),
        index.FilterField("audience"),
        index.FilterField("locale_id"),
        index.FilterField("topic"),
    ]

    class Meta(TranslatableMixin.Meta):
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["name"]
        permissions = [
            ("send_test_campaign", "Can send tests of campaigns"),
            ("preview_people_campaign", "Can see the mails of real people in previews"),
        ]

    def __str__(self) -> str:
        # The editor saves drafts before they have a name.
        return self.name or gettext("Campaign without a name")

    @property
    def source(self) -> Campaign:
        """The first row of the translation key: the campaign itself."""
        rows = Campaign.objects.filter(translation_key=self.translation_key)
        return rows.order_by("pk").first() or self

    @property
    def home(self) -> Site | None:
        """The site whose mail it is: its source's, or else the default one; None where Wagtail has no default."""
        return self.source.site or Site.objects.filter(is_default_site=True).first()

    @property
    def is_source(self) -> bool:
        return bool(self.source.pk == self.pk)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone) if self.time_zone else settings.time_zone

    @property
    def is_on_event(self) -> bool:
        return bool(self.trigger == self.Trigger.EVENT)

    def with_content_json(self, content: dict[str, Any]) -> Campaign:
        """Return a version of the campaign. Where the site it was for is gone, it is for the one of the row."""
        site = content.get("site")
        if site and site != self.site_id and not Site.objects.filter(pk=site).exists():
            content = {**content, "site": self.site_id}
        version: Campaign = super().with_content_json(content)
        return version

    def copy_for_translation(self, locale: Locale, exclude_fields: Iterable[str] | None = None) -> Campaign:
        """Return an unsaved translation, a draft: it is not live before somebody publishes its own words."""
        translation: Campaign = super().copy_for_translation(locale, exclude_fields=exclude_fields)
        translation.live, translation.has_unpublished_changes = False, True
        translation.live_revision = translation.latest_revision = None
        return translation

    def duplicate(self) -> Campaign:
        """Return an unsaved draft with the same content and rules: a campaign of its own, which never ran."""
        latest, source = self.get_latest_revision_as_object(), self.source
        machinery = {
            field.name for mixin in (DraftStateMixin, LockableMixin, RevisionMixin) for field in mixin._meta.fields
        }
        names = {field.name for field in self._meta.concrete_fields} - machinery - {"id", "translation_key"}
        copied = Campaign(**{name: getattr(latest, name) for name in names}, live=False)
        copied.site = source.site
        copied.name = (gettext("%(name)s (copy)") % {"name": latest})[:200]
        return copied

    @property
    def language(self) -> str:
        """The code of the language it is written in."""
        # A campaign that was never saved has no locale yet, but a preview.
        return str((self.locale if self.locale_id else Locale.get_default()).language_code)

    @property
    def content(self) -> rendering.Content:
        """What `rendering` needs to know of the campaign, as a frozen value."""
        return rendering.Content(
            campaign_id=self.pk or 0,
            subject=self.subject,
            preheader=self.preheader,
            body=self.body,
            language=self.language,
            sender=self.sender,
            audience=self.audience,
            topic=self.topic.name if self.topic else "",
            period=self.period,
            brand=brand_of(self.home),
        )

    preview_modes = [("html", _("HTML")), ("dark", _("HTML, dark")), ("text", _("Text"))]
    default_preview_mode = "html"
    #: the first is shown first; mails are 600 pixels wide where there is room
    preview_sizes = [
        {"name": "mobile", "icon": "mobile-alt", "device_width": 375, "label": _("Preview in phone width")},
        {"name": "desktop", "icon": "desktop", "device_width": 760, "label": _("Preview in computer width")},
    ]

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        # The admin's views know who looks, and whose mail they want to see.
        show = getattr(request, "lifecycle_preview", None)
        page = show(mode_name) if show else rendering.preview(self.content, mode=mode_name)
        return rendering.preview_response(page)


class CampaignState(models.Model):
    """What changes while a campaign runs; apart, because publishing writes the revision's stale copy back."""

    class Pause(models.TextChoices):
        NONE = "", _("not paused")
        DISABLED_IN_BEAT = "disabled_in_beat", _("paused: disabled in the periodic tasks")
        PREFLIGHT = "preflight", _("paused: some mails cannot be made, or would be cut")

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="state")
    #: last change of the schedule, activation or resume: no older slot ever runs
    changed_at = models.DateTimeField()
    #: the schedule that `changed_at` is about
    fingerprint = models.CharField(max_length=255, blank=True)
    next_slot = models.DateTimeField(_("next run"), null=True)
    pause_reason = models.CharField(max_length=20, choices=Pause, default="", blank=True)
    #: why a published campaign cannot be sent, for people
    problem = models.TextField(blank=True)

    class Meta:
        verbose_name = _("state of a campaign")
        verbose_name_plural = _("states of campaigns")

    def __str__(self) -> str:
        return f"{self.campaign_id}"
