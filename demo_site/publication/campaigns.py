"""The campaigns that the Quick Publisher ships live."""

from collections.abc import Iterator
from datetime import time

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from wagtail.models import Locale

from demo_site.publication.blocks import (
    FIRST_NAME,
    button,
    call_out,
    heading,
    sample_readers,
    text,
    verify_button,
    views,
)
from demo_site.publication.german import GERMAN, words_in_german
from demo_site.publication.models import HomePage
from wagtail_lifecycle.models import Campaign, CampaignState, Topic

SENDER = "news"
TOPICS = {
    "reports": ("Reports", "How often pages were viewed: yours, or those of the whole site."),
    "reminders": ("Reminders", "What is still to be done with your account."),
    "news": ("News", "What is new at The Quick Publisher."),
}


class NotSendableError(ValueError):
    """A campaign of the demo would not be sent; the message says why."""


def ensure_campaigns(home: HomePage) -> int:
    """Publish the campaigns that are not there yet, known by their names; return how many."""
    topics = ensure_topics()
    present = set(Campaign.objects.values_list("name", flat=True))
    missing = [campaign for campaign in campaigns(home, topics) if campaign.name not in present]
    for campaign in missing:
        campaign.locale = Locale.get_default()
        campaign.sender = SENDER
        publish(campaign)
    ensure_german(home)
    return len(missing)


def ensure_german(home: HomePage) -> None:
    """Translate what is not translated yet."""
    german, _created = Locale.objects.get_or_create(language_code=GERMAN)
    for name, words in words_in_german(home).items():
        source = Campaign.objects.filter(name=name, locale=Locale.get_default(), live=True).first()
        if source is not None and not source.has_translation(german):
            translation = source.copy_for_translation(german)
            for field, value in words.items():
                setattr(translation, field, value)
            publish(translation)


def ensure_topics() -> dict[str, Topic]:
    return {
        slug: Topic.objects.get_or_create(slug=slug, defaults={"name": name, "description": description})[0]
        for slug, (name, description) in TOPICS.items()
    }


def publish(campaign: Campaign) -> None:
    """Publish as an editor would: the draft first, then its revision."""
    campaign.live = False
    campaign.save()
    try:
        campaign.save_revision().publish()
    except ValidationError as error:
        raise not_sendable(campaign, " ".join(error.messages)) from error
    problem = CampaignState.objects.get(campaign=campaign.source).problem
    if problem:
        raise not_sendable(campaign, problem)


def not_sendable(campaign: Campaign, reason: str) -> NotSendableError:
    return NotSendableError(f"The campaign “{campaign.name}” cannot be sent: {reason}")


def campaigns(home: HomePage, topics: dict[str, Topic]) -> Iterator[Campaign]:
    yield daily_digest(home, topics["reports"])
    yield today_so_far(topics["reports"])
    yield monthly_report(topics["reports"])
    yield weekly_reminder(topics["reminders"])
    yield verify_your_address()
    yield welcome(home)


def daily_digest(home: HomePage, topic: Topic) -> Campaign:
    return Campaign(
        name="Daily views digest",
        subject="{{ recipient.first_name | Good morning }}, these are your views of yesterday",
        preheader="How many people read you, page by page.",
        topic=topic,
        audience="page_authors",
        frequency=Campaign.Frequency.DAILY,
        time_of_day=time(7),
        period=Campaign.PeriodKind.DAY,
        body=[
            heading("Who read you yesterday"),
            text(
                f"<p>Good morning {FIRST_NAME},</p>"
                "<p>while the kettle boils: this is how often your pages were opened.</p>"
            ),
            views("Your pages yesterday"),
            ("divider", {}),
            text("<p>Views of robots, and of everybody who edits the site, are not counted.</p>"),
            sample_readers(),
            button("Go to the front page", page=home),
        ],
    )


def today_so_far(topic: Topic) -> Campaign:
    return Campaign(
        name="Today so far",
        subject="Today so far",
        preheader="Your pages since midnight.",
        topic=topic,
        audience="page_authors",
        frequency=Campaign.Frequency.MINUTES,
        every=1,
        period=Campaign.PeriodKind.TODAY,
        body=[
            heading("Today so far"),
            text(f"<p>Hello {FIRST_NAME},</p><p>these are the views of your pages since midnight.</p>"),
            views("Your pages today"),
            sample_readers("The demo sends this every minute; a real site would write less often."),
        ],
    )


def monthly_report(topic: Topic) -> Campaign:
    owners = Group.objects.get(name="Owners")
    return Campaign(
        name="Monthly report",
        subject="The Quick Publisher last month",
        preheader="Views, new posts and what was read most.",
        topic=topic,
        audience=f"group_members:{owners.pk}",
        frequency=Campaign.Frequency.MONTHLY,
        month_day=1,
        time_of_day=time(8),
        period=Campaign.PeriodKind.MONTH,
        body=[
            heading("The month in numbers"),
            text(f"<p>Dear {FIRST_NAME},</p><p>this was last month at The Quick Publisher.</p>"),
            ("site_totals", {"heading": "The site in numbers"}),
            ("page_list", {"heading": "New last month", "choice": "recent", "pages": []}),
            sample_readers(),
        ],
    )


def weekly_reminder(topic: Topic) -> Campaign:
    return Campaign(
        name="Weekly reminder to verify",
        subject="Is this still your address?",
        preheader="One step is missing before your account is complete.",
        topic=topic,
        audience="unverified_users",
        frequency=Campaign.Frequency.WEEKLY,
        weekday=Campaign.Weekday.MONDAY,
        time_of_day=time(9),
        period=Campaign.PeriodKind.WEEK,
        body=[
            heading("One step is missing"),
            text(
                f"<p>Dear {FIRST_NAME},</p><p>you have an account at The Quick Publisher, but we do not know yet "
                "whether this address is yours. Until we do, we send you nothing but this reminder.</p>"
            ),
            verify_button("This is my address"),
            call_out("<p>You have never heard of us? Then do nothing: somebody mistyped an address.</p>"),
        ],
    )


def verify_your_address() -> Campaign:
    return Campaign(
        name="Verify your address",
        subject="Confirm your address",
        preheader="One press of a button, and your account is complete.",
        topic=None,
        is_transactional=True,
        trigger=Campaign.Trigger.EVENT,
        event="user_registered",
        audience="unverified_users",
        body=[
            heading("Is this you?"),
            text(
                f"<p>Dear {FIRST_NAME},</p><p>somebody made an account at The Quick Publisher with this address. "
                "If it was you, press the button; it works for three days.</p>"
            ),
            verify_button("Confirm my address"),
            call_out("<p>It was not you? Then do nothing, and we will write no more.</p>"),
        ],
    )


def welcome(home: HomePage) -> Campaign:
    return Campaign(
        name="Welcome",
        subject="Welcome, {{ recipient.first_name | reader }}",
        preheader="What you can do here, in three sentences.",
        topic=None,
        is_transactional=True,
        trigger=Campaign.Trigger.EVENT,
        event="user_verified",
        audience="active_users",
        body=[
            heading("Good to have you"),
            text(
                f"<p>Dear {FIRST_NAME},</p><p>your address is confirmed, and the front page is yours. We print little, "
                "and read everything twice before we do.</p>"
            ),
            button("Start reading", page=home),
        ],
    )
