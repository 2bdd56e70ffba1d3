"""The guards around mjml-python."""

import pytest

from wagtail_lifecycle.exceptions import CompileError
from wagtail_lifecycle.rendering.mjml import MAX_BYTES, depth_of, shield_attributes, to_html
from wagtail_lifecycle.rendering.pieces import collecting


def wrapped(text: str) -> str:
    return f"<mjml><mj-body><mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section></mj-body></mjml>"


@pytest.mark.parametrize(
    ("markup", "depth"),
    [
        ("", 0),
        ("a < b", 0),
        ("<a><b/></a>", 1),
        ("<a><b><c></c></b></a>", 3),
        ("<a><br><br><br></a>", 1),
        ("<!-- <a><a><a> --><a></a>", 1),
        ('<a title="</a>"><b></b></a>', 2),
        ("</a></a><a></a>", 1),
    ],
)
def test_depth_counts_open_tags(markup, depth):
    assert depth_of(markup) == depth


def test_twenty_thousand_nested_tags_are_refused():
    with pytest.raises(CompileError, match="nests tags"):
        to_html(wrapped("<div>" * 20_000 + "</div>" * 20_000))


def test_twenty_thousand_tags_that_are_never_closed_are_refused():
    with pytest.raises(CompileError, match="nests tags"):
        to_html(wrapped("<div>" * 20_000))


@pytest.mark.parametrize("tag", ["<_a>", "<é>", "<:a>", "<a1-b:c>", "<x y='>'>"])
def test_twenty_thousand_tags_of_any_name_are_refused(tag):
    with pytest.raises(CompileError, match="nests tags"):
        to_html(wrapped(tag * 20_000))


def test_comments_left_open_take_no_time():
    assert depth_of("<!--" * 200_000 + "<a><b></b></a>") >= 2


def test_too_long_markup_is_refused():
    with pytest.raises(CompileError, match="at most 1000000"):
        to_html(wrapped("x" * MAX_BYTES))


@pytest.mark.parametrize("text", ["<p>", "a < b <", "<![CDATA[x]]>", "<!doctype html>", "\0"])
def test_what_mjml_refuses_is_a_sentence_for_the_editor(text):
    with pytest.raises(CompileError, match="cannot be built"):
        to_html(wrapped(text))


@pytest.mark.parametrize("value", ["caf\u00e9", "no\u00a0break", "back\\slash", "a &amp; b"])
def test_attributes_that_mjml_would_damage_go_around_it(value):
    with collecting(html=True, merge_tags={}) as collector:
        shielded = shield_attributes(f'<mj-image alt="{value}" src="https://x.test/"/>', collector)
        assert value not in shielded
        assert 'src="https://x.test/"' in shielded
        assert f'alt="{value}"' in collector.split(shielded).join({})
