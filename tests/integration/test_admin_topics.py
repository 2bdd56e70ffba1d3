"""Topics in the admin."""

import pytest
from bs4 import BeautifulSoup

from tests.support.admin import logged_in
from tests.support.factories import make_campaign, make_topic
from wagtail_lifecycle.models import Topic

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LIST = "/admin/snippets/wagtail_lifecycle/topic/"


def lines(response):
    soup = BeautifulSoup(response.content, "html.parser")
    return [" ".join(row.get_text(" ").split()) for row in soup.select("table.listing tbody tr")]


def test_a_topic_is_written():
    data = {"name": "Reports", "slug": "reports", "description": "Numbers about your pages."}
    logged_in("moderator").post(f"{LIST}add/", data)
    assert Topic.objects.get().description == "Numbers about your pages."


def test_two_topics_cannot_have_one_name():
    make_topic("Reports")
    response = logged_in("moderator").post(f"{LIST}add/", {"name": "Reports", "slug": "other"})
    assert "name" in response.context["form"].errors


def test_the_list_counts_the_campaigns_of_each_topic(django_assert_max_num_queries):
    make_topic("Reminders")
    for _ in range(3):
        make_campaign(topic=make_topic("Reports"), publish=False)
    client = logged_in("moderator")
    with django_assert_max_num_queries(40):
        first, second = lines(client.get(LIST))
    assert "Reminders" in first
    assert first.endswith("0")
    assert "Reports" in second
    assert second.endswith("3")


def test_topics_are_searched():
    make_topic("Reminders")
    make_topic("Reports")
    (line,) = lines(logged_in("moderator").get(f"{LIST}?q=remind"))
    assert "Reminders" in line


@pytest.mark.parametrize(("role", "allowed"), [("visitor", False), ("editor", False), ("moderator", True)])
def test_who_may_write_topics(role, allowed):
    client = logged_in(role)
    client.post(f"{LIST}add/", {"name": "Reports", "slug": "reports", "description": ""})
    assert Topic.objects.exists() is allowed
