"""A real publication, a real access log, and one digest to every author who was read."""

import csv
import email
import email.policy
import json
import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from email.utils import parseaddr

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from demo_site.publication.models import PostPage
from tests.support import check_email
from tests.support.content import body
from wagtail_lifecycle import dispatch
from wagtail_lifecycle.models import Campaign, DailyPageViews, Delivery, Topic
from wagtail_lifecycle.page_views.access_log import is_asset, normalised, parse
from wagtail_lifecycle.page_views.people import is_robot

pytestmark = [pytest.mark.data, pytest.mark.django_db]

LOG = "access-logs/apache_17-18May2015.log"
DAY = date(2015, 5, 18)
#: "12 (+20%)  A title" and "12 views (+20%)" in the text part
ROW = re.compile(r"^([\d,]+)(?: \([^)]*\))?  (.+)$", re.MULTILINE)
TOTAL = re.compile(r"^([\d,]+) views?(?: \([^)]*\))?$", re.MULTILINE)


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker, real_data):
    """The publication, loaded once for all tests of this module; each of them is undone by itself."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("load_publication", str(real_data / "publication"), verbosity=0)
        yield list(PostPage.objects.order_by("pk"))
        transaction.set_rollback(True)


@pytest.fixture
def publication(loaded, db):
    return loaded


@pytest.fixture
def imported(publication, real_data, tmp_path):
    """The log's pages by rank onto the posts by age, and the log imported through that map."""
    log = real_data / LOG
    with (tmp_path / "map.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            (path, publication[rank % len(publication)].pk) for rank, path in enumerate(_paths_by_rank(log))
        )

    def run():
        call_command("lifecycle_import_log", str(log), "--map", str(tmp_path / "map.csv"), verbosity=0)

    run()
    return run


def _paths_by_rank(log):
    with log.open("rb") as lines:
        hits = [hit for hit in map(parse, lines) if hit.method == "GET" and hit.status == 200]
    ranked = Counter(
        path for hit in hits if not is_asset(path := normalised(hit.path)) and not is_robot(hit.user_agent)
    )
    return [path for path, _count in ranked.most_common()]


@pytest.fixture
def campaign(db):
    campaign = Campaign(
        name="Daily views",
        subject="Your pages: {{ recipient.first_name | you }}",
        sender="news",
        audience="page_authors",
        topic=Topic.objects.create(name="Reports", slug="reports"),
        frequency="daily",
        time_of_day="07:00",
        body=body(("page_views", {"heading": "Views of your pages", "when_empty": "Nobody came."})),
    )
    campaign.save()
    campaign.save_revision().publish()
    return campaign


def test_the_publication_has_its_posts_and_their_authors(publication, real_data):
    posts = json.loads(next((real_data / "publication").glob("*.json")).read_text())
    assert len(publication) == len(posts) == 312
    written = {author.user.name for post in publication for author in post.post_authors.select_related("user")}
    assert written == {name.strip() for post in posts for name in post["authors"]}
    assert len(written) == 138
    assert sum(post.post_authors.count() > 1 for post in publication) == sum(len(p["authors"]) > 1 for p in posts)


def test_the_imported_views_agree_with_the_reference_and_do_not_add_up(imported, real_data):
    reference = json.loads((real_data / LOG.replace(".log", ".reference.json")).read_text())
    before = set(DailyPageViews.objects.values_list("page", "day", "source", "count"))
    assert sum(row[3] for row in before) == pytest.approx(reference["not_known_bot_get200_page_hits"], rel=0.02)
    imported()
    assert set(DailyPageViews.objects.values_list("page", "day", "source", "count")) == before


def test_one_run_mails_every_author_who_was_read_once_with_true_numbers(imported, campaign, mailoutbox, tmp_path):
    expected = _views_by_author()
    run = dispatch.open_run(campaign, datetime(2015, 5, 19, 7, tzinfo=UTC), timezone.now())
    while dispatch.send_batch(run.pk):
        pass
    run.refresh_from_db()
    assert run.status == "finished"
    assert (run.period_start, run.period_end) == (DAY, date(2015, 5, 19))
    assert Counter(map(_address, mailoutbox)) == dict.fromkeys(expected, 1)
    assert Delivery.objects.filter(run=run, status="sent").count() == len(expected) > 50
    for mail in mailoutbox:
        _assert_numbers(mail, expected[_address(mail)])
    _assert_standards(mailoutbox, tmp_path)


def _views_by_author():
    """Author's address → {title: views}, computed slowly from the tables."""
    expected = defaultdict(dict)
    for row in DailyPageViews.objects.filter(day=DAY):
        post = PostPage.objects.get(pk=row.page_id)
        for author in post.post_authors.select_related("user"):
            expected[author.user.email][post.title] = row.count
    return expected


def _address(mail):
    return parseaddr(mail.to[0])[1]


def _assert_numbers(mail, views):
    shown = {title: int(count.replace(",", "")) for count, title in ROW.findall(mail.body)}
    best = sorted(views.values(), reverse=True)[:10]
    assert sorted(shown.values(), reverse=True) == best
    assert all(views[title] == count for title, count in shown.items())
    assert [int(total.replace(",", "")) for total in TOTAL.findall(mail.body)] == [sum(views.values())]
    html = mail.alternatives[0][0]
    assert all(f"<strong>{count:,}</strong>" in html for count in shown.values())


def _assert_standards(mails, folder):
    file = folder / "mails.jsonl"
    with file.open("w") as lines:
        for mail in mails:
            raw = mail.message().as_bytes(policy=email.policy.SMTP)
            entry = {
                "from": parseaddr(mail.from_email)[1],
                "rcpts": [_address(mail)],
                "raw": raw.decode("utf-8", "surrogateescape"),
            }
            lines.write(json.dumps(entry) + "\n")
    options = ["--profile", "bulk", "--domain", "example.org", "--postal", "Main St", "--allow-loopback", "--strict"]
    assert check_email.main([*options, str(file)]) == 0
