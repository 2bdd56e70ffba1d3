"""Sending a test of a campaign, as it was last saved, to oneself or to somebody the site has named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.log_actions import log

from wagtail_lifecycle import test_mails
from wagtail_lifecycle.exceptions import LifecycleError
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.transport import Verdict
from wagtail_lifecycle.wagtail_admin.access import may
from wagtail_lifecycle.wagtail_admin.buttons import SEND_TEST
from wagtail_lifecycle.wagtail_admin.preview_readers import label_of
from wagtail_lifecycle.wagtail_admin.previews import person_shown

if TYPE_CHECKING:
    from django.http import HttpResponse

    from wagtail_lifecycle.audiences import Recipient
    from wagtail_lifecycle.transport import Outcome

ACTION: Final = "wagtail_lifecycle.test_mail"
#: the key of nobody
EXAMPLE: Final = ""


class TestMailForm(forms.Form):
    address = forms.ChoiceField(label=_("To"), widget=forms.RadioSelect)
    person = forms.ChoiceField(
        label=_("As"),
        widget=forms.RadioSelect,
        required=False,
        help_text=_("Whose name and numbers the mail shows. Choose the person in the preview."),
    )

    def __init__(self, *args: Any, addresses: list[str], recipient: Recipient | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.recipient = recipient
        self._offer("address", [(address, address) for address in addresses])
        if recipient is None:
            del self.fields["person"]
            return
        self._offer("person", [(recipient.key, label_of(recipient)), (EXAMPLE, gettext("An example reader"))])

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = cast("forms.ChoiceField", self.fields[name])
        field.choices = choices
        field.initial = choices[0][0] if choices else ""

    @property
    def chosen(self) -> Recipient | None:
        """Who the mail is to be rendered for; None for the example person."""
        return self.recipient if self.recipient and self.cleaned_data.get("person") == self.recipient.key else None


# Django's class takes type arguments in its stubs only.
class TestMailView(WagtailAdminTemplateMixin, FormView):  # type: ignore[type-arg]
    """Asks where to, sends at once, and says what the mail server answered."""

    form_class = TestMailForm
    template_name = "wagtail_lifecycle/admin/test_mail.html"
    page_title = _("Send a test")
    header_icon = "mail"

    def setup(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        if not may(request.user, SEND_TEST, self.campaign):
            raise PermissionDenied

    @cached_property
    def campaign(self) -> Campaign:
        saved: Campaign = get_object_or_404(Campaign, pk=self.kwargs["pk"])
        latest: Campaign = saved.get_latest_revision_as_object()
        return latest

    @property
    def edit_url(self) -> str:
        return reverse(Campaign.snippet_viewset.get_url_name("edit"), args=[self.campaign.pk])

    def get_page_subtitle(self) -> str:
        return str(self.campaign)

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [
            *super().get_breadcrumbs_items(),
            {"url": reverse(Campaign.snippet_viewset.get_url_name("list")), "label": gettext("Campaigns")},
            {"url": self.edit_url, "label": str(self.campaign)},
            {"url": "", "label": gettext("Send a test"), "sublabel": self.get_page_subtitle()},
        ]

    def get_form_kwargs(self) -> dict[str, Any]:
        addresses = test_mails.addresses_for(self.request.user)
        return {
            **super().get_form_kwargs(),
            "addresses": addresses,
            "recipient": person_shown(self.campaign, self.request),
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = {"campaign": self.campaign, "edit_url": self.edit_url, **kwargs}
        return super().get_context_data(**context)

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            outcome = self._send(form)
        except LifecycleError as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        if outcome.verdict is not Verdict.ACCEPTED:
            form.add_error(None, _refusal(outcome))
            return self.form_invalid(form)
        sentence = gettext("The test is on its way to %(address)s: the mail server has accepted it.")
        messages.success(self.request, sentence % {"address": form.cleaned_data["address"]})
        return redirect(self.edit_url)

    def _send(self, form: Any) -> Outcome:
        user, recipient = self.request.user, form.chosen
        outcome = test_mails.send_test(
            self.campaign, form.cleaned_data["address"], user=user, recipient=recipient, now=timezone.now()
        )
        # Whose data was shown, by their key; no address.
        data = {"person": recipient.key if recipient else "", "verdict": outcome.verdict.value}
        log(instance=self.campaign, action=ACTION, user=user, data=data)
        return outcome


def _refusal(outcome: Outcome) -> str:
    answer = outcome.detail or outcome.verdict.value
    if outcome.verdict is Verdict.UNCERTAIN:
        sentence = gettext("Nobody can say whether the test arrived; the mail server answered: %(answer)s")
    else:
        sentence = gettext("The test was not sent; the mail server answered: %(answer)s")
    return sentence % {"answer": answer}


def register_log_actions(actions: Any) -> None:
    """Name what the audit log shows."""
    actions.register_action(ACTION, _("Send a test"), _("Sent a test mail"))
