"""What the benchmark registers: people by number, and ten own pages for each of them without asking a database.

How fast page views are added up depends on the site's pages and is no part of sending, so every contestant gets the
same generated numbers.
"""

from wagtail_lifecycle.audiences import UserAudience
from wagtail_lifecycle.data_sources.page_views import OwnPageViews, PageViews
from wagtail_lifecycle.data_sources.views import PageRow, change
from wagtail_lifecycle.registry import register_audience

PAGES = 10


@register_audience
class FirstPeople(UserAudience):
    """The people with the lowest primary keys: "first_people:1000"."""

    name = "first_people"
    label = "First people"

    def narrow(self, users, now):  # noqa: ARG002 - the interface
        return users.filter(pk__lte=int(self.option))

    @classmethod
    def from_name(cls, name):
        return cls(name.partition(":")[2])


def pages_of(key: str, period: object) -> OwnPageViews:
    number = int(key.rpartition(":")[2])
    rows = tuple(_row(number, place) for place in range(PAGES))
    total, previous = sum(row.views for row in rows), sum(row.previous for row in rows)
    return OwnPageViews(period, rows, number % 5, total, previous, change(total, previous))


def _row(number: int, place: int) -> PageRow:
    views, previous = (number * 7919 + place * 104_729) % 5000 + 1, (number * 31 + place * 613) % 4000
    return PageRow(
        title=f"What page {place + 1} of author {number} says about Düsseldorf & the “harbour”",
        url=f"https://publisher.example.org/authors/{number}/what-page-{place + 1}-says-about-the-harbour/",
        views=views,
        previous=previous,
        change=change(views, previous),
        share=100 - place * 9,
    )


def load(_self, recipients, period):
    return {recipient.key: pages_of(recipient.key, period) for recipient in recipients}


PageViews.load = load
