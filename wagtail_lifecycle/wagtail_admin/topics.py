"""Topics in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, TitleFieldPanel
from wagtail.admin.ui.tables import NumberColumn
from wagtail.snippets.views.snippets import SnippetViewSet

from wagtail_lifecycle.models import Topic
from wagtail_lifecycle.wagtail_admin.access_views import PickingChooserViewSet

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class TopicViewSet(SnippetViewSet):
    model = Topic
    icon = "tag"
    menu_label = _("Topics")
    menu_name = "lifecycle-topics"
    panels = [
        TitleFieldPanel("name", targets=["slug"], placeholder=False),
        FieldPanel("slug"),
        FieldPanel("description"),
    ]
    #: a copy would be another topic that nobody has opted out of
    copy_view_enabled = False
    chooser_viewset_class = PickingChooserViewSet
    list_display = [
        "name",
        "slug",
        "description",
        NumberColumn("campaign_count", label=_("Campaigns"), sort_key="campaign_count"),
    ]
    ordering = "name"
    search_fields = ["name", "slug", "description"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Topic]:  # noqa: ARG002 - Wagtail's signature
        return Topic.objects.annotate(campaign_count=Count("campaigns"))
