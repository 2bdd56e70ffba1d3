"""Checks of how and to whom it goes: sender, audience, schedule, machinery."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from wagtail_lifecycle import links
from wagtail_lifecycle.models import Campaign, Run, SenderState
from wagtail_lifecycle.preflight.base import BLOCKER, Check, Fault
from wagtail_lifecycle.registry import register_check
from wagtail_lifecycle.rendering import compile_mail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from wagtail_lifecycle.preflight.flights import Circumstances, Flight

#: Runs that tell how large an audience usually is.
RUNS: Final = 5
#: Fewer people come and go by chance.
FEW: Final = 20
#: Beat writes down what it did every three minutes.
SILENCE: Final = timedelta(minutes=10)
NOBODY_READS: Final = ("noreply", "no-reply", "donotreply", "do-not-reply")


@register_check
class Sendable(Check):
    name = "sendable"
    severity = BLOCKER
    passed = gettext_lazy("Everything that a mail needs is there.")
    remedy = gettext_lazy("The sentence says what is missing.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        for problem in flight.problems:
            yield Fault(problem.message, field=problem.field)


@register_check
class Scheduled(Check):
    name = "schedule_never"
    severity = BLOCKER
    field = "frequency"
    is_of_content = False
    passed = gettext_lazy("The schedule has a next run.")
    remedy = gettext_lazy("Choose a date and time in the future, and fill in what the schedule needs.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        problem = flight.circumstances.schedule_problem if flight.circumstances else None
        if problem:
            yield Fault(problem.message, field=problem.field)


@register_check
class Expiring(Check):
    name = "schedule_expires"
    field = "expire_at"
    is_of_content = False
    passed = gettext_lazy("The campaign is still live when it goes.")
    remedy = gettext_lazy("Let the campaign expire later, or never.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        slot = flight.circumstances.next_slot if flight.circumstances else None
        expires = flight.campaign.expire_at
        if slot and expires and expires < slot:
            yield Fault(_("The campaign expires before its first run, so nothing will go."))


@register_check
class PostalAddress(Check):
    name = "postal_address"
    field = "sender"
    is_of_content = False
    passed = gettext_lazy("The foot says who sends the mail, as the law asks.")
    remedy = gettext_lazy("Give the site's branding or the sender a postal address.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        sender = flight.sender
        if flight.is_bulk and sender and not (flight.content.brand.postal_address or sender.postal_address):
            yield Fault(_("There is no postal address at the foot; many countries ask for one in bulk mail."))


@register_check
class SenderDomain(Check):
    name = "sender_domain"
    field = "sender"
    is_of_content = False
    passed = gettext_lazy("The mail comes from the domain that its links lead to.")
    remedy = gettext_lazy("Choose a sender of the site's own domain; mail servers trust it more.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        host = urlsplit(links.base_url()).hostname or ""
        domain = flight.sender.domain.lower() if flight.sender else ""
        if domain and _is_public(host) and not _are_related(domain, host):
            sentence = _("The mail comes from %(domain)s, but its links lead to %(host)s.")
            yield Fault(sentence % {"domain": domain, "host": host})


def _is_public(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host
    return False


def _are_related(a: str, b: str) -> bool:
    """Tell whether two hosts share their last two labels: enough to warn by, no more than that."""
    return a.split(".")[-2:] == b.split(".")[-2:]


@register_check
class NobodyReads(Check):
    name = "sender_noreply"
    field = "sender"
    is_of_content = False
    passed = gettext_lazy("Somebody reads the answers.")
    remedy = gettext_lazy("Choose a sender whose answers somebody reads, or give this one a reply-to address.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        sender = flight.sender
        if sender and not sender.reply_to and sender.address.lower().startswith(NOBODY_READS):
            yield Fault(_("Nobody reads answers to %(address)s.") % {"address": sender.address})


@register_check
class SenderPaused(Check):
    name = "sender_paused"
    field = ""
    is_of_content = False
    is_to_accept = False
    passed = gettext_lazy("The sender works.")
    remedy = gettext_lazy("“Failed mails” says why it is paused, and has a button to resume it.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        if flight.sender and SenderState.objects.filter(key=flight.sender.key, paused_at__isnull=False).exists():
            yield Fault(_("The sender is paused: nothing goes before it works again."))


@register_check
class AudienceEmpty(Check):
    name = "audience_empty"
    field = "audience"
    is_of_content = False
    passed = gettext_lazy("There are people in the audience.")
    remedy = gettext_lazy("Choose another audience, or publish all the same where people will still join this one.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        # Who an event happens to joins the audience by it.
        if flight.audience_size == 0 and not flight.campaign.is_on_event:
            yield Fault(_("Nobody belongs to the audience at the moment."))


@register_check
class AudienceUnusual(Check):
    name = "audience_unusual"
    field = "audience"
    is_of_content = False
    passed = gettext_lazy("The audience has its usual size.")
    remedy = gettext_lazy("See that the audience is the one you mean.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        now, before = flight.audience_size, _usual_size(flight.campaign)
        if not now or before is None or abs(now - before) < FEW or before / 2 <= now <= before * 2:
            return
        sentence = ngettext(
            "%(now)d person belongs to the audience; usually it is about %(before)d.",
            "%(now)d people belong to the audience; usually it is about %(before)d.",
            now,
        )
        yield Fault(sentence % {"now": now, "before": before})


def _usual_size(campaign: Campaign) -> int | None:
    """Return how many people the last runs were planned for; None where there was none, or it waits for an event."""
    if campaign.pk is None or campaign.is_on_event:
        return None
    runs = Run.objects.filter(campaign=campaign.pk, status=Run.Status.FINISHED).order_by("-slot")[:RUNS]
    sizes = [sum(run.totals.values()) for run in runs if run.totals]
    return round(median(sizes)) if sizes else None


@register_check
class TranslationBroken(Check):
    name = "translation_broken"
    is_of_content = False
    passed = gettext_lazy("Every live translation can be sent.")
    remedy = gettext_lazy("Open the translation, put it right and publish it.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        campaign = flight.campaign
        others = Campaign.objects.filter(translation_key=campaign.translation_key, live=True).exclude(pk=campaign.pk)
        for other in others.select_related("locale"):
            try:
                compile_mail(other.content.ruled_by(flight.content))
            # Blocks are the site's own code, and may raise anything.
            except Exception:  # noqa: BLE001
                sentence = _("The translation into %(language)s cannot be sent; its readers get this text instead.")
                yield Fault(sentence % {"language": other.locale.get_display_name()})


# -- The machinery: passes by itself, so nobody accepts it -------------------------------------------------------


def _is_silent(seen: datetime | None, now: datetime) -> bool:
    return seen is None or seen < now - SILENCE


def _nothing_was_recovered(flight: Flight) -> Circumstances | None:
    around = flight.circumstances
    return around if around and _is_silent(around.worker_seen, flight.now) else None


@register_check
class BeatUnseen(Check):
    name = "beat_unseen"
    field = ""
    is_of_content = False
    is_to_accept = False
    passed = gettext_lazy("Somebody watches the clock.")
    remedy = gettext_lazy("Start Celery's beat, or run lifecycle_tick by cron.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        around = _nothing_was_recovered(flight)
        if around and _is_silent(around.beat_seen, flight.now):
            yield Fault(_("Beat has not been seen for ten minutes: nothing goes before it runs."))


@register_check
class WorkerUnseen(Check):
    name = "worker_unseen"
    field = ""
    is_of_content = False
    is_to_accept = False
    passed = gettext_lazy("The workers work.")
    remedy = gettext_lazy("Start a Celery worker that takes the queues of the package.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        around = _nothing_was_recovered(flight)
        if around and not _is_silent(around.beat_seen, flight.now):
            yield Fault(_("No worker has been seen for ten minutes: nothing goes before one runs."))
