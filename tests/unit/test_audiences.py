"""Who belongs to an audience, and what is known about them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from wagtail.users.models import UserProfile

from demo_site.accounts.models import User
from tests.support.publication import home_page, person, post
from wagtail_lifecycle import registry
from wagtail_lifecycle.audiences import (
    ActiveUsers,
    Audience,
    GroupMembers,
    PageAuthors,
    Recipient,
    UnverifiedUsers,
    UserAudience,
    audience_choices,
    get_audience,
    recipients_of_users,
)
from wagtail_lifecycle.exceptions import UnknownName

NOW = datetime(2015, 5, 18, 9, tzinfo=UTC)


def members(audience, now=NOW):
    """Everybody of an audience, as a campaign would plan them."""
    return {recipient.address for page in audience.pages(now) for recipient in page.recipients}


def keys(*users):
    return [f"user:{user.pk}" for user in users]


def nobody_s_callable(_pages):
    return {}


def the_guest(pages):
    """An author who is no user of the site."""
    guest = Recipient(key="guest:1", address="guest@example.org", name="A Guest")
    return {page.pk: [guest] for page in pages}


# -- Recipients ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "first_name"),
    [
        ("", ""),
        ("   ", ""),
        ("Ana", "Ana"),
        ("Ana Maria Lindqvist", "Ana"),
        ("  Ana Lindqvist ", "Ana"),
        ("山田太郎", "山田太郎"),
        ("山田 太郎", "山田"),
        ("山田\u3000太郎", "山田"),
        ("Jean-Luc Picard", "Jean-Luc"),
    ],
)
def test_the_first_name_is_the_first_word_of_the_name(name, first_name):
    assert Recipient(key="user:1", address="a@example.org", name=name).first_name == first_name


@pytest.mark.django_db
def test_a_recipient_has_the_address_name_language_and_time_zone_of_the_user():
    user = person("Ana Lindqvist", email="ana@example.org")
    UserProfile.objects.create(user=user, preferred_language="de", current_time_zone="Asia/Tokyo")
    [recipient] = recipients_of_users([user])
    assert recipient == Recipient(
        key=f"user:{user.pk}",
        address="ana@example.org",
        name="Ana Lindqvist",
        language="de",
        time_zone="Asia/Tokyo",
    )


@pytest.mark.django_db
def test_a_user_who_never_chose_a_language_leaves_it_to_the_site():
    [recipient] = recipients_of_users([person()])
    assert (recipient.language, recipient.time_zone) == ("", "")


@pytest.mark.django_db
def test_a_name_that_is_only_the_address_is_no_name():
    [recipient] = recipients_of_users([person(name="ana@example.org", email="ana@example.org")])
    assert recipient.name == ""


@pytest.mark.django_db
def test_a_hundred_users_become_recipients_in_as_many_queries_as_ten(django_assert_num_queries):
    users = [person() for _ in range(100)]
    for some in (users[:10], users):
        fresh = list(User.objects.filter(pk__in=[user.pk for user in some]))
        with django_assert_num_queries(1):
            assert len(recipients_of_users(fresh)) == len(some)


@pytest.mark.django_db
def test_profiles_that_are_loaded_already_are_not_asked_for_again(django_assert_num_queries):
    UserProfile.objects.create(user=person(), preferred_language="de")
    person()
    users = list(User.objects.select_related("wagtail_userprofile").order_by("pk"))
    with django_assert_num_queries(0):
        assert [recipient.language for recipient in recipients_of_users(users)] == ["de", ""]


# -- The users ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_bulk_mail_goes_only_to_active_and_verified_users():
    wanted = person()
    person(is_verified=False)
    person(is_active=False)
    assert members(ActiveUsers()) == {wanted.email}


@pytest.mark.django_db
def test_the_reminder_to_verify_goes_to_active_users_who_are_not_verified():
    person()
    wanted = person(is_verified=False)
    person(is_verified=False, is_active=False)
    assert members(UnverifiedUsers()) == {wanted.email}


@pytest.mark.django_db
def test_where_the_user_model_does_not_know_everybody_active_is_mailed_and_nobody_reminded(settings):
    settings.WAGTAIL_LIFECYCLE_VERIFIED_FIELD = "no_such_field"
    wanted = person(is_verified=False)
    assert members(ActiveUsers()) == {wanted.email}
    assert members(UnverifiedUsers()) == set()


@pytest.mark.django_db
def test_a_user_without_an_address_belongs_so_that_the_run_can_say_why_they_got_nothing():
    user = person()
    User.objects.filter(pk=user.pk).update(email="")
    assert members(ActiveUsers()) == {""}


@pytest.mark.django_db
def test_only_members_of_the_group_belong_to_its_audience():
    group = Group.objects.create(name="Editors of the day")
    wanted, unverified = person(), person(is_verified=False)
    group.user_set.add(wanted, unverified)
    person()
    assert members(get_audience(f"group_members:{group.pk}")) == {wanted.email}


@pytest.mark.django_db
def test_every_group_can_be_chosen_by_name():
    group = Group.objects.create(name="Owners")
    choices = dict(audience_choices())
    assert choices[f"group_members:{group.pk}"] == "Members of the group “Owners”"
    assert "group_members" not in choices
    assert choices["active_users"] == "Active users"


@pytest.mark.django_db
def test_an_audience_of_a_deleted_group_says_so_and_matches_nobody():
    group = Group.objects.create(name="Owners")
    user = person()
    group.user_set.add(user)
    audience = get_audience(f"group_members:{group.pk}")
    assert audience.problem() == ""
    group.delete()
    assert audience.problem() == "The group of this audience no longer exists. Choose another audience."
    assert audience.by_key(keys(user), NOW) == {}


@pytest.mark.parametrize("name", ["nobody", "active_users:3", "group_members", "group_members:", "group_members:x"])
def test_an_audience_that_does_not_exist_is_refused(name):
    with pytest.raises(UnknownName):
        get_audience(name)


def test_every_merge_tag_has_an_example():
    for audience in (ActiveUsers, UnverifiedUsers, GroupMembers, PageAuthors):
        assert audience.merge_tags["recipient.first_name"] == "Ana"
        assert all(str(example) for example in audience.merge_tags.values())


# -- Paging and reading again -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_paging_names_everybody_once_and_goes_on_after_a_cursor():
    people = [person() for _ in range(7)]
    pages = list(ActiveUsers().pages(NOW, size=3))
    assert [len(page.recipients) for page in pages] == [3, 3, 1]
    assert [recipient.key for page in pages for recipient in page.recipients] == keys(*people)
    rest = list(ActiveUsers().pages(NOW, after=pages[0].cursor, size=3))
    assert rest == pages[1:]


@pytest.mark.django_db
def test_a_page_of_the_audience_costs_two_queries_however_big_it_is(django_assert_num_queries):
    for _ in range(30):
        person()
    for size in (10, 30):
        with django_assert_num_queries(2):
            assert len(next(ActiveUsers().pages(NOW, size=size)).recipients) == size


@pytest.mark.django_db
def test_somebody_who_leaves_or_joins_while_the_audience_is_paged_shifts_nobody():
    people = [person() for _ in range(4)]
    expected = keys(*people)
    pages = ActiveUsers().pages(NOW, size=2)
    seen = [recipient.key for recipient in next(pages).recipients]
    people[0].delete()
    expected += keys(person())
    seen += [recipient.key for page in pages for recipient in page.recipients]
    assert seen == expected


@pytest.mark.django_db
def test_those_who_no_longer_belong_are_not_found_again():
    stays, leaves, changes, goes = person(), person(), person(), person()
    all_keys = keys(stays, leaves, changes, goes)
    User.objects.filter(pk=leaves.pk).update(is_active=False)
    User.objects.filter(pk=changes.pk).update(is_verified=False)
    goes.delete()
    assert list(ActiveUsers().by_key(all_keys, NOW)) == keys(stays)


@pytest.mark.django_db
def test_the_address_is_read_again():
    user = person()
    User.objects.filter(pk=user.pk).update(email="new@example.org")
    [again] = ActiveUsers().by_key(keys(user), NOW).values()
    assert again.address == "new@example.org"


@pytest.mark.django_db
def test_keys_of_another_kind_find_nobody(django_assert_num_queries):
    person()
    with django_assert_num_queries(0):
        assert ActiveUsers().by_key(["contact:1", "user:nobody", "user:", "nonsense"], NOW) == {}


@pytest.mark.django_db
def test_a_hundred_keys_cost_as_many_queries_as_ten(django_assert_num_queries):
    everybody = keys(*(person() for _ in range(100)))
    for some in (everybody[:10], everybody):
        with django_assert_num_queries(2):
            assert len(ActiveUsers().by_key(some, NOW)) == len(some)


@pytest.mark.django_db
def test_an_audience_of_a_site_s_own_pages_and_reads_again_like_ours():
    class Newcomers(UserAudience):
        name, label = "newcomers", "Newcomers"

        def narrow(self, users, now):
            return users.filter(date_joined__gte=now - timedelta(days=7))

    now = timezone.now()
    newcomer, old = person(), person()
    User.objects.filter(pk=old.pk).update(date_joined=now - timedelta(days=30))
    with registry.audiences.temporarily(Newcomers):
        audience = get_audience("newcomers")
        assert members(audience, now) == {newcomer.email}
        assert list(audience.by_key(keys(newcomer, old), now)) == keys(newcomer)
        assert audience.count(now) == 1


@pytest.mark.django_db
def test_people_who_are_no_users_can_be_an_audience_too():
    class Desks(Audience):
        name, label, key_prefix = "desks", "The desks of the newsroom", "desk"

        def get_queryset(self, now):
            return Group.objects.filter(name__endswith="desk")

        def get_recipient(self, obj):
            return Recipient(key=self.key_of(obj), address=f"desk-{obj.pk}@example.org", name=obj.name)

    night = Group.objects.create(name="Night desk")
    Group.objects.create(name="Canteen")
    expected = Recipient(key=f"desk:{night.pk}", address=f"desk-{night.pk}@example.org", name="Night desk")
    with registry.audiences.temporarily(Desks):
        audience = get_audience("desks")
        assert [page.recipients for page in audience.pages(NOW)] == [[expected]]
        assert audience.by_key([expected.key, f"user:{night.pk}"], NOW) == {expected.key: expected}
        assert audience.count(NOW) == 1
        assert audience.problem() == ""


def test_an_audience_that_does_not_say_whom_it_means_cannot_be_made():
    class Vague(Audience):
        name, label = "vague", "Vague"

    with pytest.raises(TypeError, match="get_queryset"):
        Vague()


# -- Page authors -----------------------------------------------------------------------------------------


@pytest.fixture
def home(db):
    return home_page()


@pytest.fixture
def owners_are_authors(settings):
    settings.WAGTAIL_LIFECYCLE_AUTHORS = None


@pytest.mark.usefixtures("owners_are_authors")
def test_whoever_owns_a_live_page_is_an_author(home):
    owner, drafter, unverified, reader = person(), person(), person(is_verified=False), person()
    post(home, owner=owner)
    post(home, owner=owner)
    post(home, owner=drafter, live=False)
    post(home, owner=unverified)
    assert members(PageAuthors()) == {owner.email}
    assert list(PageAuthors().by_key(keys(owner, drafter, unverified, reader), NOW)) == keys(owner)
    assert PageAuthors().count(NOW) == 1


def test_the_site_s_callable_says_who_the_authors_are(home):
    owner, one, other, drafter = person(), person(), person(), person()
    post(home, owner=owner, authors=[one, other])
    post(home, owner=owner, authors=[one])
    post(home, owner=owner, authors=[drafter], live=False)
    assert members(PageAuthors()) == {one.email, other.email}
    assert set(PageAuthors().by_key(keys(owner, one, drafter), NOW)) == set(keys(one))
    assert PageAuthors().count(NOW) == 2
    assert set(PageAuthors().get_queryset(NOW)) == {one, other}


def test_authors_named_by_the_callable_must_be_active_and_verified(home):
    wanted, inactive, unverified = person(), person(is_active=False), person(is_verified=False)
    post(home, authors=[wanted, inactive, unverified])
    assert members(PageAuthors()) == {wanted.email}
    assert list(PageAuthors().by_key(keys(wanted, inactive, unverified), NOW)) == keys(wanted)


def test_an_author_whose_last_page_went_offline_no_longer_belongs(home):
    author = person()
    page = post(home, authors=[author])
    page.unpublish()
    assert PageAuthors().by_key(keys(author), NOW) == {}


def test_paging_authors_of_the_callable_goes_on_after_a_cursor(home):
    people = [person() for _ in range(5)]
    for author in people:
        post(home, authors=[author])
    pages = list(PageAuthors().pages(NOW, size=2))
    assert [len(page.recipients) for page in pages] == [2, 2, 1]
    assert {recipient.key for page in pages for recipient in page.recipients} == set(keys(*people))
    assert list(PageAuthors().pages(NOW, after=pages[1].cursor, size=2)) == pages[2:]


def test_authors_of_the_callable_cost_the_same_for_ten_as_for_a_hundred(home, django_assert_num_queries):
    people = [person() for _ in range(100)]
    for author in people:
        post(home, authors=[author])
    for some in (people[:10], people):
        # A chunk of pages, who wrote them, these people's profiles, who of them is verified.
        with django_assert_num_queries(4):
            assert len(PageAuthors().by_key(keys(*some), NOW)) == len(some)


def test_authors_may_be_people_who_are_no_users(home, settings):
    settings.WAGTAIL_LIFECYCLE_AUTHORS = f"{__name__}.the_guest"
    post(home)
    assert members(PageAuthors()) == {"guest@example.org"}
    assert list(PageAuthors().by_key(["guest:1"], NOW)) == ["guest:1"]


def test_a_callable_that_knows_nobody_makes_an_empty_audience(home, settings):
    settings.WAGTAIL_LIFECYCLE_AUTHORS = f"{__name__}.nobody_s_callable"
    post(home, owner=person())
    assert members(PageAuthors()) == set()
    assert PageAuthors().by_key(["user:1"], NOW) == {}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Zoë Okafor", "Zoë Okafor"),
        ("Bob\r\nBcc: x", "Bob Bcc: x"),
        ("\u202egro\u202c", "gro"),
        ("https://evil.example/win a prize", ""),
        ("Win at evil.example", ""),
        ("J. R. R. Tolkien", "J. R. R. Tolkien"),
        ("نور الدين", "نور الدين"),
    ],
)
def test_a_name_never_carries_a_message_of_a_stranger(name, shown):
    assert Recipient(key="user:1", address="a@example.org", name=name).name == shown
