"""The three kinds of campaigns of the demo become the mails they should be."""

import json
import re
from datetime import UTC, datetime
from email.utils import parseaddr

import pytest
import time_machine
from django.core.management import call_command
from django.db.models import Sum
from django_celery_beat.models import PeriodicTask
from wagtail.models import Locale

from demo_site.publication.models import PostPage
from demo_site.publication.people import GERMAN_READERS, UNVERIFIED
from demo_site.publication.texts import read_authors
from wagtail_lifecycle import dispatch
from wagtail_lifecycle.models import Campaign, DailyPageViews

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

#: a Wednesday, six in the morning in Berlin
TODAY = datetime(2026, 6, 17, 4, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(TODAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def demo(clock, db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    call_command("load_demo", verbosity=0)
    call_command("load_sample_views", verbosity=0)


def sent(name, slot, clock, mailoutbox):
    """Send one run of the campaign and return its mails by address."""
    clock.move_to(slot)
    run = dispatch.open_run(Campaign.objects.get(name=name), slot, slot)
    while dispatch.send_batch(run.pk):
        pass
    return {parseaddr(mail.to[0])[1]: mail for mail in mailoutbox}


def views_on(day, **pages):
    return DailyPageViews.objects.filter(day=day, **pages).aggregate(total=Sum("count"))["total"] or 0


def test_every_live_campaign_is_one_periodic_task_with_its_id_and_queue(demo):
    tasks = PeriodicTask.objects.filter(name__startswith="wagtail_lifecycle.campaign.")
    live = Campaign.objects.filter(live=True, locale=Locale.get_default())
    assert {json.loads(task.args)[0] for task in tasks} == {campaign.pk for campaign in live}
    assert len(tasks) == len(live) == 6
    assert sorted((task.task, task.enabled, task.queue) for task in tasks) == [
        *[("wagtail_lifecycle.tick", True, "lifecycle-bulk")] * 4,
        *[("wagtail_lifecycle.tick", True, "lifecycle-transactional")] * 2,
    ]


def test_the_daily_digest_tells_every_author_yesterdays_views(demo, clock, mailoutbox):
    mails = sent("Daily views digest", datetime(2026, 6, 17, 5, tzinfo=UTC), clock, mailoutbox)
    assert set(mails) == {f"{author.key}@example.org" for author in read_authors()}
    for address, mail in mails.items():
        language = "de" if address in GERMAN_READERS else "en-gb"
        posts = PostPage.objects.filter(post_authors__user__email=address)
        total = views_on("2026-06-16", page__in=posts)
        assert total
        words = f"{total:,} view" if language == "en-gb" else f"{total:,} Aufruf".replace(",", ".")
        assert f"\n{words}" in mail.body
        assert f'lang="{language}"' in mail.alternatives[0][0]
        assert all(post.title in mail.body for post in posts if views_on("2026-06-16", page=post))
        assert mail.subject.startswith(mail.to[0].split('"')[1].split()[0])


def test_the_monthly_report_tells_the_owners_the_sites_numbers(demo, clock, mailoutbox):
    mails = sent("Monthly report", datetime(2026, 7, 1, 6, tzinfo=UTC), clock, mailoutbox)
    total = DailyPageViews.objects.filter(day__year=2026, day__month=6).aggregate(total=Sum("count"))["total"]
    assert set(mails) == {"owner@example.org"}
    assert f"\n{total:,} views" in mails["owner@example.org"].body
    assert "June 2026" in mails["owner@example.org"].body


def test_the_weekly_reminder_goes_to_members_who_have_not_verified(demo, clock, mailoutbox):
    mails = sent("Weekly reminder to verify", datetime(2026, 6, 22, 7, tzinfo=UTC), clock, mailoutbox)
    assert set(mails) == {"member@example.org", *UNVERIFIED}
    assert {address: mail.subject for address, mail in mails.items()} == {
        address: "Ist das noch Ihre Adresse?" if address in GERMAN_READERS else "Is this still your address?"
        for address in mails
    }


def test_a_german_reader_reads_german_and_the_pages_behind_the_mail_answer_in_german(demo, clock, client, mailoutbox):
    mail = sent("Daily views digest", datetime(2026, 6, 17, 5, tzinfo=UTC), clock, mailoutbox)[
        "soren.bjorndal@example.org"
    ]
    assert mail.subject == "Søren, das sind Ihre Aufrufe von gestern"
    assert "16. Juni 2026" in mail.body
    assert "Diese Mail gehört zu" in mail.body
    url = mail.extra_headers["List-Unsubscribe"].strip("<>")
    assert url in mail.body
    page = client.get(url).content.decode()
    assert '<html lang="de"' in page
    assert "Alle Mails abbestellen" in page


def test_the_link_to_verify_leads_to_a_page_in_the_mail_s_language(demo, clock, client, mailoutbox):
    mail = sent("Weekly reminder to verify", datetime(2026, 6, 22, 7, tzinfo=UTC), clock, mailoutbox)[
        "wen.li@example.org"
    ]
    [url] = re.findall(r"https://\S+/verify/\S+", mail.body)
    assert ">Bestätigen</button>" in re.sub(r"\s+", " ", client.get(url).content.decode()).replace("> ", ">")
    again = client.get(url.replace("/verify/", "/verify/x", 1)).content.decode()
    assert "Dieser Link funktioniert nicht" in again
    assert "/lifecycle/verify/?lang=de" in again
