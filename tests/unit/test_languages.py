"""A mail speaks its reader's language: words, numbers, dates, the time zone and the direction of writing."""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType

import pytest

from tests.support.content import Reader, content, paragraph
from wagtail_lifecycle import registry
from wagtail_lifecycle.audiences import ActiveUsers
from wagtail_lifecycle.data_sources import Period
from wagtail_lifecycle.rendering import Links, compile_mail
from wagtail_lifecycle.rendering.pieces import Personal, collecting, personal_template

LINKS = Links(unsubscribe="https://x.test/u")
NUMBERS = {"amount": Decimal("1234.5"), "day": date(2026, 3, 1), "moment": datetime(2026, 6, 1, 22, 30, tzinfo=UTC)}


@pytest.fixture
def customers():
    """An audience whose merge tags are numbers and dates."""

    class Customers(ActiveUsers):
        name = "customers"
        label = "Customers"
        merge_tags = MappingProxyType({f"recipient.data.{name}": "" for name in NUMBERS})

    with registry.audiences.temporarily(Customers):
        yield Customers.name


def mail_of(language, audience, *, time_zone=""):
    tags = " / ".join(f"{{{{ recipient.data.{name} | none }}}}" for name in NUMBERS)
    chips = " / ".join(
        f'<span data-merge-tag="recipient.data.{name}" data-fallback="none">x</span>' for name in NUMBERS
    )
    made = content(paragraph(chips), subject=tags, audience=audience, language=language)
    return compile_mail(made).personalise(Reader(data=NUMBERS, time_zone=time_zone), data={}, links=LINKS)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en-gb", "1234.5 / 1 Mar 2026 / 2 Jun 2026, 12:30 a.m."),
        ("de", "1234,5 / 1. März 2026 / 2. Juni 2026 00:30"),
        ("ar", "1234,5 / 1 مارس، 2026 / "),
    ],
)
def test_numbers_and_dates_of_merge_tags_are_written_as_the_language_does(customers, settings, language, words):
    settings.TIME_ZONE = "Europe/Berlin"
    mail = mail_of(language, customers)
    assert words in mail.subject
    assert words in mail.text
    assert words in mail.html


def test_a_moment_is_told_in_the_readers_time_zone_or_in_the_site_s(customers, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    assert mail_of("de", customers, time_zone="Asia/Tokyo").subject.endswith("2. Juni 2026 07:30")
    assert mail_of("de", customers, time_zone="No/Where").subject.endswith("2. Juni 2026 00:30")


def test_a_block_tells_numbers_and_moments_in_the_readers_way():
    made = content(("heading", {"text": "x", "size": "large"}), language="de")
    with collecting(html=True, merge_tags={}) as collector:
        source = '{{ recipient.data.moment|date:"DATETIME_FORMAT" }} {{ data.total|intcomma }}'
        parts = collector.split(collector.add(Personal(personal_template(source, frozenset()))))
    compiled = compile_mail(made)
    shown = type(compiled)(**{**vars(compiled), "text": parts, "html": parts})
    mail = shown.personalise(Reader(data=NUMBERS, time_zone="Asia/Tokyo"), data={"total": 1234567}, links=LINKS)
    assert mail.text == "2. Juni 2026 07:30 1.234.567"


def test_an_arabic_mail_reads_from_right_to_left_and_counts_in_arabic():
    report = {
        "period": Period(date(2026, 5, 1), date(2026, 6, 1)),
        "total": 1234,
        "change": -12,
        "more": 0,
        "pages": [{"title": "The bridge", "url": "https://x.test/p/", "views": 2, "change": None, "share": 50}],
    }
    made = content(("page_views", {"heading": "صفحاتك", "when_empty": "-"}), language="ar", subject="تقرير")
    mail = compile_mail(made).personalise(Reader(), data={"page_views": report}, links=LINKS)
    assert 'lang="ar"' in mail.html
    assert 'dir="rtl"' in mail.html
    assert "direction:ltr" not in mail.html
    assert "padding-right:12px" in mail.html
    # As Django does, whose Arabic has no groups of digits.
    assert "1234 مشاهدة" in mail.text
    assert "مايو 2026" in mail.text
    assert "إلغاء الاشتراك" in mail.text
