"""People who use the admin, and what their browsers post."""

from typing import Any

from bs4 import BeautifulSoup
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from wagtail.test.utils.form_data import nested_form_data, rich_text, streamfield

from tests.support.factories import make_user
from wagtail_lifecycle.models import Campaign

WRITES = ("add_campaign", "change_campaign", "view_campaign")
#: codenames by role
ROLES = {
    "stranger": (),
    "visitor": ("access_admin",),
    "editor": ("access_admin", *WRITES, "view_topic", "view_run"),
    "moderator": (
        *("access_admin", *WRITES, "delete_campaign", "publish_campaign", "lock_campaign", "unlock_campaign"),
        *("view_topic", "add_topic", "change_topic", "delete_topic", "view_run", "view_delivery"),
        *("steer_run", "send_test_campaign", "preview_people_campaign"),
    ),
}


def logged_in(role: str) -> Client:
    """Return a client logged in as somebody with the permissions of `role`."""
    user = make_user()
    apps = ["wagtailadmin", "wagtail_lifecycle"]
    user.user_permissions.set(Permission.objects.filter(content_type__app_label__in=apps, codename__in=ROLES[role]))
    client = Client()
    client.force_login(user)
    return client


def words(response: Any, selector: str = "main") -> list[str]:
    """Return what people read in each element that the selector finds."""
    soup = BeautifulSoup(response.content, "html.parser")
    return [" ".join(each.get_text(" ").split()) for each in soup.select(selector)]


def url(name: str, *args: Any) -> str:
    return reverse(Campaign.snippet_viewset.get_url_name(name), args=args)


HEADING = ("heading", {"text": "Good morning", "size": "large"})


def text(html: str) -> tuple[str, Any]:
    return ("rich_text", {"text": rich_text(f"<p>{html}</p>", features=["bold", "link", "merge-tag"])})


def form_data(*blocks: tuple[str, Any], action: str = "", **fields: Any) -> dict[str, str]:
    """Return what the editor posts: a campaign that can be sent, unless a field says otherwise."""
    values: dict[str, Any] = {
        "name": "Monthly report",
        "subject": "Your month in numbers",
        "preheader": "Views, new posts and what was read most.",
        "sender": "news",
        "audience": "active_users",
        "topic": "",
        "is_transactional": "on",
        "trigger": "schedule",
        "event": "",
        "delay": "0",
        "frequency": "monthly",
        "every": "1",
        "time_of_day": "08:00",
        "weekday": "0",
        "month_day": "1",
        "date": "",
        "time_zone": "Europe/Paris",
        "late_within": "3600",
        "period": "month",
        "body": streamfield([_always_shown(block) for block in blocks or [HEADING]]),
    }
    data = nested_form_data({**values, **fields})
    return {**data, **({f"action-{action}": "1"} if action else {})}


def _always_shown(block: tuple[str, Any]) -> tuple[str, Any]:
    name, value = block
    return name, {"show_only_if": "always", **value}
