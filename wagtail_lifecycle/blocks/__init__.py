"""Blocks of a mail's body: the base class, the built-in ones, and the body that asks the registry."""

from wagtail_lifecycle.blocks.base import EmailBlock, EmailBodyBlock
from wagtail_lifecycle.blocks.columns import ColumnsBlock
from wagtail_lifecycle.blocks.content import (
    CallOutBlock,
    DividerBlock,
    HeadingBlock,
    QuoteBlock,
    RichTextBlock,
    SpacerBlock,
)
from wagtail_lifecycle.blocks.media import ButtonBlock, HeroBlock, ImageBlock, VerifyButtonBlock
from wagtail_lifecycle.blocks.pages import PageListBlock
from wagtail_lifecycle.blocks.reports import PageViewsBlock, SiteTotalsBlock
from wagtail_lifecycle.blocks.tables import TableBlock
from wagtail_lifecycle.blocks.why import WhyBlock

__all__ = [
    "ButtonBlock",
    "CallOutBlock",
    "ColumnsBlock",
    "DividerBlock",
    "EmailBlock",
    "EmailBodyBlock",
    "HeadingBlock",
    "HeroBlock",
    "ImageBlock",
    "PageListBlock",
    "PageViewsBlock",
    "QuoteBlock",
    "RichTextBlock",
    "SiteTotalsBlock",
    "SpacerBlock",
    "TableBlock",
    "VerifyButtonBlock",
    "WhyBlock",
]
