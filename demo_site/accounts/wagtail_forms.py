"""The forms of the Wagtail admin for users who have one name and no user name."""

from wagtail.admin.forms.account import NameEmailForm
from wagtail.users.forms import UserCreationForm, UserEditForm


class PublisherUserCreationForm(UserCreationForm):
    first_name = None
    last_name = None

    class Meta(UserCreationForm.Meta):
        fields = ["email", "name", "is_verified", "is_superuser", "groups"]


class PublisherUserEditForm(UserEditForm):
    first_name = None
    last_name = None

    class Meta(UserEditForm.Meta):
        fields = ["email", "name", "is_verified", "is_active", "is_superuser", "groups"]


class PublisherAccountForm(NameEmailForm):
    first_name = None
    last_name = None

    class Meta(NameEmailForm.Meta):
        fields = ["name", "email"]
