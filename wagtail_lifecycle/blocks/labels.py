"""What people call the merge tags."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

#: Tags that any audience of users has; others are called by the last part of their path.
LABELS: Final[dict[str, str | Promise]] = {
    "recipient.first_name": _("First name"),
    "recipient.name": _("Full name"),
    "recipient.address": _("E-mail address"),
}


def label_of(path: str) -> str | Promise:
    """Return what people call the merge tag `path`."""
    return LABELS.get(path) or capfirst(path.rpartition(".")[2].replace("_", " "))
