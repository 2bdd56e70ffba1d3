"""What reports say: which days they cover, whose pages they count, and that they add up."""

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import Page, PageViewRestriction, Site

from tests.support.publication import home_page, person, post
from wagtail_lifecycle import registry
from wagtail_lifecycle.audiences import recipients_of_users
from wagtail_lifecycle.data_sources import PageViews, Period, PopularPages, RecentPages, SiteTotals
from wagtail_lifecycle.models import DailyPageViews
from wagtail_lifecycle.models.page_views import Views

DAY = Period(date(2015, 5, 17), date(2015, 5, 18))
BEFORE = date(2015, 5, 16)


def viewed(page: Page, count: int, day: date = DAY.start, source: str = "") -> None:
    DailyPageViews.objects.add_views([Views(page.pk, day, count, source)])


def own_views(*users, period=DAY):
    return PageViews().load(recipients_of_users(users), period)


def key(user) -> str:
    return f"user:{user.pk}"


# -- Periods ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [
        ("day", date(2015, 5, 17), date(2015, 5, 18)),
        ("week", date(2015, 5, 11), date(2015, 5, 18)),
        ("month", date(2015, 4, 1), date(2015, 5, 1)),
        ("today", date(2015, 5, 18), date(2015, 5, 19)),
    ],
)
def test_a_period_is_the_last_complete_one_before_the_slot(kind, start, end):
    monday_morning = datetime(2015, 5, 18, 7, tzinfo=UTC)
    assert Period.for_slot(kind, monday_morning) == Period(start, end, kind)


def test_the_day_of_a_slot_is_decided_in_the_site_s_zone(settings):
    slot = datetime(2015, 5, 17, 23, tzinfo=UTC)
    settings.TIME_ZONE = "Europe/Berlin"
    assert Period.for_slot("day", slot).start == date(2015, 5, 17)
    settings.TIME_ZONE = "America/New_York"
    assert Period.for_slot("day", slot).start == date(2015, 5, 16)


def test_a_slot_on_new_year_reports_december():
    slot = datetime(2016, 1, 1, 6, tzinfo=UTC)
    period = Period.for_slot("month", slot)
    assert (period.start, period.end) == (date(2015, 12, 1), date(2016, 1, 1))
    assert period.previous == Period(date(2015, 11, 1), date(2015, 12, 1))


def test_a_slot_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="aware"):
        Period.for_slot("day", datetime(2015, 5, 18, 7))  # noqa: DTZ001 - the fault


def test_an_unknown_kind_of_period_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="day, week, month, today"):
        Period.for_slot("decade", datetime(2015, 5, 18, 7, tzinfo=UTC))


def test_a_period_without_a_day_is_refused():
    with pytest.raises(ValueError, match="has no day"):
        Period(date(2015, 5, 17), date(2015, 5, 17))


@pytest.mark.parametrize(
    ("period", "previous"),
    [
        (DAY, Period(date(2015, 5, 16), date(2015, 5, 17))),
        (Period(date(2015, 5, 11), date(2015, 5, 18)), Period(date(2015, 5, 4), date(2015, 5, 11))),
        (Period(date(2015, 3, 1), date(2015, 4, 1)), Period(date(2015, 2, 1), date(2015, 3, 1))),
        (Period(date(2015, 5, 18), date(2015, 5, 19), "today"), DAY),
        (Period(date(2015, 5, 4), date(2015, 5, 7)), Period(date(2015, 5, 1), date(2015, 5, 4))),
    ],
)
def test_the_period_before_is_of_the_same_kind(period, previous):
    assert period.previous == previous


