"""Blocks that say something else to each recipient: they show what a data source loaded."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail import blocks as wagtail_blocks

from wagtail_lifecycle.blocks.base import EmailBlock
from wagtail_lifecycle.blocks.groups import REPORTS, template
from wagtail_lifecycle.registry import register_block


@register_block
class PageViewsBlock(EmailBlock):
    name = "page_views"

    heading = wagtail_blocks.CharBlock(label=_("Heading"), default=_("Views of your pages"), max_length=200)
    when_empty = wagtail_blocks.CharBlock(
        label=_("When nobody came"),
        default=_("Nobody has opened your pages in this period."),
        max_length=200,
        help_text=_("Shown instead of the table. A mail whose reports are all empty is not sent."),
    )

    class Meta:
        template = template("page_views")
        requires = ("page_views",)
        icon = "view"
        label = _("Views of your pages")
        group = REPORTS
        description = _("Each reader's own pages with their views, bars and the change against the period before.")
        preview_value = {"heading": "Views of your pages", "when_empty": ""}


@register_block
class SiteTotalsBlock(EmailBlock):
    name = "site_totals"

    heading = wagtail_blocks.CharBlock(label=_("Heading"), default=_("The site in numbers"), max_length=200)

    class Meta:
        template = template("site_totals")
        requires = ("site_totals",)
        icon = "history"
        label = _("The site in numbers")
        group = REPORTS
        description = _("Views, new pages and the most read pages of the whole site.")
        preview_value = {"heading": "The site in numbers"}
