"""Where a block leads: a page of the site or an address."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, URLValidator
from django.utils.translation import gettext_lazy as _
from wagtail import blocks as wagtail_blocks

_TELEPHONE = re.compile(r"tel:\+?[\d().\- ]{3,}")


def validate_link(value: str) -> None:
    """Raise ValidationError unless `value` is an http, https, mailto or tel address: nothing else leaves in a mail."""
    scheme, _colon, rest = value.partition(":")
    try:
        if scheme.lower() == "mailto":
            EmailValidator()(rest.partition("?")[0])
        elif not _TELEPHONE.fullmatch(value):
            URLValidator(schemes=["http", "https"])(value)
    except ValidationError as error:
        raise ValidationError(
            _("“%(value)s” does not work in a mail. Start with https://, http://, mailto: or tel:."),
            code="invalid",
            params={"value": value},
        ) from error


class LinkStructBlock(wagtail_blocks.StructBlock):
    """Fields of a block that leads somewhere: a page or an address. Subclasses may leave both empty."""

    page = wagtail_blocks.PageChooserBlock(required=False, label=_("Page"))
    url = wagtail_blocks.CharBlock(
        required=False,
        label=_("or address"),
        help_text=_("Starts with https://, http://, mailto: or tel:."),
        validators=[validate_link],
    )

    #: whether a page or an address must be given
    link_required = False

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        both_or_none = bool(cleaned.get("page")) == bool(cleaned.get("url"))
        neither = not cleaned.get("page") and not cleaned.get("url")
        if self.is_deferred_validation or not both_or_none or (neither and not self.link_required):
            return cleaned
        raise wagtail_blocks.StructBlockValidationError(
            block_errors={"url": ValidationError(_("Choose a page or type an address, one of the two."))}
        )
