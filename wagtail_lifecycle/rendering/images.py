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


def rendition_spec(width: int, ratio: str = "") -> str:
    """Return Wagtail's filter for a picture `width` CSS pixels wide, cropped to `ratio` around its focal point."""
    across, colon, down = ratio.partition(":")
    if not (colon and across.isdecimal() and down.isdecimal() and int(across)):
        return f"width-{width * 2}"
    return f"fill-{width * 2}x{round(width * 2 * int(down) / int(across))}"


def mail_image(image: Any, *, width: int, ratio: str = "") -> MailImage | None:
    """Return a rendition of `image` at most `width` CSS pixels wide; None where the file is gone.

    `ratio`, such as "16:9", crops it around its focal point. None for SVG as well: mail programs do not show it, and
    Wagtail cannot turn it into pixels. Publishing refuses it.
    """
    if image is None or image.is_svg():
        return None
    try:
        rendition = image.get_rendition(rendition_spec(width, ratio))
    except (SourceImageIOError, OSError):
        logger.warning("image file missing", extra={"action": "render", "image_id": image.pk})
        return None
    shown = min(width, rendition.width)
    return MailImage(
        url=links.absolute(rendition.url), width=shown, height=round(rendition.height * shown / rendition.width)
    )
