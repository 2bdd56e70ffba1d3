"""Everything under one menu."""

from django.utils.translation import gettext_lazy as _
from wagtail.snippets.views.snippets import SnippetViewSetGroup

from wagtail_lifecycle.wagtail_admin.campaigns import ICON, CampaignViewSet
from wagtail_lifecycle.wagtail_admin.failures import FailureViewSet
from wagtail_lifecycle.wagtail_admin.runs import RunViewSet
from wagtail_lifecycle.wagtail_admin.topics import TopicViewSet


class LifecycleViewSetGroup(SnippetViewSetGroup):
    menu_label = _("Lifecycle")
    menu_name = "lifecycle"
    menu_icon = ICON
    menu_order = 250
    #: other apps may add items to the menu
    submenu_hook = "register_lifecycle_menu_item"
    items = (CampaignViewSet, RunViewSet, FailureViewSet, TopicViewSet)
