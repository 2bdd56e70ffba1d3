from django.contrib.auth.forms import BaseUserCreationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from demo_site.accounts.models import User


class SignUpForm(BaseUserCreationForm):
    """A new account: nobody has shown yet that the address is theirs, so it is not verified."""

    class Meta:
        model = User
        fields = ["name", "email"]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        self.fields["name"].widget.attrs |= {"autocomplete": "name", "autofocus": True}
        self.fields["email"].widget.attrs |= {"autocomplete": "email"}
        self.fields["email"].widget.attrs.pop("autofocus", None)

    def clean_email(self) -> str:
        email = User.objects.normalize_email(self.cleaned_data["email"])
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError(
                _("There is already an account with this e-mail address. Log in instead."), code="unique"
            )
        return email
