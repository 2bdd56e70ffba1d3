"""Every check of the pre-flight finds what it is there for, and leaves its twin alone."""

import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils.safestring import mark_safe
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file

from tests.support.content import body, paragraph
from tests.support.factories import NOW, make_campaign, make_empty_run, make_translation, make_user
from tests.support.publication import home_page
from wagtail_lifecycle import preflight, registry
from wagtail_lifecycle.blocks import EmailBlock
from wagtail_lifecycle.models import SenderState
from wagtail_lifecycle.models.problems import Problem
from wagtail_lifecycle.preflight.clients import CLIENTS, FEATURES
from wagtail_lifecycle.preflight.flights import Circumstances
from wagtail_lifecycle.preflight.tallies import Tally

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

GOOD = {"subject": "Three new stories", "preheader": "Fog, bread and a bridge.", "publish": False}
SENDER = {"from": "News <news@example.org>", "postal_address": "1 Main St", "reply_to": "us@example.org"}


BEFORE, AFTER = "<mj-section><mj-column><mj-text>", "</mj-text></mj-column></mj-section>"


@pytest.fixture(autouse=True)
def _no_renditions_of_other_tests():
    # Wagtail keeps them by the image's primary key, which tests have in common.
    cache.clear()


def campaign(*blocks, **fields):
    return make_campaign(*blocks, **{**GOOD, **fields})


def written(html):
    return campaign(paragraph(html))


def button(**value):
    return campaign(("button", {"text": "Read the story", "page": None, "url": "", **value}))


def pages(*, live=True, private=False, deleted=False):
    home = home_page()
    page = home.add_child(instance=home.__class__(title="A bridge", slug="a-bridge", live=live))
    if private:
        page.view_restrictions.create(restriction_type="login")
    page_id = page.pk
    if deleted:
        page.delete()
    return campaign(paragraph(f'See <a linktype="page" id="{page_id}">A bridge</a> today.'))


def picture(alt="A bridge"):
    image = get_image_model().objects.create(title="Bridge", file=get_test_image_file())
    value = {"image": image.pk, "alt_text": alt, "decorative": False}
    return campaign(("image", {"image": value, "page": None, "url": "https://a.de/"}), paragraph("Look."))


def heavy(octets):
    made = picture()
    flight = preflight.Flight(made, NOW)
    assert flight.html
    image = next(item.value for item in flight.items if item.name == "image")
    for rendition in image.renditions.all():
        with rendition.file.open("wb") as file:
            file.write(b"x" * octets)
    return made


def with_html(html):
    """A mail with a block of the site's own."""

    class OwnBlock(EmailBlock):
        name = "own"

        def render(self, _value, context=None):
            return mark_safe(html if context["mail_format"] == "txt" else f"{BEFORE}{html}{AFTER}")

    with registry.blocks.temporarily(OwnBlock):
        made = campaign(("own", {}))
        return preflight.examine(made, NOW)


def around(**values):
    fine = {"next_slot": NOW + timedelta(days=1), "beat_seen": NOW, "worker_seen": NOW}
    return {"circumstances": Circumstances(**{**fine, **values})}


def senders(settings, **changes):
    settings.WAGTAIL_LIFECYCLE_SENDERS = {"news": {**SENDER, **changes}}
    return campaign()


def after_runs(*sizes, people):
    made = make_campaign(**{**GOOD, "publish": True})
    for number, size in enumerate(sizes):
        make_empty_run(made, slot=NOW - timedelta(days=number + 1), status="finished", totals={"sent": size})
    for _ in range(people):
        make_user()
    return made


def translated(body_of_translation):
    made = make_campaign(**{**GOOD, "publish": True})
    make_translation(made, "de", body=body_of_translation)
    return made


def paused_sender(key):
    SenderState.objects.create(key=key, paused_at=NOW, reason="person")
    return campaign()


def expiring(days):
    return campaign(expire_at=NOW + timedelta(days=days))


def problem(field):
    return Problem(field, "That moment has passed.")


