"""Blocks of a mail's body: the base class, the built-in ones, and the body that asks the registry."""

from wagtail_lifecycle.blocks.base import EmailBlock, EmailBodyBlock
from wagtail_lifecycle.blocks.content import (
    ButtonBlock,
    CallOutBlock,
    DividerBlock,
    HeadingBlock,
    ImageBlock,
    PageListBlock,
    RichTextBlock,
    SpacerBlock,
    VerifyButtonBlock,
)
from wagtail_lifecycle.blocks.reports import PageViewsBlock, SiteTotalsBlock

__all__ = [
    "ButtonBlock",
    "CallOutBlock",
    "DividerBlock",
    "EmailBlock",
    "EmailBodyBlock",
    "HeadingBlock",
    "ImageBlock",
    "PageListBlock",
    "PageViewsBlock",
    "RichTextBlock",
    "SiteTotalsBlock",
    "SpacerBlock",
    "VerifyButtonBlock",
]
