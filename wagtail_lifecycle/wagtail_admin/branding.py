"""The branding of mails among Wagtail's settings of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList, TabbedInterface
from wagtail.admin.staticfiles import versioned_static
from wagtail.contrib.settings.registry import register_setting

from wagtail_lifecycle.models import Branding

if TYPE_CHECKING:
    from wagtail.admin.panels import Panel

ICON: Final = "mail"
#: What stands beside each other.
ROWS: Final = (("page", "card"), ("text", "quiet"), ("accent", "on_accent"), ("line",))


class BrandingForm(WagtailAdminModelForm):
    """Says at each field, in a sentence, what people could not read. The preview shows it all the same."""

    class Media:
        css = {"all": [versioned_static("wagtail_lifecycle/css/branding.css")]}

    def _post_clean(self) -> None:
        # Here, not in clean(): only now has the branding its new values.
        super()._post_clean()
        if self.is_deferred_validation:
            return
        for field, sentence in self.instance.problems():
            if not self.has_error(field):
                self.add_error(field, sentence)


def _colours(scheme: str, heading: Any) -> Panel:
    rows = [FieldRowPanel([FieldPanel(f"{scheme}_{name}") for name in row]) for row in ROWS]
    return ObjectList(rows, heading=heading)


edit_handler = TabbedInterface(
    [
        ObjectList(
            [
                MultiFieldPanel(
                    [FieldPanel("logo"), FieldPanel("logo_alt"), FieldPanel("logo_width")],
                    heading=_("Logo"),
                    icon="image",
                ),
                FieldPanel("fonts"),
                FieldPanel("header"),
                FieldPanel("footer"),
                FieldPanel("postal_address", widget=forms.Textarea(attrs={"rows": 3})),
            ],
            heading=_("Logo and words"),
        ),
        _colours("light", _("Light colours")),
        _colours("dark", _("Dark colours")),
    ],
    base_form_class=BrandingForm,
)


def register() -> None:
    """Put the form into the settings menu, and who may use it into the form of groups."""
    Branding.edit_handler = edit_handler
    register_setting(Branding, icon=ICON)