#: code: what is found, and its twin, where nothing is. Each makes a campaign, a campaign and what is known of it, or a
#: report.
CASES = {
    "sendable": (lambda s: campaign(subject=""), lambda s: campaign()),
    "subject_long": (lambda s: campaign(subject="words " * 20), lambda s: campaign()),
    "subject_shouting": (lambda s: campaign(subject="BUY NOW 50%"), lambda s: campaign(subject="NASA on Mars")),
    "subject_punctuation": (lambda s: campaign(subject="Really?!"), lambda s: campaign(subject="Really!")),
    "preheader_missing": (lambda s: campaign(preheader=" "), lambda s: campaign()),
    "preheader_repeats": (lambda s: campaign(preheader="Three new stories!"), lambda s: campaign()),
    "heading_order": (
        lambda s: written("</p><h2>One</h2><h4>Two</h4><p>"),
        lambda s: written("</p><h2>One</h2><h3>Two</h3><p>"),
    ),
    "link_words": (
        lambda s: written('<a href="https://a.de/">Click here</a>'),
        lambda s: written('<a href="https://a.de/">Our prices</a>'),
    ),
    "text_empty": (lambda s: campaign(("divider", {})), lambda s: written("Words.")),
    "link_empty": (lambda s: written('<a href="">Prices</a>'), lambda s: written('<a href="https://a.de/">Prices</a>')),
    "link_relative": (
        lambda s: written('<a href="prices.html">Prices</a>'),
        lambda s: written('<a href="/prices/">Prices</a>'),
    ),
    "link_unsafe": (
        lambda s: written('<a href="javascript:alert(1)">Prices</a>'),
        lambda s: written('<a href="tel:+491234">Call</a>'),
    ),
    "link_example": (lambda s: button(url="http://localhost:8000/"), lambda s: button(url="https://a.de/")),
    "link_dead": (lambda s: pages(deleted=True), lambda s: pages()),
    "link_unpublished": (lambda s: pages(live=False), lambda s: pages()),
    "link_private": (lambda s: pages(private=True), lambda s: pages()),
    "alt_missing": (lambda s: picture(alt=""), lambda s: picture()),
    "images_heavy": (lambda s: heavy(1_000_001), lambda s: heavy(1000)),
    "contrast_low": (
        lambda s: with_html('<p style="background:#ffffff;color:#bbbbbb">Faint</p>'),
        lambda s: with_html('<p style="background:#ffffff;color:#333333">Clear</p>'),
    ),
    "client_support": (lambda s: with_html('<p style="display:grid">Grid</p>'), lambda s: with_html("<p>Plain</p>")),
    "size_cut": (
        lambda s: (campaign(), {"tally": Tally(largest=102 * 1024 + 1)}),
        lambda s: (campaign(), {"tally": Tally(largest=102 * 1024)}),
    ),
    "size_large": (
        lambda s: (campaign(), {"tally": Tally(largest=80 * 1024 + 1)}),
        lambda s: (campaign(), {"tally": Tally(largest=80 * 1024)}),
    ),
    "merge_missing": (
        lambda s: (campaign(), {"tally": Tally(missing={"recipient.name": 3})}),
        lambda s: (campaign(), {"tally": Tally(made=3)}),
    ),
    "render_error": (
        lambda s: (campaign(), {"tally": Tally(errors={"ValueError": 1})}),
        lambda s: (campaign(), {"tally": Tally()}),
    ),
    "schedule_never": (
        lambda s: (campaign(), around(schedule_problem=problem("date"))),
        lambda s: (campaign(), around()),
    ),
    "schedule_expires": (lambda s: (expiring(0), around()), lambda s: (expiring(2), around())),
    "postal_address": (lambda s: senders(s, postal_address=""), senders),
    "sender_domain": (lambda s: senders(s, **{"from": "a@other.de"}), senders),
    "sender_noreply": (
        lambda s: senders(s, **{"from": "noreply@example.org", "reply_to": ""}),
        lambda s: senders(s, **{"from": "noreply@example.org"}),
    ),
    "sender_paused": (lambda s: paused_sender("news"), lambda s: paused_sender("other")),
    "audience_empty": (lambda s: campaign(), lambda s: make_user() and campaign()),
    "audience_unusual": (lambda s: after_runs(100, 120, 110, people=3), lambda s: after_runs(5, people=3)),
    "translation_broken": (
        lambda s: translated(body(paragraph('<span data-merge-tag="recipient.size">x</span>'))),
        lambda s: translated(body(paragraph("Gut."))),
    ),
    "beat_unseen": (lambda s: (campaign(), around(beat_seen=None, worker_seen=None)), lambda s: (campaign(), around())),
    "worker_unseen": (
        lambda s: (campaign(), around(worker_seen=NOW - timedelta(hours=1))),
        lambda s: (campaign(), around(beat_seen=None)),
    ),
}


