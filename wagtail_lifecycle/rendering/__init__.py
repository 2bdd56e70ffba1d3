"""Frozen content + recipient + data → mail. Knows no model of ours.

A mail is compiled once per revision and locale: the blocks' MJML becomes HTML in which markers stand for what differs
per person. Personalising renders only those pieces, so MJML never sees a name and no template engine ever sees what an
editor typed.
"""

from wagtail_lifecycle.rendering.brand import Brand, Palette
from wagtail_lifecycle.rendering.compiling import CompiledMail, compile_mail
from wagtail_lifecycle.rendering.content import Content, Links, Mail, Octets
from wagtail_lifecycle.rendering.merge_tags import find_merge_tags
from wagtail_lifecycle.rendering.preview import (
    PREVIEW_POLICY,
    Read,
    Reading,
    inert_links,
    preview,
    preview_block,
    preview_response,
    read_example,
    read_nobody,
)

__all__ = [
    "PREVIEW_POLICY",
    "Brand",
    "CompiledMail",
    "Content",
    "Links",
    "Mail",
    "Octets",
    "Palette",
    "Read",
    "Reading",
    "compile_mail",
    "find_merge_tags",
    "inert_links",
    "preview",
    "preview_block",
    "preview_response",
    "read_example",
    "read_nobody",
]
