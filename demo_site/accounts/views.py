from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import LoginView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, TemplateView
from wagtail.admin.views.account import AccountView, NameEmailSettingsPanel

from demo_site.accounts.forms import SignUpForm
from demo_site.accounts.logins import LOGINS
from demo_site.accounts.wagtail_forms import PublisherAccountForm


class LogIn(LoginView):
    template_name = "accounts/log_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return super().get_context_data(demo_logins=LOGINS if settings.DEMO else (), **kwargs)


@method_decorator(sensitive_post_parameters("password1", "password2"), name="dispatch")
class SignUp(FormView):
    template_name = "accounts/sign_up.html"
    form_class = SignUpForm
    success_url = "/"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect(self.success_url)
        return super().dispatch(request, *args, **kwargs)

    @method_decorator(transaction.atomic)
    def form_valid(self, form: SignUpForm) -> HttpResponse:
        # One transaction: without the account there is no mail either.
        user = form.save()
        login(self.request, user)
        sentence = _("Welcome to The Quick Publisher, %(name)s. We have sent a mail to %(address)s: confirm it there.")
        messages.success(self.request, sentence % {"name": user.get_short_name(), "address": user.email})
        return super().form_valid(form)


class Account(LoginRequiredMixin, TemplateView):
    template_name = "accounts/account.html"


class PublisherNamePanel(NameEmailSettingsPanel):
    form_class = PublisherAccountForm


class PublisherAccountView(AccountView):
    """The Wagtail admin's account page for users who have one name."""

    def get_panels(self) -> list[object]:
        own = PublisherNamePanel(self.request, self.request.user, None)
        return [own if type(panel) is NameEmailSettingsPanel else panel for panel in super().get_panels()]
