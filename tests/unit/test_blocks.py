"""Every block of a mail: complete, empty, hostile, and without a query per person."""

import io
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.images import ImageFile
from PIL import Image as Pillow
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import PageViewRestriction

from tests.support.content import Reader, body, content
from tests.support.publication import home_page, post
from wagtail_lifecycle.registry import blocks, data_sources
from wagtail_lifecycle.rendering import Links, compile_mail, preview
from wagtail_lifecycle.rendering.preview import preview_mail

pytestmark = pytest.mark.any_database

HOSTILE = '"><img src=x onerror=alert(1)></mj-text></mj-raw>{{ 7|add:"1" }}{% now "Y" %}{# #}\\u{a0}\u00a0&amp;'
LINKS = Links(unsubscribe="https://x.test/u", site="https://x.test/", verify="https://x.test/v")
LINK = {"page": None, "url": "https://x.test/a?b=1&c=2"}
CELL = [
    {"type": "heading", "value": {"text": "Cell heading", "size": "medium"}},
    {"type": "rich_text", "value": {"text": "<p>Cell text</p>"}},
    {"type": "button", "value": {"text": "Cell button", **LINK}},
]

#: Each block with all of its fields, and words that both parts must show.
FULL: dict[str, tuple[dict[str, Any], list[str]]] = {
    "heading": ({"text": "A line", "size": "medium"}, ["a line"]),
    "rich_text": ({"text": "<p>Some words</p>"}, ["some words"]),
    "call_out": ({"tone": "warning", "text": "<p>Mind the gap</p>"}, ["mind the gap"]),
    "quote": ({"text": "<p>So it is</p>", "source": "Bo Li"}, ["so it is", "bo li"]),
    "table": (
        {"caption": "Hours", "cells": "Day | From\nMonday | 9:00\nTuesday", "names_rows": True},
        ["hours", "day", "9:00", "tuesday"],
    ),
    "hero": (
        {"heading": "Big", "text": "<p>Small</p>", "button": "Go on", "tone": "accent", **LINK},
        ["big", "small", "go on", "https://x.test/a"],
    ),
    "image": ({"ratio": "16:9", **LINK}, ["the sea", "https://x.test/a"]),
    "button": ({"text": "Go", **LINK}, ["go", "https://x.test/a"]),
    "verify_button": ({"text": "Confirm"}, ["confirm", "https://x.test/v"]),
    "columns": (
        {"layout": "wide_narrow", "first": CELL, "second": CELL[:1]},
        ["cell heading", "cell text", "cell button"],
    ),
    "divider": ({}, []),
    "spacer": ({"height": "64"}, []),
    "page_list": (
        {"heading": "Read", "choice": "popular", "with_pictures": True, "with_summaries": True},
        ["read", "the fox that learned to read", "412 views", "nobody was looking"],
    ),
    "why": ({"text": "<p>You asked for it</p>"}, ["you asked for it", "https://x.test/u"]),
    "page_views": ({"heading": "Views", "when_empty": "None"}, ["views", "412"]),
    "site_totals": ({"heading": "The site"}, ["the site", "1,893"]),
}


