from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import LoginView
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, TemplateView
from wagtail.admin.views.account import AccountView, NameEmailSettingsPanel

from demo_site.accounts.forms import SignUpForm
from demo_site.accounts.logins import LOGINS
from demo_site.accounts.wagtail_forms import PublisherAccountForm
from wagtail_lifecycle import verification
from wagtail_lifecycle.views.limits import may_ask, may_be_mailed
from wagtail_lifecycle.views.public import page


class LogIn(LoginView):
    template_name = "accounts/log_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return super().get_context_data(demo_logins=LOGINS if settings.DEMO else (), **kwargs)


@method_decorator(sensitive_post_parameters("password1", "password2"), name="dispatch")
class SignUp(FormView):
    """The answer is the same for everybody: nobody learns who is registered, and nobody is logged in by it."""

    template_name = "accounts/sign_up.html"
    form_class = SignUpForm
    success_url = reverse_lazy("login")

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect("/")
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        if not may_ask(self.request):
            return page(self.request, "verify_too_often", status=429)
        self._register(form)
        sentence = _(
            "Thank you, %(name)s. We have sent a mail to %(address)s if that is new to us or still to be confirmed: "
            "confirm it there. If you had an account before, it is as it was."
        )
        messages.success(
            self.request, sentence % {"name": form.cleaned_data["name"], "address": form.cleaned_data["email"]}
        )
        return super().form_valid(form)

    def _register(self, form: SignUpForm) -> None:
        """Make the account, or send the known one another mail; nobody is to see which."""
        address = form.cleaned_data["email"]
        may_go = may_be_mailed(address)
        if not form.is_known:
            try:
                # One transaction: without the account there is no mail either.
                with transaction.atomic():
                    form.save()
            except IntegrityError:
                # Somebody signed up with it at this moment.
                pass
            return
        # The time that hashing takes would tell as well.
        make_password(form.cleaned_data["password1"])
        if may_go:
            verification.ask_again(address)


class Account(LoginRequiredMixin, TemplateView):
    template_name = "accounts/account.html"


class PublisherNamePanel(NameEmailSettingsPanel):
    form_class = PublisherAccountForm


class PublisherAccountView(AccountView):
    """The Wagtail admin's account page for users who have one name."""

    def get_panels(self) -> list[object]:
        own = PublisherNamePanel(self.request, self.request.user, None)
        return [own if type(panel) is NameEmailSettingsPanel else panel for panel in super().get_panels()]
