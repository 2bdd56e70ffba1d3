"""Where blocks stand in the picker, and where the templates of the built-in ones are."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

TEXT = _("Text")
MEDIA = _("Pictures and buttons")
LAYOUT = _("Layout")
CONTENT = _("From the site")
REPORTS = _("Reports")


def template(name: str) -> str:
    return f"wagtail_lifecycle/blocks/{name}.mjml"
