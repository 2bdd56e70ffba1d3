from wagtail.users.apps import WagtailUsersAppConfig


class PublisherUsersAppConfig(WagtailUsersAppConfig):
    user_viewset = "demo_site.accounts.viewsets.PublisherUserViewSet"
