"""Wiring: what Wagtail finds of us."""

from django.apps import apps
from wagtail import hooks
from wagtail.snippets.models import register_snippet

from wagtail_lifecycle.middleware import remember_page
from wagtail_lifecycle.wagtail_admin import (
    access,
    access_groups,
    access_views,
    audit,
    branding,
    campaigns,
    merge_tags,
    preflight,
    preview_readers,
    resuming,
    runs,
    test_mails,
)
from wagtail_lifecycle.wagtail_admin.menu import LifecycleViewSetGroup

#: After the hooks of sites and of Wagtail, which refuse pages that somebody may not see.
LAST = 1000

access.register()
register_snippet(LifecycleViewSetGroup)
if apps.is_installed("wagtail.contrib.settings"):
    branding.register()

hooks.register("register_rich_text_features", merge_tags.register)
hooks.register("register_permissions", runs.view_permissions)
hooks.register("register_group_permission_panel", access_groups.permission_panel)
hooks.register("construct_snippet_action_menu", access_views.offer_publishing)
hooks.register("register_log_actions", resuming.register_log_actions)
hooks.register("register_log_actions", audit.register_log_actions)
hooks.register("register_log_actions", preview_readers.register_log_actions)
hooks.register("register_log_actions", test_mails.register_log_actions)
hooks.register("register_log_actions", preflight.register_log_actions)
hooks.register("before_delete_snippet", campaigns.refuse_to_delete)
hooks.register("on_serve_page", remember_page, order=LAST)
