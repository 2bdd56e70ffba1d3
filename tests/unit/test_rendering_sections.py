"""Blocks that only some readers see."""

import re
from html.parser import HTMLParser

import pytest

from tests.support.content import Reader, body, content, paragraph
from tests.support.factories import make_campaign
from wagtail_lifecycle.blocks import EmailBlock
from wagtail_lifecycle.exceptions import CompileError
from wagtail_lifecycle.models.problems import problems_of
from wagtail_lifecycle.registry import blocks, data_sources
from wagtail_lifecycle.rendering import Links, compile_mail, preview

NAMED, NAMELESS = Reader("Ana Costa"), Reader("")
REPORT = data_sources.get("page_views")().example_of("day")
CHIP = '<span data-merge-tag="recipient.first_name" data-fallback="friend">First name</span>'


def block(text: str, only_if: str = "always"):
    name, value = paragraph(text)
    return name, {**value, "show_only_if": only_if}


def read(compiled, reader=NAMED, **data):
    mail = compiled.personalise(reader, data=data, links=Links(unsubscribe="https://x.test/u"))
    assert mail.octets.html.decode().count("=\r\n")
    return mail


def test_who_a_condition_is_not_true_of_gets_the_mail_without_the_block():
    compiled = compile_mail(
        content(
            block("One"),
            block(f"Hello {CHIP}!", "known:recipient.first_name"),
            block("Tell us your name", "unknown:recipient.first_name"),
            block("Numbers", "data:page_views"),
            block("No numbers", "no-data:page_views"),
            block("Six"),
        )
    )
    assert compiled.required == {"page_views"}
    ana, nobody = read(compiled, NAMED, page_views=REPORT), read(compiled, NAMELESS)
    assert "One\n\nHello Ana!\n\nNumbers\n\nSix\n" in ana.text
    assert "One\n\nTell us your name\n\nNo numbers\n\nSix\n" in nobody.text
    for mail, seen, hidden in [(ana, "Hello Ana!", "Tell us"), (nobody, "Tell us", "Hello friend")]:
        assert seen in mail.html
        assert hidden not in mail.html


class Balance(HTMLParser):
    """Finds tags that are closed in another order than they were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "img", "br", "hr", "link"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Leave out what is closed at once."""

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.mark.parametrize("reader", [NAMED, NAMELESS])
def test_whatever_is_hidden_leaves_a_sound_mail_for_outlook_too(reader):
    known, unknown = "known:recipient.first_name", "unknown:recipient.first_name"
    made = compile_mail(content(*(block("x", only_if) for only_if in (known, known, unknown, "always", unknown))))
    html = read(made, reader).html.partition("</head>")[2].removesuffix("</html>\n")
    for seen in (html, re.sub(r"<!--\[if mso \| IE\]>|<!\[endif\]-->", "", html)):
        balance = Balance()
        balance.feed(seen)
        assert (balance.wrong, balance.open) == ([], [])


class Box(EmailBlock):
    """A block of a site with blocks in it."""

    name = "box"

    class Meta:
        template = "wagtail_lifecycle/blocks/divider.mjml"

    def _render_part(self, value, context):
        inner = body(block("inner", "unknown:recipient.first_name"))[0]
        return inner.block.render(inner.value, context) + super()._render_part(value, context)


def test_a_section_stands_in_another():
    with blocks.temporarily(Box):
        compiled = compile_mail(content(paragraph("x"), ("box", {"show_only_if": "no-data:page_views"})))
        assert "inner" in read(compiled, NAMELESS).text
        assert "inner" not in read(compiled, NAMED).html
        assert "inner" not in read(compiled, NAMELESS, page_views=REPORT).text


@pytest.mark.parametrize(
    ("only_if", "said"),
    [
        ("known:recipient.shoe_size", "“recipient.shoe_size” is known or not, which this audience cannot tell"),
        ("data:gone", "about “gone”, which is gone"),
        ("nonsense", "about “nonsense”, which is gone"),
    ],
)
def test_a_condition_on_what_is_gone_is_said_at_publish_and_at_compile(db, only_if, said):
    made = content(block("x", only_if))
    with pytest.raises(CompileError, match=said):
        compile_mail(made)
    assert said in preview(made, mode="html")
    problems = problems_of(make_campaign(block("x", only_if), publish=False))
    assert [problem.field for problem in problems] == ["body"]
    assert f"“{only_if}” asks for something that is gone" in problems[0].message


def test_a_mail_of_which_nothing_but_headings_is_left_is_empty():
    compiled = compile_mail(
        content(
            ("heading", {"text": "Your week"}),
            ("page_views", {"show_only_if": "data:page_views"}),
            ("divider", {}),
        )
    )
    assert compiled.is_empty_for(NAMED, {})
    assert not compiled.is_empty_for(NAMED, {"page_views": REPORT})


def test_a_mail_that_goes_on_without_its_numbers_is_not_empty():
    report = ("page_views", {"show_only_if": "data:page_views"})
    assert not compile_mail(content(paragraph("News"), report)).is_empty_for(NAMED, {})
    # Who did not choose so keeps the rule: no numbers, no mail.
    assert compile_mail(content(paragraph("News"), ("page_views", {}))).is_empty_for(NAMED, {})


def test_a_block_that_is_posted_without_a_condition_is_always_shown():
    divider = blocks.get("divider")()
    posted = divider.value_from_datadict({}, {}, "block")
    assert divider.clean(posted)["show_only_if"] == "always"


class OldBlock(EmailBlock):
    """A block of a site that has a layout of its own and nothing to do with conditions."""

    name = "old"
    show_only_if = None

    class Meta:
        template = "wagtail_lifecycle/blocks/divider.mjml"


def test_every_block_has_the_condition_among_its_settings():
    with blocks.temporarily(OldBlock):
        children = body().stream_block.child_blocks
        settings = {name: children[name].meta.form_layout.settings for name in children}
        assert settings.pop("old") == []
        assert {tuple(found) for found in settings.values()} == {("show_only_if",)}
        assert all("show_only_if" not in child.meta.form_layout.children for child in children.values())
        assert children["old"].get_condition(children["old"].get_default()) is None


def test_the_choices_are_words_and_every_one_of_them_compiles():
    field = body().stream_block.child_blocks["heading"].child_blocks["show_only_if"].field
    (_always, _label), *groups = field.choices
    choices = dict(choice for _group, choices in groups for choice in choices)
    assert choices["known:recipient.first_name"] == "“First name” is known"
    assert choices["no-data:page_views"] == "“Views of own pages” has nothing to report"
    compile_mail(content(*(block("x", only_if) for only_if in choices), audience="page_authors"))