@given(st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds it
def test_complete_periods_end_before_the_slot_and_join_the_one_before(slot):
    for kind in ("day", "week", "month"):
        period = Period.for_slot(kind, slot)
        assert period.instants()[1] <= slot
        assert period.previous.end == period.start
        assert period.previous.kind == Period(period.start, period.end).kind == kind


@pytest.mark.parametrize(
    ("period", "label"),
    [
        (DAY, "17 May 2015"),
        (Period(date(2015, 5, 1), date(2015, 6, 1)), "May 2015"),
        (Period(date(2015, 5, 11), date(2015, 5, 18)), "11 May 2015 to 17 May 2015"),
        (Period(date(2015, 5, 17), date(2015, 5, 18), "today"), "17 May 2015 so far"),
    ],
)
def test_a_period_is_named_for_people(period, label):
    with translation.override("en-gb"):
        assert period.label == label


def test_a_period_is_named_in_the_language_of_the_reader():
    with translation.override("de"):
        assert DAY.label == "17. Mai 2015"


def test_the_day_on_which_the_clocks_change_is_a_whole_day():
    berlin = ZoneInfo("Europe/Berlin")
    begin, finish = Period(date(2026, 3, 29), date(2026, 3, 30)).instants(berlin)
    assert finish.astimezone(UTC) - begin.astimezone(UTC) == timedelta(hours=23)


# -- Views of own pages --------------------------------------------------------------------------------


@pytest.fixture
def home(db):
    return home_page()


@pytest.fixture
def owners_are_authors(settings):
    settings.WAGTAIL_LIFECYCLE_AUTHORS = None


def test_an_author_reads_the_views_of_their_pages_best_first(home):
    ana = person()
    quiet, popular = post(home, authors=[ana], title="Quiet"), post(home, authors=[ana], title="Popular")
    viewed(quiet, 5)
    viewed(popular, 20)
    viewed(popular, 10, BEFORE)
    data = own_views(ana)[key(ana)]
    rows = [(row.title, row.views, row.previous, row.change, row.share) for row in data.pages]
    assert rows == [("Popular", 20, 10, 100, 100), ("Quiet", 5, 0, None, 25)]
    assert (data.total, data.previous, data.change, data.more) == (25, 10, 150, 0)
    assert data.period == DAY


def test_the_address_of_a_page_is_absolute(home):
    ana = person()
    page = post(home, authors=[ana], slug="quick-fox")
    viewed(page, 1)
    assert own_views(ana)[key(ana)].pages[0].url == "http://testserver/quick-fox/"


def test_a_page_of_two_authors_counts_for_both(home):
    ana, ben = person(), person()
    viewed(post(home, authors=[ana, ben]), 7)
    viewed(post(home, authors=[ben]), 3)
    data = own_views(ana, ben)
    assert data[key(ana)].total == 7
    assert data[key(ben)].total == 10


@pytest.mark.usefixtures("owners_are_authors")
def test_without_a_callable_the_owner_is_the_author(home):
    ana, ben = person(), person()
    viewed(post(home, owner=ana, authors=[ben]), 7)
    viewed(post(home, owner=None), 9)
    data = own_views(ana, ben)
    assert data[key(ana)].total == 7
    assert key(ben) not in data


def test_views_of_all_sources_are_summed(home):
    ana = person()
    page = post(home, authors=[ana])
    viewed(page, 2)
    viewed(page, 3, source="sample")
    assert own_views(ana)[key(ana)].total == 5


def test_views_of_other_days_do_not_count(home):
    ana = person()
    page = post(home, authors=[ana])
    viewed(page, 100, DAY.end)
    viewed(page, 100, BEFORE - timedelta(days=1))
    assert key(ana) not in own_views(ana)


def test_ten_pages_are_listed_and_the_others_counted(home):
    ana = person()
    for number in range(1, 14):
        viewed(post(home, authors=[ana]), number)
    data = own_views(ana)[key(ana)]
    assert [row.views for row in data.pages] == list(range(13, 3, -1))
    assert data.more == 3
    assert data.total == sum(range(1, 14))


def test_a_page_nobody_viewed_in_the_period_is_compared_but_not_listed(home):
    ana = person()
    viewed(post(home, authors=[ana]), 6)
    viewed(post(home, authors=[ana]), 4, BEFORE)
    data = own_views(ana)[key(ana)]
    assert (len(data.pages), data.more, data.previous) == (1, 0, 4)


def test_an_author_without_views_in_the_period_has_nothing_to_read(home):
    ana, ben = person(), person()
    viewed(post(home, authors=[ana]), 4, BEFORE)
    post(home, authors=[ben])
    data = own_views(ana, ben)
    assert PageViews().is_empty(data[key(ana)])
    assert PageViews().is_empty(data.get(key(ben)))


def test_pages_that_not_everybody_may_read_are_left_out(home):
    ana = person()
    over = timezone.now() - timedelta(minutes=1)
    section = post(home, authors=[ana])
    private_below = post(section, authors=[ana])
    PageViewRestriction.objects.create(page=section, restriction_type=PageViewRestriction.LOGIN)
    elsewhere = Page.get_first_root_node().add_child(instance=Page(title="Elsewhere", slug="elsewhere"))
    hidden = [
        post(home, authors=[ana], live=False),
        post(home, authors=[ana], expired=True),
        post(home, authors=[ana], expire_at=over),
        section,
        private_below,
        post(elsewhere, authors=[ana]),
    ]
    for page in hidden:
        viewed(page, 100)
    viewed(post(home, authors=[ana]), 1)
    assert own_views(ana)[key(ana)].total == 1


def test_nobody_s_views_cost_no_more_than_what_is_counted(home):
    assert PageViews().load([], DAY) == {}


def test_the_views_are_those_a_slow_computation_finds(home):
    rng = random.Random(20150517)
    people = [person() for _ in range(8)]
    posts = [post(home, authors=rng.sample(people, rng.randint(0, 3))) for _ in range(40)]
    for page in rng.sample(posts, 6):
        page.unpublish()
    for _ in range(300):
        viewed(rng.choice(posts), rng.randint(1, 50), rng.choice([BEFORE, DAY.start, DAY.end]), rng.choice("ab"))
    data = own_views(*people)
    for user in people:
        assert _summary(data.get(key(user))) == _slow_summary(user, posts)


def _summary(data) -> tuple[int, int, list[tuple[str, int]]]:
    return (data.total, data.previous, [(row.url, row.views) for row in data.pages]) if data else (0, 0, [])


def _slow_summary(user, posts: Iterable[Page]) -> tuple[int, int, list[tuple[str, int]]]:
    total = previous = 0
    rows = []
    for page in posts:
        page.refresh_from_db()
        if not page.live or user not in [link.user for link in page.post_authors.all()]:
            continue
        before = DailyPageViews.objects.filter(page=page, day=BEFORE).total()
        now = DailyPageViews.objects.filter(page=page, day=DAY.start).total()
        total, previous = total + now, previous + before
        if now:
            rows.append((-now, -before, page.pk, page.full_url))
    return total, previous, [(url, -now) for now, _before, _pk, url in sorted(rows)[:10]]


@pytest.mark.parametrize("by_owner", [True, False])
def test_a_hundred_recipients_cost_as_many_queries_as_ten(home, settings, by_owner, django_assert_num_queries):
    if by_owner:
        settings.WAGTAIL_LIFECYCLE_AUTHORS = None
    people = [person() for _ in range(100)]
    for user in people:
        page = post(home, owner=user, authors=[user])
        viewed(page, 1 + user.pk % 7)
    recipients = recipients_of_users(people)
    Site.get_site_root_paths()
    home.specific_class  # noqa: B018 - Django keeps the content types it has met
    # Restrictions, views, their pages, the listed pages; the callable asks for authors and their profiles.
    expected = 4 if by_owner else 6
    for some in (recipients[:10], recipients):
        with django_assert_num_queries(expected):
            assert len(PageViews().load(some, DAY)) == len(some)


# -- Recently published pages ---------------------------------------------------------------------------


def test_pages_published_in_the_period_are_listed_newest_first(home, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    ana, ben = person("Ana Lindqvist"), person("Ben Okri")
    just_after_midnight = datetime(2015, 5, 16, 22, 1, tzinfo=UTC)
    post(home, title="Early", authors=[ana, ben], first_published_at=just_after_midnight)
    post(home, title="Late", first_published_at=datetime(2015, 5, 17, 21, 59, tzinfo=UTC))
    post(home, title="Yesterday", first_published_at=datetime(2015, 5, 16, 21, 59, tzinfo=UTC))
    post(home, title="Tomorrow", first_published_at=datetime(2015, 5, 17, 22, 1, tzinfo=UTC))
    [recipient] = recipients_of_users([ana])
    data = RecentPages().load([recipient], DAY)[recipient.key]
    rows = [(page.title, page.author, page.date) for page in data.pages]
    assert rows == [("Late", "", DAY.start), ("Early", "Ana Lindqvist, Ben Okri", DAY.start)]
    assert data.pages[0].url.startswith("http://testserver/")
    assert data.more == 0


def test_a_new_page_that_not_everybody_may_read_is_not_announced(home):
    page = post(home, first_published_at=datetime(2015, 5, 17, 12, tzinfo=UTC))
    PageViewRestriction.objects.create(page=page, restriction_type=PageViewRestriction.LOGIN)
    [recipient] = recipients_of_users([person()])
    data = RecentPages().load([recipient], DAY)[recipient.key]
    assert RecentPages().is_empty(data)


def test_more_than_ten_new_pages_are_counted(home):
    for minute in range(12):
        post(home, first_published_at=datetime(2015, 5, 17, 12, minute, tzinfo=UTC))
    [recipient] = recipients_of_users([person()])
    data = RecentPages().load([recipient], DAY)[recipient.key]
    assert (len(data.pages), data.more) == (10, 2)


@pytest.mark.usefixtures("owners_are_authors")
def test_a_new_page_is_by_its_owner_where_nobody_says_otherwise(home):
    ana = person("Ana Lindqvist")
    post(home, owner=ana, first_published_at=datetime(2015, 5, 17, 12, tzinfo=UTC))
    post(home, owner=None, first_published_at=datetime(2015, 5, 17, 11, tzinfo=UTC))
    [recipient] = recipients_of_users([ana])
    pages = RecentPages().load([recipient], DAY)[recipient.key].pages
    assert [page.author for page in pages] == ["Ana Lindqvist", ""]


# -- Totals of the site --------------------------------------------------------------------------------


def test_the_site_in_numbers(home):
    ana, ben = person(), person()
    published = datetime(2015, 5, 17, 12, tzinfo=UTC)
    pages = [post(home, authors=[ana, ben], first_published_at=published) for _ in range(6)]
    post(home, authors=[person()], first_published_at=published - timedelta(days=9))
    for number, page in enumerate(pages, start=1):
        viewed(page, number * 10)
    viewed(pages[0], 100, BEFORE)
    recipients = recipients_of_users([ana, ben])
    data = SiteTotals().load(recipients, DAY)
    numbers = data[key(ana)]
    assert numbers is data[key(ben)]
    assert (numbers.views, numbers.previous, numbers.change) == (210, 100, 110)
    assert (numbers.published, numbers.active_authors) == (6, 2)
    assert [row.views for row in numbers.pages] == [60, 50, 40, 30, 20]
    assert numbers.pages[0].share == 100


def test_views_of_a_page_that_went_offline_stay_in_the_total_without_its_name(home):
    page = post(home)
    viewed(page, 9)
    page.unpublish()
    [recipient] = recipients_of_users([person()])
    numbers = SiteTotals().load([recipient], DAY)[recipient.key]
    assert (numbers.views, numbers.pages) == (9, ())
    assert not SiteTotals().is_empty(numbers)


@pytest.mark.django_db
def test_a_site_where_nothing_happened_has_nothing_to_report():
    home_page()
    [recipient] = recipients_of_users([person()])
    numbers = SiteTotals().load([recipient], DAY)[recipient.key]
    assert SiteTotals().is_empty(numbers)


@pytest.mark.parametrize("source", [RecentPages, SiteTotals])
def test_what_is_the_same_for_all_is_computed_once(home, source, django_assert_max_num_queries):
    ana = person()
    viewed(post(home, authors=[ana], first_published_at=datetime(2015, 5, 17, 12, tzinfo=UTC)), 3)
    recipients = recipients_of_users([person() for _ in range(100)])
    with django_assert_max_num_queries(12):
        assert len(source().load(recipients, DAY)) == 100


# -- Examples ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [PageViews, RecentPages, SiteTotals])
@pytest.mark.parametrize("kind", ["day", "week", "month", "today", ""])
def test_an_example_is_not_empty_and_touches_no_database(source, kind):
    example = source().example_of(kind)
    assert not source().is_empty(example)
    assert example.pages[0].url.startswith("https://")


def test_the_built_in_data_sources_are_registered():
    assert {"page_views", "recent_pages", "site_totals"} <= set(registry.data_sources.names())


# -- Most viewed ---------------------------------------------------------------------------------------------


def test_the_most_viewed_pages_are_public_and_best_first(home, django_assert_max_num_queries):
    first, second, private = (post(home, title=title) for title in ("First", "Second", "Private"))
    PageViewRestriction.objects.create(page=private, restriction_type=PageViewRestriction.LOGIN)
    for page, count in ((second, 3), (first, 7), (private, 9)):
        viewed(page, count)
    recipients = recipients_of_users([person()])
    with django_assert_max_num_queries(12):
        data = PopularPages().load(recipients, DAY)[recipients[0].key]
    assert [(page.title, page.views) for page in data.pages] == [("First", 7), ("Second", 3)]
    assert PopularPages().is_empty(PopularPages().load(recipients, DAY.previous)[recipients[0].key])
