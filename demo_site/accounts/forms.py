from django.contrib.auth.forms import BaseUserCreationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from demo_site.accounts.models import User
from wagtail_lifecycle.models.people import normalise_address


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

    @property
    def is_known(self) -> bool:
        """Whether there is an account with this address."""
        return User.objects.filter(email__iexact=self.cleaned_data["email"]).exists()

    def clean_email(self) -> str:
        email = User.objects.normalize_email(self.cleaned_data["email"])
        try:
            normalise_address(email)
        except ValueError as error:
            raise ValidationError(_("Enter a valid email address."), code="invalid") from error
        return email

    def _get_validation_exclusions(self) -> set[str]:
        # Who is registered is nobody's business: the view answers the same, and the database has the last word.
        return {*super()._get_validation_exclusions(), "email"}
