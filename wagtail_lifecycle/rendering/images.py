"""Images as mails show them: absolute renditions, twice as wide as shown, for dense screens."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from wagtail.images.models import SourceImageIOError

from wagtail_lifecycle import links

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class MailImage:
    """One rendition."""

    #: absolute
    url: str
    #: CSS pixels
    width: int
    height: int


def mail_image(image: Any, *, width: int) -> MailImage | None:
    """Return a rendition of `image` at most `width` CSS pixels wide; None where the file is gone.

    None for SVG as well: mail programs do not show it, and Wagtail cannot turn it into pixels. Publishing refuses it.
    """
    if image is None or image.is_svg():
        return None
    try:
        rendition = image.get_rendition(f"width-{width * 2}")
    except (SourceImageIOError, OSError):
        logger.warning("image file missing", extra={"action": "render", "image_id": image.pk})
        return None
    shown = min(width, rendition.width)
    return MailImage(
        url=links.absolute(rendition.url), width=shown, height=round(rendition.height * shown / rendition.width)
    )