@pytest.fixture
def picture(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return get_image_model().objects.create(title="Sea", file=get_test_image_file(size=(1600, 1600)))


def block(name: str, picture=None, **changes: Any) -> tuple[str, dict[str, Any]]:
    value = {**FULL[name][0], **changes}
    if picture is not None and name in {"image", "hero"}:
        value["image"] = {"image": picture.pk, "decorative": False, "alt_text": "The sea"}
    return name, value


def shown(*chosen: tuple[str, dict[str, Any]], **changes: Any):
    compiled = compile_mail(content(*chosen, **changes))
    return compiled.personalise(Reader(), data=examples(compiled), links=LINKS)


def examples(compiled) -> dict[str, Any]:
    return {name: data_sources.get(name)().example_of("day") for name in compiled.required}


def test_the_table_of_this_test_is_complete():
    assert set(FULL) == set(blocks.names())


@pytest.mark.parametrize("name", FULL)
def test_a_complete_block_shows_its_words_in_both_parts_and_may_be_published(name, picture):
    made = body(block(name, picture))
    made.stream_block.clean(made)
    mail = shown(block(name, picture))
    for words in FULL[name][1]:
        assert words in mail.html.casefold(), words
        assert words in mail.text.casefold(), words
    for table in mail.html.split("<table ")[1:]:
        assert 'role="presentation"' in table or "<th " in table, table


@pytest.mark.parametrize("name", FULL)
def test_a_draft_of_a_block_is_kept_and_shown(name, db):
    stored = body((name, {}))
    stored.stream_block.defer_required_validation()
    try:
        stored.stream_block.clean(stored)
    finally:
        stored.stream_block.restore_deferred_validation()
    assert preview_mail(content((name, {}), sender="", audience="", topic="", language="")).html
    assert "cannot be" not in preview(content((name, {})), mode="text")


def texts_of(value: Any) -> Any:
    """Replace every text that an editor types by a hostile one."""
    if isinstance(value, list):
        return [texts_of(item) for item in value]
    if not isinstance(value, dict):
        return value
    typed = {"text", "heading", "caption", "source", "button", "when_empty"}
    hostile = {key: HOSTILE for key in value if key in typed}
    rich = {key: "<p>&#34;&gt;{{ 7|add:1 }}</p>" for key in hostile if str(value[key]).startswith("<p>")}
    cells = {"cells": f"{HOSTILE} | b\n{HOSTILE} | d"} if "cells" in value else {}
    return {**{key: texts_of(item) for key, item in value.items()}, **hostile, **rich, **cells}


def test_hostile_text_is_only_text(picture):
    chosen = [(name, texts_of(block(name, picture)[1])) for name in FULL]
    mail = shown(*chosen)
    assert "<img src=x" not in mail.html
    assert "</mj-" not in mail.html
    literal = "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&lt;/mj-text&gt;&lt;/mj-raw&gt;{{ 7|add:&quot;1&quot; }}"
    # 12 fields take plain text, one of them three times (a cell of the table and its row).
    assert mail.html.count(literal) >= 12
    assert mail.text.count('{{ 7|add:"1" }}{% now "Y" %}{# #}\\u{a0}\u00a0&amp;') >= 5


def test_a_mail_of_all_blocks_needs_no_query_per_person(picture, django_assert_num_queries):
    home_page()
    compiled = compile_mail(content(*(block(name, picture) for name in FULL)))
    data = examples(compiled)
    with django_assert_num_queries(0):
        for number in range(3):
            compiled.is_empty_for(Reader(f"Reader {number}"), data)
            compiled.personalise(Reader(f"Reader {number}"), data=data, links=LINKS)


# -- Pictures -------------------------------------------------------------------------------------------------


def test_a_picture_is_cropped_around_its_focal_point(picture):
    striped, file = Pillow.new("RGB", (1600, 1600), "white"), io.BytesIO()
    striped.paste("black", (0, 1500, 1600, 1600))
    striped.save(file, "PNG")
    focus = {"focal_point_x": 800, "focal_point_y": 1590, "focal_point_width": 10, "focal_point_height": 10}
    picture = type(picture).objects.create(title="Stripe", file=ImageFile(file, name="stripe.png"), **focus)
    mail = shown(block("image", picture))
    rendition = picture.renditions.get()
    assert (rendition.filter_spec, rendition.width, rendition.height) == ("fill-1072x603", 1072, 603)
    assert rendition.url in mail.html
    with rendition.file.open() as found:
        assert Pillow.open(found).convert("L").getpixel((500, 595)) < 10


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("image", {"image": {"image": "PK", "decorative": False, "alt_text": ""}}, "alt text"),
        ("hero", {"button": ""}, "A button needs words"),
        ("hero", {"url": ""}, "A button needs words"),
        ("columns", {"third": CELL}, "no third column"),
        ("columns", {"first": [], "second": []}, "Put something"),
        ("table", {"cells": "only names | here"}, "1 to 50 more rows"),
        ("table", {"cells": "a|b|c|d|e|f\n1|2|3|4|5|6"}, "at most 5 columns"),
    ],
)
def test_what_is_incomplete_is_refused_at_publish(name, changes, said, picture):
    if "image" in changes:
        changes = {"image": {**changes["image"], "image": picture.pk}}
    made = body((name, {**block(name, picture)[1], **changes}))
    with pytest.raises(ValidationError) as caught:
        made.stream_block.clean(made)
    assert said in str(flat(caught.value))


def flat(error: Any) -> list[str]:
    children = getattr(error, "block_errors", {})
    return [*error.messages, *(sentence for child in children.values() for sentence in flat(child))]


# -- Tables, columns, why -------------------------------------------------------------------------------------


def test_a_table_can_be_listened_to():
    html = shown(("table", {"caption": "Prices", "cells": "Thing\tPrice\nTea\t€ 2.50\nCake\t€ 3", "names_rows": True}))
    html = html.html
    assert html.count('<th scope="col"') == 2
    assert html.count('<th scope="row"') == 2
    assert "<caption" in html
    # Numbers stand at the end, under their name.
    assert html.count("text-align:right") == 3


def test_columns_begin_where_reading_begins():
    arabic = shown(block("columns"), language="ar").html
    assert "direction:rtl" in arabic
    assert "mj-column-per-66" in arabic


def test_why_names_the_audience_and_offers_the_way_out_of_bulk_mail_only():
    bulk = shown(("why", {}), audience="active_users")
    assert "because you belong to “Active users”. It belongs to “Reports”." in " ".join(bulk.text.split())
    assert bulk.html.count("https://x.test/u") == bulk.text.count("https://x.test/u") == 2
    transactional = shown(("why", {}), audience="active_users", topic="")
    assert "nsubscribe" not in transactional.html + transactional.text


# -- Lists of pages -------------------------------------------------------------------------------------------


@pytest.fixture
def stories(picture):
    home = home_page()
    made = [post(home, title=title, picture=picture) for title in ("Open", "Private", "Draft")]
    PageViewRestriction.objects.create(page=made[1], restriction_type=PageViewRestriction.LOGIN)
    made[2].unpublish()
    made[0].search_description = "What it is about"
    made[0].save()
    return made


def test_chosen_pages_are_shown_only_where_everybody_may_read_them(stories):
    chosen = {"choice": "chosen", "pages": [story.pk for story in stories], "with_summaries": True}
    mail = shown(("page_list", {**chosen, "with_pictures": True}))
    assert "Open" in mail.html
    assert "What it is about" in mail.html
    assert "What it is about" in mail.text
    assert 'width="96" height="64" alt=""' in mail.html
    assert "Private" not in mail.html + mail.text
    assert "Draft" not in mail.html + mail.text
    assert "<img" not in shown(("page_list", chosen)).html
