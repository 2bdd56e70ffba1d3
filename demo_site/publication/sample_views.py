"""Views of invented readers, for a demo that has something to tell on its first day."""

import math
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from demo_site.publication.models import SAMPLE_SOURCE, PostPage
from wagtail_lifecycle.models import DailyPageViews
from wagtail_lifecycle.models.page_views import Views

#: The monthly report compares the last month with the one before it.
WHOLE_MONTHS = 2
BUSIEST = 60
#: Monday first: people read on the way to work.
WEEK = (1.1, 1.15, 1.1, 1.05, 0.95, 0.7, 0.8)


def load_sample_views(today: date) -> int:
    """Replace all sample views by those of the last two months, of this month and of today; return how many."""
    posts = PostPage.objects.live().order_by("pk").only("pk", "slug", "date")
    days = days_until(today)
    rows = [row for post in posts for row in views_of(post, days)]
    return DailyPageViews.objects.replace_source(SAMPLE_SOURCE, rows)


def days_until(today: date) -> list[date]:
    """Return the days of whole months before today's, those of its own month, and it."""
    first = today.replace(day=1)
    for _month in range(WHOLE_MONTHS):
        first = (first - timedelta(days=1)).replace(day=1)
    return [first + timedelta(days=number) for number in range((today - first).days + 1)]


def views_of(post: PostPage, days: list[date]) -> Iterator[Views]:
    chance = Random(post.slug)
    liking = chance.uniform(0.25, 1)
    for day in days:
        # The day's own chance: tomorrow's run gives a past day the same number.
        luck = Random(f"{post.slug}/{day}").uniform(0.6, 1.4)
        age = (day - post.date).days
        if age >= 0:
            freshness = 0.12 + math.exp(-age / 6)
            count = round(BUSIEST * liking * freshness * WEEK[day.weekday()] * luck)
            yield Views(post.pk, day, max(1, count), SAMPLE_SOURCE)
