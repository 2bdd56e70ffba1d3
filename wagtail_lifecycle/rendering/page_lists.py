"""Pages as lists show them, however many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from wagtail.images import get_image_model
from wagtail.images.models import AbstractImage

from wagtail_lifecycle.rendering.images import MailImage, mail_image, rendition_spec

#: CSS pixels of a picture in a list, and its shape
PICTURE_WIDTH: Final = 96
PICTURE_RATIO: Final = "3:2"
MAX_SUMMARY: Final = 200


@dataclass(frozen=True)
class ListedPage:
    """A page of a list that somebody chose."""

    title: str
    #: absolute
    url: str
    summary: str
    picture: MailImage | None


def summary_of(page: Any) -> str:
    """Return the description that the page has for search engines, not too long."""
    text = " ".join((page.search_description or "").split())
    return text if len(text) <= MAX_SUMMARY else f"{text[: MAX_SUMMARY - 1].rstrip()}…"


def pictures_of(pages: Iterable[Any]) -> dict[int, MailImage]:
    """Return the picture of each page that has one, by primary key.

    It is the first picture field of the page's type. A query for each type that has such a field, and three for all
    the pictures.
    """
    by_page = dict(_picture_ids(pages))
    if not by_page:
        return {}
    images = get_image_model().objects.filter(pk__in=set(by_page.values()))
    found = images.prefetch_renditions(rendition_spec(PICTURE_WIDTH, PICTURE_RATIO)).in_bulk()
    shown = {pk: mail_image(image, width=PICTURE_WIDTH, ratio=PICTURE_RATIO) for pk, image in found.items()}
    return {page: picture for page, image in by_page.items() if (picture := shown.get(image))}


def _picture_ids(pages: Iterable[Any]) -> Iterable[tuple[int, int]]:
    by_type: dict[Any, list[int]] = defaultdict(list)
    for page in pages:
        by_type[page.specific_class].append(page.pk)
    for model, pks in by_type.items():
        if field := _picture_field(model):
            chosen = model.objects.filter(pk__in=pks, **{f"{field}__isnull": False})
            yield from chosen.values_list("pk", f"{field}_id")


def _picture_field(model: Any) -> str:
    # A type whose code is gone has no class.
    fields = model._meta.concrete_fields if model else ()
    related = ((field.name, field.related_model) for field in fields if field.is_relation)
    return next((name for name, other in related if isinstance(other, type) and issubclass(other, AbstractImage)), "")
