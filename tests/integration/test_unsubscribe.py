"""One click to stop: what a person and their mail program meet."""

import re

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import translation
from wagtail.models import Site

from tests.support.factories import NOW, make_campaign, make_run, make_topic, make_user
from wagtail_lifecycle import dispatch, links, signals
from wagtail_lifecycle.models import OptOut
from wagtail_lifecycle.models.people import hash_address

pytestmark = pytest.mark.django_db

ANA = hash_address("ana@example.org")
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def topic():
    return make_topic("Weekly news", description="What was published, on Mondays.")


@pytest.fixture
def url(topic):
    return links.unsubscribe_url(ANA, topic.pk, base="http://testserver").removeprefix("http://testserver")


@pytest.fixture
def strict_client():
    """A client that would be refused without a CSRF token, as a browser is."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def own_base(settings):
    """The package's pages, without the demo's design around them."""
    [engine] = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": []}]


def words(page):
    return re.sub(r"\s+", " ", BeautifulSoup(page, "html.parser").text).strip()


def wishes():
    return set(OptOut.objects.values_list("address_hash", "topic__name"))


def test_the_page_names_the_topic_and_not_the_person(client, url):
    page = client.get(url)
    text = page.content.decode()
    assert page.status_code == 200
    assert "Stop mails about Weekly news" in re.sub(r"\s+", " ", text)
    assert "What was published, on Mondays." in text
    assert "ana" not in text
    assert ANA not in text


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing(client, url, method):
    assert getattr(client, method)(url).status_code == 200
    assert wishes() == set()


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_other_methods_are_refused(client, url, method):
    assert getattr(client, method)(url).status_code == 405
    assert wishes() == set()


def test_a_mail_program_stops_the_topic_with_one_post_without_cookie_token_login_or_redirect(strict_client, url):
    answer = strict_client.post(url, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert not answer.cookies
    assert wishes() == {(ANA, "Weekly news")}


def test_a_mail_program_may_post_a_multipart_form(strict_client, url):
    assert strict_client.post(url, ONE_CLICK).status_code == 200
    assert wishes() == {(ANA, "Weekly news")}


def test_an_empty_post_stops_the_topic_too(strict_client, url):
    assert strict_client.post(url, "", content_type="text/plain").status_code == 200
    assert wishes() == {(ANA, "Weekly news")}


def test_stopping_twice_is_stopping_once(client, url):
    heard = []

    def note(signal, sender, **values):
        heard.append(values)

    signals.unsubscribed.connect(note)
    try:
        answers = [client.post(url, ONE_CLICK).status_code for _ in range(2)]
    finally:
        signals.unsubscribed.disconnect(note)
    assert answers == [200, 200]
    assert OptOut.objects.count() == 1
    assert heard == [{"address_hash": ANA, "topic_id": OptOut.objects.get().topic_id}]


def test_the_button_stops_the_topic_and_the_next_page_can_undo_it(client, url):
    page = client.post(url, {"choice": "topic"}).content.decode()
    assert "The Quick Publisher will send you no more mails about “Weekly news”." in words(page)
    assert 'value="undo-topic"' in page
    client.post(url, {"choice": "undo-topic"})
    assert wishes() == set()


def test_a_person_can_stop_everything_and_take_it_back(client, url):
    page = client.post(url, {"choice": "all"}).content.decode()
    assert wishes() == {(ANA, None)}
    assert 'value="undo-all"' in page
    client.post(url, {"choice": "all"})
    assert OptOut.objects.count() == 1
    client.post(url, {"choice": "undo-all"})
    assert wishes() == set()


def test_undoing_one_topic_leaves_a_wish_to_stop_everything(client, url):
    client.post(url, {"choice": "all"})
    client.post(url, {"choice": "undo-topic"})
    assert wishes() == {(ANA, None)}


def test_a_replay_after_subscribing_again_only_does_what_the_person_may_do(client, url):
    client.post(url, {"choice": "topic"})
    client.post(url, {"choice": "undo-topic"})
    client.post(url, ONE_CLICK)
    assert wishes() == {(ANA, "Weekly news")}


def test_a_link_of_a_deleted_topic_answers_and_stops_nothing_else(client, url, topic):
    topic.delete()
    assert client.get(url).status_code == 200
    for form in (ONE_CLICK, {"choice": "undo-topic"}):
        assert client.post(url, form).status_code == 200
    assert wishes() == set()
    client.post(url, {"choice": "all"})
    assert wishes() == {(ANA, None)}


def test_undoing_a_deleted_topic_does_not_undo_stopping_everything(client, url, topic):
    client.post(url, {"choice": "all"})
    topic.delete()
    client.post(url, {"choice": "undo-topic"})
    assert wishes() == {(ANA, None)}


def test_somebody_else_s_wish_is_not_touched(client, url, topic):
    bo = OptOut.objects.create(address_hash=hash_address("bo@example.org"), topic=topic, created_at=NOW)
    client.post(url, {"choice": "topic"})
    client.post(url, {"choice": "undo-topic"})
    assert list(OptOut.objects.all()) == [bo]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("change", ["flipped", "cut", "junk", "10 kB"])
def test_every_wrong_token_gets_the_same_page_and_changes_nothing(client, url, method, change):
    token = url.rstrip("/").rpartition("/")[2]
    wrong = {
        "flipped": ("B" if token[0] == "A" else "A") + token[1:],
        "cut": token[:-1],
        "junk": "nothing",
        "10 kB": "x" * 10_000,
    }[change]
    answer = getattr(client, method)(url.replace(token, wrong))
    assert answer.status_code == 404
    assert answer.content == client.get(url.replace(token, "other")).content
    assert "Weekly news" not in answer.content.decode()
    assert wishes() == set()


@pytest.mark.parametrize("token", ["", "nothing"])
def test_no_answer_is_kept_indexed_framed_or_told_to_other_sites(client, url, token):
    answer = client.get("/lifecycle/unsubscribe/nothing/" if token else url)
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"]
    assert answer["X-Frame-Options"] == "DENY"


def test_the_page_works_without_javascript_and_under_a_strict_policy(client, url):
    page = client.get(url).content.decode()
    assert "<script" not in page
    assert "<style" not in page
    assert not re.search(r'\s(style|on\w+)="', page)
    assert "<h1>" in page
    assert re.search(r'<html lang="[a-z-]+" dir="ltr">', re.sub(r"\s+", " ", page))


def home_link(page, site):
    [link] = BeautifulSoup(page, "html.parser").find_all(
        "a", string=lambda text: text and text.strip() == f"Go to {site}"
    )
    return link["href"]


@pytest.mark.usefixtures("own_base")
def test_every_page_says_whose_it_is_and_leads_there(client, url):
    wrong = "/lifecycle/unsubscribe/nothing/"
    pages = [client.get(url), client.post(url), client.post(url, {"choice": "undo-topic"}), client.get(wrong)]
    for page in (BeautifulSoup(answer.content, "html.parser") for answer in pages):
        title = re.sub(r"\s+", " ", page.title.text).strip()
        assert title.endswith(" · The Quick Publisher")
        link = page.select_one(".lifecycle-site a")
        assert (link.text, link["href"]) == ("The Quick Publisher", "/")
        assert "The Quick Publisher" in page.main.text


@pytest.mark.usefixtures("own_base")
def test_the_name_that_visitors_know_comes_before_that_of_the_admin(client, url, settings):
    Site.objects.update(site_name="The Daily <Loaf>", hostname="loaf.example")
    assert "The Daily <Loaf> will send you no more mails about" in words(client.get(url).content)
    Site.objects.update(site_name="")
    assert "The Quick Publisher will send" in words(client.get(url).content)
    del settings.WAGTAIL_SITE_NAME
    assert "loaf.example will send" in words(client.get(url).content)
    assert home_link(client.get("/lifecycle/unsubscribe/nothing/").content, "loaf.example") == "/"


def test_the_demo_shows_the_pages_in_its_own_design_without_the_visitors_account(client, url):
    client.force_login(make_user("bo@example.org"))
    for path in (url, "/lifecycle/unsubscribe/nothing/"):
        answer = client.get(path)
        page = BeautifulSoup(answer.content, "html.parser")
        assert re.sub(r"\s+", " ", page.title.text).strip().endswith(" · The Quick Publisher")
        assert page.select_one('meta[name="robots"][content="noindex, nofollow"]')
        assert page.select_one('.site-header a[href="/"]')
        assert "Log out" not in page.text
        assert not answer.cookies


@pytest.mark.usefixtures("own_base")
def test_the_page_turns_around_for_right_to_left_languages(client, url):
    with translation.override("ar"):
        assert 'dir="rtl"' in client.get(url).content.decode()


def test_the_link_in_a_sent_mail_stops_the_next_one(client, mailoutbox, topic):
    make_user("ana@example.org")
    campaign = make_campaign(topic=topic)
    dispatch.send_batch(make_run(campaign).pk)
    [message] = mailoutbox
    link = message.extra_headers["List-Unsubscribe"].strip("<>")
    assert link in message.body
    assert f'href="{link}"' in message.alternatives[0][0]
    assert client.post(link.removeprefix("https://publisher.example.org"), ONE_CLICK).status_code == 200
    run = make_run(campaign, slot=NOW)
    assert dict(run.deliveries.values_list("status", "reason")) == {"skipped": "opted_out"}
    assert len(mailoutbox) == 1
