"""The rules for people and assets meet a real access log and public lists of robots and browsers."""

import csv
import io
import json
from collections import Counter

import pytest
from django.core.management import call_command
from wagtail.models import Page

from tests.support.page_trees import root_page
from wagtail_lifecycle.models.page_views import DailyPageViews
from wagtail_lifecycle.page_views.access_log import is_asset, normalised, parse
from wagtail_lifecycle.page_views.people import is_robot

pytestmark = pytest.mark.data

LOG = "access-logs/apache_17-18May2015.log"


@pytest.fixture(scope="module")
def hits(real_data):
    with (real_data / LOG).open("rb") as lines:
        return [parse(line) for line in lines]


@pytest.fixture(scope="module")
def reference(real_data):
    return json.loads((real_data / LOG.replace(".log", ".reference.json")).read_text())


@pytest.fixture(scope="module")
def page_hits(hits):
    return [hit for hit in hits if hit.method == "GET" and hit.status == 200 and not is_asset(normalised(hit.path))]


def lines_of(path):
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def share_of_robots(user_agents):
    return sum(map(is_robot, user_agents)) / len(user_agents)


def test_every_line_of_a_real_log_is_understood(hits, reference):
    assert len(hits) == reference["lines"]
    assert None not in hits


def test_what_is_a_page_and_what_an_asset_agrees_with_the_reference(page_hits, reference):
    assert len(page_hits) == pytest.approx(reference["get200_page_hits"], rel=0.02)


def test_the_views_of_people_agree_with_the_reference_within_two_percent(page_hits, reference):
    people = [hit for hit in page_hits if not is_robot(hit.user_agent)]

    assert len(people) == pytest.approx(reference["not_known_bot_get200_page_hits"], rel=0.02)


def test_the_most_viewed_pages_agree_with_the_reference(page_hits, reference):
    ours = Counter(normalised(hit.path) for hit in page_hits if not is_robot(hit.user_agent))
    theirs = Counter()
    for path, count in reference["top40_not_known_bot"]:
        theirs[normalised(path)] += count

    assert sum(min(ours[path], count) for path, count in theirs.items()) >= 0.98 * theirs.total()


def test_no_genuine_browser_is_taken_for_a_robot(real_data):
    browsers = lines_of(real_data / "bots/browsers_intoli.txt")

    assert [browser for browser in browsers if is_robot(browser)] == []


def test_every_robot_of_crawler_user_agents_is_caught(real_data):
    entries = json.loads((real_data / "bots/monperrus_crawler-user-agents.json").read_text())

    assert share_of_robots([robot for entry in entries for robot in entry.get("instances", [])]) == 1


def test_four_of_five_robots_of_another_list_are_caught(real_data):
    assert share_of_robots(lines_of(real_data / "bots/crawlerdetect_crawlers.txt")) > 0.8


def test_four_of_five_robots_for_language_models_are_caught(real_data):
    assert share_of_robots(list(json.loads((real_data / "bots/ai_robots.json").read_text()))) > 0.8


def test_the_command_imports_the_people_of_a_real_log_and_a_second_time_changes_nothing(
    db, real_data, tmp_path, page_hits, reference
):
    page = root_page().add_child(instance=Page(title="All of it"))
    rows = tmp_path / "map.csv"
    with rows.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows((path, page.pk) for path in {normalised(hit.path) for hit in page_hits})

    def imported():
        call_command("lifecycle_import_log", str(real_data / LOG), "--map", str(rows), stdout=io.StringIO())
        return list(DailyPageViews.objects.values_list("page", "day", "source", "count"))

    once = imported()

    assert sum(count for *_, count in once) == pytest.approx(reference["not_known_bot_get200_page_hits"], rel=0.02)
    assert imported() == once
