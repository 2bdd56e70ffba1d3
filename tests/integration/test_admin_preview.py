"""The preview of a campaign: it follows the fields, and never raises."""

import pytest
from bs4 import BeautifulSoup
from wagtail import blocks as wagtail_blocks
from wagtail.test.utils.form_data import streamfield

from tests.support.admin import HEADING, form_data, logged_in, text, url
from tests.support.content import body
from tests.support.factories import make_campaign
from tests.support.publication import home_page, post
from wagtail_lifecycle import registry
from wagtail_lifecycle.blocks import EmailBlock
from wagtail_lifecycle.models import Campaign

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

MODES = ("html", "text")


@pytest.fixture
def editor(db):
    return logged_in("editor")


def preview(client, address, data, mode="html"):
    """Do what the preview panel does: post the unsaved fields, then show them."""
    answer = client.post(address, data).json()
    assert answer == {"is_valid": True, "is_available": True}
    return client.get(f"{address}?mode={mode}&in_preview_panel=true")


@pytest.mark.parametrize("mode", MODES)
def test_a_new_campaign_has_a_preview_before_it_is_saved(editor, mode):
    chip = text('Hello <span data-merge-tag="recipient.first_name" data-fallback="friend">First name</span>')
    response = preview(editor, url("preview_on_add"), form_data(HEADING, chip), mode)
    # The text part writes headings in capitals.
    assert "good morning" in response.content.decode().lower()
    assert "Hello Ana" in response.content.decode()
    assert not Campaign.objects.exists()


def revision_preview(client, campaign, mode):
    revision = campaign.save_revision()
    return client.get(f"{url('revisions_view', campaign.pk, revision.pk)}?mode={mode}")


def test_the_preview_follows_the_fields(editor):
    campaign = make_campaign()
    data = form_data(("heading", {"text": "Something else", "size": "large"}))
    assert "Something else" in preview(editor, url("preview_on_edit", campaign.pk), data).content.decode()


@pytest.mark.parametrize("mode", MODES)
def test_the_preview_begins_with_what_an_inbox_shows(editor, mode):
    fields = {"subject": "For {{ recipient.first_name | you }}", "preheader": "<b>&</b> {{ recipient.name }}"}
    html = preview(editor, url("preview_on_add"), form_data(**fields), mode).content.decode()
    (note,) = BeautifulSoup(html, "html.parser").select("body > [role=note]")
    # It stands in a shadow tree, out of reach of the mail's styles.
    told = " ".join(BeautifulSoup(note.template.decode_contents(), "html.parser").get_text(" ").split())
    assert "The Quick Publisher <news@example.org>" in told
    assert "For Ana · <b>&</b> Ana Lindqvist" in told
    assert "Example data: every reader sees their own." in told
    assert html.index('role="note"') < html.lower().index("good morning")


def test_the_block_picker_shows_no_inbox(editor):
    block = Campaign._meta.get_field("body").stream_block.child_blocks["heading"]
    shown = editor.get(f"/admin/block-preview/?id={block.definition_prefix}").content.decode()
    assert "Your week in numbers" in shown
    assert 'role="note"' not in shown


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "fields",
    [
        dict.fromkeys(["name", "subject", "sender", "audience", "time_of_day", "every"], ""),
        {"body": streamfield([])},
        {"subject": "Hello {{ nonsense"},
        {"body": streamfield([("heading", {"text": "", "size": "large"})])},
        {"body": streamfield([("button", {"text": "", "page": "", "url": ""})])},
    ],
)
def test_an_incomplete_draft_does_not_break_the_preview(editor, mode, fields):
    assert preview(editor, url("preview_on_add"), form_data(**fields), mode).status_code == 200


def test_a_merge_tag_the_audience_lacks_is_said_in_the_preview(editor):
    response = preview(editor, url("preview_on_add"), form_data(subject="{{ recipient.shoe_size }}"))
    assert "recipient.shoe_size" in response.content.decode()
    assert 'role="alert"' in response.content.decode()


@pytest.mark.parametrize("mode", MODES)
def test_a_deleted_page_does_not_break_the_preview(editor, mode):
    home = home_page()
    page = post(home, title="Fog signals")
    listed = ("page_list", {"heading": "Read this", "choice": "chosen", "pages": [page.pk]})
    campaign = make_campaign(listed, ("button", {"text": "Go", "page": page.pk, "url": ""}), publish=False)
    page.delete()
    response = revision_preview(editor, campaign, mode)
    assert response.status_code == 200
    assert "There is no preview yet" not in response.content.decode()
    assert "Fog signals" not in response.content.decode()


@pytest.mark.parametrize("mode", MODES)
def test_a_block_that_raises_does_not_break_the_preview(editor, mode, caplog):
    class Broken(EmailBlock):
        name = "broken"
        text = wagtail_blocks.CharBlock()

        def get_template(self, value=None, context=None):
            raise RuntimeError("a bug of the site")

    with registry.blocks.temporarily(Broken):
        campaign = make_campaign(publish=False, body=body(("broken", {"text": "x"})))
        response = revision_preview(editor, campaign, mode)
    assert "The site's log says why" in response.content.decode().replace("&#x27;", "'")
    assert "a bug of the site" in caplog.text


def test_the_preview_runs_no_script_and_shows_the_styles_of_mails(editor):
    response = preview(editor, url("preview_on_add"), form_data())
    assert "script" not in response.headers["Content-Security-Policy"].replace("default-src 'none'", "")
    assert "style-src 'unsafe-inline'" in response.headers["Content-Security-Policy"]


def test_previews_are_for_those_who_may_edit():
    campaign = make_campaign()
    for role in ("stranger", "visitor"):
        client = logged_in(role)
        for address in (url("preview_on_add"), url("preview_on_edit", campaign.pk)):
            assert client.get(address).status_code == 302
            assert client.post(address, form_data()).status_code == 302


def test_a_revision_can_be_looked_at(editor):
    campaign = make_campaign(("heading", {"text": "First words", "size": "large"}))
    response = editor.get(url("revisions_view", campaign.pk, campaign.latest_revision.pk))
    assert "First words" in response.content.decode()


def test_every_kind_of_block_has_a_preview_in_the_picker(editor):
    block = Campaign._meta.get_field("body").stream_block
    for child in block.child_blocks.values():
        response = editor.get(f"/admin/block-preview/?id={child.definition_prefix}")
        assert response.status_code == 200, child.name
        assert "There is no preview yet" not in response.content.decode(), child.name
