"""Too much, too deep and too odd: the editor and the preview answer in sentences, and never fail."""

import json

import pytest

from tests.support.admin import HEADING, form_data, logged_in, url
from tests.support.campaigns import draft
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.models.problems import problems_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def editor(db):
    return logged_in("moderator")


def draftail(**block):
    values = {"key": "a", "type": "unstyled", "depth": 0, "inlineStyleRanges": [], "entityRanges": [], **block}
    return ("rich_text", {"text": json.dumps({"blocks": [values], "entityMap": {}})})


def stored(html):
    """Put rich text past every form, as an import or a fixture would."""
    campaign = draft(name="Imported")
    Campaign.objects.filter(pk=campaign.pk).update(
        body=json.dumps([{"type": "rich_text", "value": {"text": html}, "id": "1"}])
    )
    campaign.refresh_from_db()
    return campaign


def preview_of(client, data):
    address = url("preview_on_add")
    assert client.post(address, data).status_code == 200
    return client.get(f"{address}?mode=html").content.decode()


@pytest.mark.parametrize(
    ("blocks", "shown"),
    [
        pytest.param([draftail(text="word " * 60_000)], "word word", id="300 kB of text"),
        pytest.param([("divider", {})] * 499 + [HEADING], "Good morning", id="500 blocks"),
        pytest.param([draftail(type="unordered-list-item", depth=20_000, text="low")], "low", id="20,000 lists"),
        pytest.param([draftail(text="<div>" * 20_000)], "&lt;div&gt;", id="20,000 tags typed as text"),
        pytest.param([("rich_text", {"text": "{not json"})], "belongs to your account", id="what is no rich text"),
    ],
)
def test_what_is_too_much_is_saved_and_shown(editor, blocks, shown):
    assert editor.post(url("add"), form_data(*blocks)).status_code == 302
    assert shown in preview_of(editor, form_data(*blocks))


def test_tags_nested_past_every_form_are_refused_with_a_sentence(editor):
    campaign = stored("<div>" * 20_000 + "deep" + "</div>" * 20_000)
    revision = campaign.save_revision()
    assert editor.get(url("edit", campaign.pk)).status_code == 200
    for mode in ("html", "text"):
        shown = editor.get(f"{url('revisions_view', campaign.pk, revision.pk)}?mode={mode}").content.decode()
        assert "nests tags more than 100 levels deep" in shown
    campaign.refresh_from_db()
    assert "nests tags" in " ".join(problem.message for problem in problems_of(campaign))
