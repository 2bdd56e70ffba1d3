"""Pages that do not exist, for previews."""

from __future__ import annotations

from django.utils.translation import gettext as _

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.data_sources.views import PageRow, change

#: views now and before
EXAMPLE_VIEWS = ((412, 355), (187, 203), (96, 0))


def example_titles() -> list[str]:
    return [
        _("The fox that learned to read"),
        _("What a lazy dog knows about rest"),
        _("Nine jumps worth taking"),
    ]


def example_url() -> str:
    return f"{settings.base_url or 'https://example.org'}/"


def example_rows() -> tuple[PageRow, ...]:
    most = EXAMPLE_VIEWS[0][0]
    return tuple(
        PageRow(title, example_url(), views, previous, change(views, previous), round(views * 100 / most))
        for title, (views, previous) in zip(example_titles(), EXAMPLE_VIEWS, strict=True)
    )
