"""Merge-tag chips between the editor and the database."""

import json

import pytest
from wagtail.admin.rich_text.converters.contentstate import ContentstateConverter
from wagtail.admin.rich_text.editors.draftail import DraftailRichTextArea

from wagtail_lifecycle import registry
from wagtail_lifecycle.audiences import ActiveUsers
from wagtail_lifecycle.wagtail_admin.merge_tags import ENTITY, offered_merge_tags, shared_merge_tags


def converter():
    return ContentstateConverter(features=["bold", "link", "merge-tag"])


def round_trip(html):
    return converter().to_database_format(converter().from_database_format(html))


def entity(html):
    (found,) = json.loads(converter().from_database_format(html))["entityMap"].values()
    return found


def raw(data, *, text="First name"):
    """What a browser posts: one paragraph that is one chip."""
    block = {"key": "a", "type": "unstyled", "depth": 0, "text": text, "inlineStyleRanges": []}
    block["entityRanges"] = [{"key": 0, "offset": 0, "length": len(text)}]
    chip = {"mutability": "IMMUTABLE", "type": ENTITY, "data": data}
    return json.dumps({"blocks": [block], "entityMap": {"0": chip}})


CHIP = '<span data-merge-tag="recipient.first_name" data-fallback="friend">First name</span>'


def test_a_chip_survives_the_way_through_the_editor():
    html = f'<p data-block-key="a">Hello {CHIP}, <b>welcome</b></p>'
    assert round_trip(html) == html


def test_the_editor_gets_the_path_and_the_fallback():
    assert entity(f"<p>{CHIP}</p>") == {
        "type": ENTITY,
        "mutability": "IMMUTABLE",
        "data": {"path": "recipient.first_name", "fallback": "friend"},
    }


def test_a_chip_without_fallback_has_an_empty_one():
    chip = '<p><span data-merge-tag="recipient.name">Full name</span></p>'
    assert entity(chip)["data"] == {"path": "recipient.name", "fallback": ""}
    assert 'data-fallback=""' in round_trip(chip)


def test_a_fallback_is_escaped_as_an_attribute():
    fallback = '"><script>alert(1)</script>'
    html = converter().to_database_format(raw({"path": "recipient.name", "fallback": fallback}))
    assert "<script>" not in html
    assert entity(html)["data"]["fallback"] == fallback


@pytest.mark.parametrize("path", ["", None, 'a" onclick="x', "{{ settings }}", "recipient.", ["recipient.name"]])
def test_what_is_no_merge_tag_stays_as_its_words(path):
    html = converter().to_database_format(raw({"path": path}, text="Hello"))
    assert html == '<p data-block-key="a">Hello</p>'


def test_the_editor_offers_what_all_audiences_share():
    paths = [tag["path"] for tag in shared_merge_tags()]
    assert "recipient.first_name" in paths

    class Strangers(ActiveUsers):
        name = "strangers"
        merge_tags = {"recipient.name": "Somebody", "recipient.data.city": "Lima"}

    with registry.audiences.temporarily(Strangers):
        assert [tag["path"] for tag in shared_merge_tags()] == ["recipient.name"]


def test_the_editor_is_told_the_tags_and_the_words_of_the_picker():
    widget = DraftailRichTextArea(features=["merge-tag"])
    (options,) = widget.options["entityTypes"]
    assert options["type"] == ENTITY
    assert options["tags"][0]["label"] == "First name"
    assert options["texts"]["insert"] == "Insert"
    assert "admin-merge-tags" in str(widget.media)


def test_the_page_of_a_campaign_knows_what_each_audience_offers():
    class Strangers(ActiveUsers):
        name = "strangers"
        merge_tags = {"recipient.name": "Somebody", "recipient.data.city": "Lima"}

    with registry.audiences.temporarily(Strangers):
        offered = {tag["path"]: tag for tag in offered_merge_tags()}
    assert offered["recipient.data.city"]["examples"] == {"strangers": "Lima"}
    assert offered["recipient.name"]["examples"]["strangers"] == "Somebody"
    assert {path for path, tag in offered.items() if tag["isShared"]} == {"recipient.name"}
