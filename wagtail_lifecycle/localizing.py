"""What wagtail-localize, where a site has it, is to do with campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.apps import apps

if TYPE_CHECKING:
    from wagtail_lifecycle.models import Campaign

#: A translation is content only; the rest of it is that of its source.
TRANSLATED: Final = ("subject", "preheader", "body")


def teach_wagtail_localize(campaign: type[Campaign]) -> None:
    """Let wagtail-localize offer the words of a campaign for translation, and keep everything else in step.

    By itself it would translate every field of text, the names of the audience and of the event as well.
    """
    if apps.is_installed("wagtail_localize"):
        setattr(campaign, "translatable_fields", translatable_fields(campaign))  # noqa: B010 - its attribute, not ours


def translatable_fields(campaign: type[Campaign]) -> list[Any]:
    """Return the fields of a campaign as wagtail-localize wants them."""
    # Here and not above: few sites have it.
    from wagtail_localize.fields import (  # noqa: PLC0415
        SynchronizedField,
        TranslatableField,
        get_translatable_fields,
    )

    others = (field.field_name for field in get_translatable_fields(campaign))
    rest = [SynchronizedField(name, overridable=False) for name in others if name not in TRANSLATED]
    return [*map(TranslatableField, TRANSLATED), *rest]
