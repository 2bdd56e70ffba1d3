from wagtail.users.views.users import UserViewSet

from demo_site.accounts.wagtail_forms import PublisherUserCreationForm, PublisherUserEditForm


class PublisherUserViewSet(UserViewSet):
    template_prefix = "accounts/wagtail_users/"

    def get_form_class(self, for_update: bool = False) -> type:  # noqa: FBT001, FBT002 - Wagtail's signature
        return PublisherUserEditForm if for_update else PublisherUserCreationForm