def report_of(made):
    if isinstance(made, preflight.Report):
        return made
    subject, known = made if isinstance(made, tuple) else (made, {})
    return preflight.examine(subject, NOW, **known)


@pytest.mark.parametrize("code", CASES)
def test_a_check_finds_what_it_is_there_for_and_leaves_its_twin_alone(code, settings):
    failing, passing = CASES[code]
    check = registry.checks.get(code)
    report = report_of(failing(settings))
    found = [finding for finding in report.findings if finding.code == code]
    assert found, [finding.message for finding in report.findings]
    assert {finding.severity for finding in found} == {check.severity}
    assert all(finding.message.endswith(".") and "%(" not in finding.message for finding in found)
    SenderState.objects.all().delete()
    assert check in report_of(passing(settings)).passed


def test_every_check_has_a_case():
    assert set(CASES) == set(registry.checks.names())
    assert len(CASES) >= 20


def test_a_good_campaign_has_no_finding_at_all():
    make_user()
    report = preflight.examine(campaign(), NOW, tally=Tally(made=1), **around())
    assert report.findings == ()
    assert len(report.passed) == len(CASES)


def test_a_translation_is_asked_about_its_words_only():
    translation = make_translation(make_campaign(), "de")
    codes = {check.name for check in preflight.examine(translation, NOW, tally=Tally(), **around()).passed}
    assert "audience_empty" not in codes
    assert "link_dead" in codes


def test_a_finding_knows_the_block_it_is_in():
    made = written('<a href="https://a.de/">here</a>')
    (finding,) = [each for each in preflight.examine(made, NOW).findings if each.code == "link_words"]
    assert finding.block_id == made.body[0].id
    assert finding.field == "body"


def test_the_content_key_follows_what_is_said_and_not_what_wagtail_writes_down():
    made = campaign()
    before = preflight.content_key(made)
    made.live, made.locked = True, True
    assert preflight.content_key(made) == before
    made.subject = "Another one"
    assert preflight.content_key(made) != before


def test_the_content_key_is_the_same_before_and_after_a_look_at_the_body():
    # As starters and older versions have it: without the fields of a block that keep their default.
    column = {"type": "rich_text", "value": {"text": "<p>Hello</p>"}, "id": "b"}
    columns = {"type": "columns", "value": {"layout": "halves", "first": [column], "second": []}, "id": "a"}
    made = campaign(body=json.dumps([columns]))
    before = preflight.content_key(made)
    preflight.examine(made, NOW)
    assert preflight.content_key(made) == before


@pytest.mark.data
def test_the_table_of_clients_says_what_caniemail_says(real_data):
    stored = json.loads((real_data / "caniemail" / "caniemail.json").read_text())
    stats = {feature["slug"]: feature["stats"] for feature in stored["data"]}
    for feature in FEATURES:
        ignoring = {
            name
            for (family, platform), name in CLIENTS.items()
            if list(stats[feature.slug][family][platform].values())[-1].startswith("n")
        }
        assert set(feature.ignored_by) == ignoring, feature.slug
