"""Pausing, resuming, cancelling and repeating: asked about where it cannot be undone, done on POST only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.views.generic import View
from wagtail.admin.utils import get_valid_next_url_from_request
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from wagtail_lifecycle import tasks
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.dispatch import senders, steering
from wagtail_lifecycle.exceptions import LifecycleError
from wagtail_lifecycle.models import Campaign, Delivery, Run
from wagtail_lifecycle.wagtail_admin import audit, failure_groups, sender_states
from wagtail_lifecycle.wagtail_admin.actions import ACTIONS, Action
from wagtail_lifecycle.wagtail_admin.balances import Balance, balances_of
from wagtail_lifecycle.wagtail_admin.buttons import may_steer, may_steer_senders
from wagtail_lifecycle.wagtail_admin.run_list import slot_in_words

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

#: Runs steered in one request.
BOUND: Final = 500


class SteeringView(WagtailAdminTemplateMixin, View):
    """For those who may steer: what comes of it is one message, and the way back."""

    http_method_names = ["post"]
    header_icon = "warning"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        if not self.is_allowed():
            raise PermissionDenied

    def is_allowed(self) -> bool:
        """Tell whether this person may do it to this."""
        return may_steer_senders(self.request.user)

    @property
    def back_url(self) -> str:
        return reverse("lifecycle_failures:index")

    def perform(self) -> str:
        """Do it, and return a sentence about it."""
        raise NotImplementedError

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        try:
            messages.success(request, self.perform())
        except LifecycleError as error:
            messages.error(request, str(error))
        return redirect(get_valid_next_url_from_request(request) or self.back_url)


class ConfirmedView(SteeringView):
    """Asks on GET where it cannot be undone."""

    #: slug of what to do
    action = ""
    template_name = "wagtail_lifecycle/admin/confirm.html"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        if self.todo.question:
            self.http_method_names = ["get", "post"]

    @property
    def todo(self) -> Action:
        return ACTIONS[self.action]

    @property
    def expected(self) -> int | None:
        """How many mails it is about; None where there is nothing to do any more."""
        raise NotImplementedError

    @cached_property
    def left_out(self) -> int:
        """How many of these stay as they are all the same."""
        raise NotImplementedError

    def get(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        expected = self.expected
        if expected is None:
            messages.warning(request, gettext("That is not possible any more. This is how it stands now."))
            return redirect(self.back_url)
        if 0 < expected <= self.left_out:
            messages.warning(request, self.todo.sentence(0, self.left_out))
            return redirect(self.back_url)
        context = self.get_context_data(
            todo=self.todo,
            question=self.todo.question % {"count": expected - self.left_out},
            left_out=self.todo.left_out_told % {"count": self.left_out} if self.left_out else "",
            back_url=get_valid_next_url_from_request(request) or self.back_url,
        )
        page: HttpResponse = self.render_to_response(context)
        return page

    def get_page_title(self) -> str:
        return str(self.todo.label)

    def act(self, run: Run, **options: Any) -> int:
        """Do it to one run, write down who did, and have the mails sent."""
        user = self.request.user
        count: int = self.todo.act(run.pk, user=user, now=timezone.now(), **options)
        if count or self.todo.counts_nothing:
            audit.log_run(run, self.todo, count=count, user=user)
            tasks.enqueue_runs([run.pk] if self.todo.sends else [])
        return count


class RunActionView(ConfirmedView):
    """Does it to one run."""

    @cached_property
    def run(self) -> Run:
        runs = Run.objects.select_related("campaign").defer("campaign__body")
        return get_object_or_404(runs, pk=self.kwargs["pk"])

    def is_allowed(self) -> bool:
        return may_steer(self.request.user, self.run)

    @cached_property
    def balance(self) -> Balance:
        return balances_of([self.run])[self.run.pk]

    @property
    def expected(self) -> int | None:
        return self.todo.expected(self.balance) if self.todo.fits(self.run, self.balance) else None

    @cached_property
    def left_out(self) -> int:
        return self.todo.left_out(self.run.pk, now=timezone.now())

    @property
    def back_url(self) -> str:
        return reverse("lifecycle_runs:run", args=[self.run.pk])

    def perform(self) -> str:
        count = self.act(self.run)
        return self.todo.held(self.run) or self.todo.sentence(count, self.left_out)

    def get_page_subtitle(self) -> str:
        return str(self.run.campaign.name)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        runs = {"url": reverse("lifecycle_runs:index"), "label": gettext("Runs")}
        run = {"url": self.back_url, "label": str(self.run.campaign.name)}
        return [*self.breadcrumbs_items, runs, run, {"url": "", "label": self.get_page_title()}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        facts = [(gettext("Campaign"), self.run.campaign.name), (gettext("Planned for"), slot_in_words(self.run))]
        context: dict[str, Any] = super().get_context_data(facts=facts, **kwargs)
        return context


class GroupActionView(ConfirmedView):
    """Does it to all mails of a campaign that have one reason, in the runs that the screen of failed mails counts."""

    @cached_property
    def campaign(self) -> Campaign:
        campaign: Campaign = get_object_or_404(Campaign.objects.defer("body"), pk=self.kwargs["campaign"])
        return campaign

    def is_allowed(self) -> bool:
        return may_steer(self.request.user, Run(campaign=self.campaign))

    @cached_property
    def reason(self) -> Delivery.Reason:
        try:
            return Delivery.Reason(self.kwargs["reason"])
        except ValueError:
            raise Http404 from None

    @cached_property
    def rows(self) -> Any:
        return failure_groups.rows(timezone.now()).filter(
            status__in=self.todo.about, run__campaign=self.campaign, reason=self.reason
        )

    @property
    def expected(self) -> int | None:
        return self.rows.exclude(run__reason=Run.Reason.BROKEN).count() or None

    @cached_property
    def runs(self) -> list[Run]:
        runs = Run.objects.filter(pk__in=self.rows.order_by().values("run")).exclude(reason=Run.Reason.BROKEN)
        return list(runs.select_related("campaign").defer("campaign__body").order_by("-slot", "-pk")[:BOUND])

    @cached_property
    def left_out(self) -> int:
        now = timezone.now()
        return sum(self.todo.left_out(run.pk, now=now, reason=self.reason.value) for run in self.runs)

    def perform(self) -> str:
        runs, left_out = self.runs, self.left_out
        return self.todo.sentence(sum(self.act(run, reason=self.reason.value) for run in runs), left_out)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        failures = {"url": reverse("lifecycle_failures:index"), "label": gettext("Failed mails")}
        return [*self.breadcrumbs_items, failures, {"url": "", "label": self.get_page_title()}]

    def get_page_subtitle(self) -> str:
        return str(self.campaign.name)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        facts = [(gettext("Campaign"), self.campaign.name), (gettext("Why"), self.reason.label)]
        context: dict[str, Any] = super().get_context_data(facts=facts, **kwargs)
        return context


class PauseSenderView(SteeringView):
    def perform(self) -> str:
        key, user = self.kwargs["key"], self.request.user
        sender = {"sender": sender_states.label_of(key)}
        if not steering.pause_sender(key, user=user, now=timezone.now()):
            return gettext("The sender “%(sender)s” was paused already.") % sender
        audit.log_sender(key, audit.PAUSE_SENDER, count=0, user=user)
        return gettext("The sender “%(sender)s” is paused: nothing goes from it until somebody resumes it.") % sender


class ResumeSenderView(SteeringView):
    def perform(self) -> str:
        key, user = self.kwargs["key"], self.request.user
        settings.sender(key)
        waiting = [run_id for run_id, sender in senders.waiting_runs() if sender == key]
        was_paused = senders.is_paused(key)
        count = steering.resume_sender(key, user=user, now=timezone.now())
        tasks.enqueue_runs(waiting)
        if was_paused:
            audit.log_sender(key, audit.RESUME_SENDER, count=count, user=user)
        sentence = ngettext(
            "The sender “%(sender)s” works again, and %(count)d run goes on.",
            "The sender “%(sender)s” works again, and %(count)d runs go on.",
            count,
        )
        return sentence % {"sender": sender_states.label_of(key), "count": count}
