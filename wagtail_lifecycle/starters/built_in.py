"""The starters that every site has."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING, Final

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.registry import register_starter
from wagtail_lifecycle.rendering.rich_text import FALLBACK_ATTRIBUTE, MERGE_TAG_ATTRIBUTE
from wagtail_lifecycle.starters.base import Starter

if TYPE_CHECKING:
    from django.utils.safestring import SafeString
    from wagtail.models import Site

    from wagtail_lifecycle.starters.base import Block

DAY: Final = timedelta(days=1)
#: Stands for the merge tag; no text holds it.
PLACE: Final = "\0"


@register_starter
class ViewsDigest(Starter):
    name = "views_digest"
    label = gettext_lazy("Your page views of yesterday")
    description = gettext_lazy("Tells every author each morning how often their own pages were opened the day before.")
    subject = gettext_lazy("{{ recipient.first_name | Good morning }}, these are your views of yesterday")
    preheader = gettext_lazy("How many people read you, page by page.")
    audiences = ("page_authors",)
    topics = ("reports", "digest", "news")
    fields = {
        "frequency": Campaign.Frequency.DAILY,
        "time_of_day": time(7),
        "late_within": timedelta(hours=6),
        "period": Campaign.PeriodKind.DAY,
    }

    def body(self, site: Site | None) -> list[Block]:
        return [
            heading(_("Who read you yesterday")),
            greeting(_("Good morning %(name)s,"), _("this is how often your pages were opened.")),
            page_views(_("Your pages yesterday")),
            ("divider", {}),
            text(_("Robots, and people who edit the site, are not counted.")),
            *button(_("Go to the site"), site),
        ]


@register_starter
class MonthlyReport(Starter):
    name = "monthly_report"
    label = gettext_lazy("Monthly report")
    description = gettext_lazy("Sums up the last month on its first day after: views, new pages, what was read most.")
    subject = gettext_lazy("{{ recipient.first_name | Hello }}, this was last month")
    preheader = gettext_lazy("Views, new pages and what was read most.")
    audiences = ("group_members", "active_users")
    topics = ("reports", "news")
    fields = {
        "frequency": Campaign.Frequency.MONTHLY,
        "month_day": 1,
        "time_of_day": time(8),
        "late_within": DAY,
        "period": Campaign.PeriodKind.MONTH,
    }

    def body(self, site: Site | None) -> list[Block]:
        return [
            heading(_("The month in numbers")),
            greeting(_("Dear %(name)s,"), _("this is what happened on the site last month.")),
            ("site_totals", {"heading": _("The site in numbers")}),
            ("page_list", {"heading": _("New last month"), "choice": "recent", "pages": []}),
            ("page_list", {"heading": _("Read most last month"), "choice": "popular", "pages": []}),
            *button(_("See what is new"), site),
        ]


@register_starter
class Reminder(Starter):
    name = "reminder"
    label = gettext_lazy("Reminder to verify an address")
    description = gettext_lazy("Asks every Monday those who have an account but have not verified their address.")
    subject = gettext_lazy("{{ recipient.first_name | Hello }}, is this still your address?")
    preheader = gettext_lazy("One step is missing before your account is complete.")
    audiences = ("unverified_users",)
    topics = ("reminders", "account")
    fields = {
        "frequency": Campaign.Frequency.WEEKLY,
        "weekday": Campaign.Weekday.MONDAY,
        "time_of_day": time(9),
        "late_within": DAY,
        "period": Campaign.PeriodKind.WEEK,
    }

    def is_available(self) -> bool:
        return settings.verified_field is not None

    def body(self, site: Site | None) -> list[Block]:  # noqa: ARG002 - the interface
        return [
            heading(_("One step is missing")),
            greeting(
                _("Dear %(name)s,"),
                _("you have an account here, but we do not know yet whether this address is yours."),
            ),
            ("verify_button", {"text": _("This is my address")}),
            note(_("You have never heard of us? Then do nothing: somebody mistyped an address.")),
        ]


@register_starter
class VerifyAddress(Starter):
    name = "verify_address"
    label = gettext_lazy("Verify your address")
    description = gettext_lazy("Goes at once to whoever registers, with the link that proves an address.")
    subject = gettext_lazy("{{ recipient.first_name | Hello }}, confirm your address")
    preheader = gettext_lazy("One press of a button, and your account is complete.")
    audiences = ("unverified_users",)
    fields = {
        "is_transactional": True,
        "trigger": Campaign.Trigger.EVENT,
        "event": "user_registered",
    }

    def is_available(self) -> bool:
        return settings.verified_field is not None

    def body(self, site: Site | None) -> list[Block]:  # noqa: ARG002 - the interface
        return [
            heading(_("Is this you?")),
            greeting(
                _("Dear %(name)s,"),
                _("somebody made an account with this address. If it was you, press the button."),
            ),
            ("verify_button", {"text": _("Confirm my address")}),
            note(_("It was not you? Then do nothing.")),
        ]


@register_starter
class Welcome(Starter):
    name = "welcome"
    label = gettext_lazy("Welcome")
    description = gettext_lazy("Greets people as soon as they have verified their address.")
    subject = gettext_lazy("Welcome, {{ recipient.first_name | friend }}")
    preheader = gettext_lazy("Good to have you. This is where to begin.")
    audiences = ("active_users",)
    fields = {
        "is_transactional": True,
        "trigger": Campaign.Trigger.EVENT,
        "event": "user_verified",
    }

    def body(self, site: Site | None) -> list[Block]:
        return [
            opening(_("Good to have you"), _("Your address is confirmed.")),
            greeting(_("Dear %(name)s,"), _("everything here is yours to read now.")),
            note(_("Write here in one sentence what to try first.")),
            *button(_("Begin here"), site),
        ]


@register_starter
class Announcement(Starter):
    name = "announcement"
    label = gettext_lazy("Announcement")
    description = gettext_lazy("Tells everybody with an account one piece of news, once, a minute after publishing.")
    subject = gettext_lazy("{{ recipient.first_name | Hello }}, we have news")
    preheader = gettext_lazy("Something new, in three sentences.")
    audiences = ("active_users",)
    topics = ("news", "announcements")
    fields = {"frequency": Campaign.Frequency.NOW, "late_within": DAY}

    def body(self, site: Site | None) -> list[Block]:
        return [
            heading(_("Something new")),
            greeting(_("Dear %(name)s,"), _("write here what is new, and what it means for your readers.")),
            note(_("Write here what they must not overlook, such as a date.")),
            *button(_("Read more"), site),
        ]


# -- Blocks --------------------------------------------------------------------------------------------------


def heading(words: str) -> Block:
    return "heading", {"text": words, "size": "large"}


def opening(title: str, words: str) -> Block:
    """Return a wide beginning on the accent colour; its author may add a picture."""
    words_only: dict[str, object] = {"image": None, "button": "", "page": None, "url": ""}
    return "hero", {**words_only, "heading": title, "text": format_html("<p>{}</p>", words), "tone": "accent"}


def text(words: str) -> Block:
    return "rich_text", {"text": format_html("<p>{}</p>", words)}


def note(words: str) -> Block:
    return "call_out", {"tone": "info", "text": format_html("<p>{}</p>", words)}


def page_views(title: str) -> Block:
    return "page_views", {"heading": title, "when_empty": _("Nobody has opened your pages in this period.")}


def greeting(salutation: str, words: str) -> Block:
    """Return a text that begins with `salutation`, whose %(name)s becomes a merge tag."""
    before, _place, after = (salutation % {"name": PLACE}).partition(PLACE)
    return "rich_text", {"text": format_html("<p>{}{}{}</p><p>{}</p>", before, first_name(), after, words)}


def first_name() -> SafeString:
    markup = f'<span {MERGE_TAG_ATTRIBUTE}="recipient.first_name" {FALLBACK_ATTRIBUTE}="{{}}">{{}}</span>'
    return format_html(markup, _("reader"), _("First name"))


def button(words: str, site: Site | None) -> list[Block]:
    """Return a button to the site's home page; nothing where there is none."""
    return [("button", {"text": words, "page": site.root_page, "url": ""})] if site else []
