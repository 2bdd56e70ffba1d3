"""From blocks to one person's mail."""

import pytest
from django.template import TemplateSyntaxError
from django.utils import translation

from tests.support.content import Reader, body, content, paragraph
from wagtail_lifecycle.blocks import EmailBlock
from wagtail_lifecycle.exceptions import CompileError
from wagtail_lifecycle.registry import blocks
from wagtail_lifecycle.rendering import Links, compile_mail, preview
from wagtail_lifecycle.rendering.preview import preview_mail

HOSTILE = '<img src=x onerror=alert(1)></mj-text><mj-raw>{{ 7|add:"1" }}'


def mail_of(made, reader=None, **data):
    return compile_mail(made).personalise(reader or Reader(), data=data, links=Links(unsubscribe="https://x.test/u"))


def chip(path="recipient.first_name", fallback="friend"):
    return f'<span data-merge-tag="{path}" data-fallback="{fallback}">First name</span>'


def test_a_merge_tag_shows_each_person_their_own_name():
    compiled = compile_mail(content(paragraph(f"Hi {chip()},"), subject="For {{ recipient.first_name | you }}"))
    first = compiled.personalise(Reader("Ana Costa"), data={}, links=Links())
    second = compiled.personalise(Reader("Bo Li"), data={}, links=Links())
    assert (first.subject, second.subject) == ("For Ana", "For Bo")
    assert "Hi Ana," in first.html
    assert "Hi Ana," in first.text
    assert "Hi Bo," in second.html
    assert "Ana" not in second.html + second.text


def test_a_merge_tag_without_a_value_shows_the_fallback():
    mail = mail_of(content(paragraph(f"Hi {chip()},"), subject="{{recipient.first_name|You}} there"), Reader(""))
    assert mail.subject == "You there"
    assert "Hi friend," in mail.html
    assert "Hi friend," in mail.text


def test_a_hostile_name_is_escaped_in_html_and_literal_in_text():
    mail = mail_of(content(paragraph(chip("recipient.name"))), Reader(HOSTILE))
    assert "<img src=x" not in mail.html
    assert "&lt;img src=x onerror=alert(1)&gt;&lt;/mj-text&gt;" in mail.html
    assert HOSTILE in mail.text


def test_template_code_by_an_editor_is_inert_text():
    code = "{{ user.password }} {% include 'x' %} {{ 'a'|rjust:'100000000' }}"
    mail = mail_of(content(paragraph(code.replace("'", "&#x27;")), ("heading", {"text": code, "size": "large"})))
    assert code in mail.text
    assert "{{ user.password }}" in mail.html


def test_text_that_looks_like_a_marker_is_only_text():
    mail = mail_of(content(paragraph("wl000000000000x0x wlx1x")))
    assert "wl000000000000x0x wlx1x" in mail.html


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("{{ recipient.first_nam }}", "Did you mean “recipient.first_name”"),
        ("{{ user.password }}", "no merge tag “user.password”"),
        ("{% now 'Y' %}", "is not a merge tag"),
        ("{{ recipient.first_name|default:'x' }}{{", "is not a merge tag"),
    ],
)
def test_an_unknown_merge_tag_is_refused_with_its_field_and_a_sentence(subject, said):
    with pytest.raises(CompileError, match=said) as caught:
        compile_mail(content(subject=subject))
    assert caught.value.field == "subject"


def test_an_unknown_chip_in_rich_text_is_refused():
    with pytest.raises(CompileError, match=r"no merge tag “user\.password”") as caught:
        compile_mail(content(paragraph(chip("user.password"))))
    assert caught.value.field == "body"


def test_an_unknown_sender_is_refused():
    with pytest.raises(CompileError, match="No sender 'nobody'") as caught:
        compile_mail(content(sender="nobody"))
    assert caught.value.field == "sender"


def test_twenty_thousand_nested_tags_are_refused_in_rich_text():
    with pytest.raises(CompileError, match="nests tags more than 100 levels"):
        compile_mail(content(paragraph("<b>" * 20_000 + "x" + "</b>" * 20_000)))


def test_non_ascii_attributes_arrive_as_they_were_typed(db, rf):
    button = ("button", {"text": "Gö\u00a0& go", "page": None, "url": "https://x.test/?a=1&b=ü\\"})
    mail = mail_of(content(button))
    assert 'href="https://x.test/?a=1&amp;b=ü\\"' in mail.html
    assert "\\u{" not in mail.html
    assert "https://x.test/?a=1&b=ü\\" in mail.text


def test_the_title_is_the_subject_escaped_once():
    mail = mail_of(content(subject="Fish & <chips>"))
    assert "<title>Fish &amp; &lt;chips&gt;</title>" in mail.html


def test_scripts_and_links_that_run_leave_nothing_behind():
    mail = mail_of(
        content(
            paragraph('<a href="javascript:alert(1)">one</a> <a href="file:///etc/passwd">two</a>'),
            ("rich_text", {"text": "<script>three()</script><iframe src=x></iframe><p onclick=four()>five</p>"}),
        )
    )
    for trace in ("javascript:", "file:", "three()", "iframe", "four()"):
        assert trace not in mail.html
        assert trace not in mail.text
    assert "one" in mail.html
    assert "five" in mail.html


def test_a_bulk_mail_shows_the_way_out_and_the_postal_address_in_both_parts():
    mail = mail_of(content(paragraph("x")))
    for part in (mail.html, mail.text):
        assert "https://x.test/u" in part
        assert "1 Main St" in part


def test_a_transactional_mail_has_no_way_out():
    mail = mail_of(content(paragraph("x"), topic=""))
    assert "nsubscribe" not in mail.html + mail.text


def test_the_language_and_direction_stand_in_the_mail():
    mail = mail_of(content(paragraph("x"), language="ar"))
    assert 'lang="ar"' in mail.html
    assert 'dir="rtl"' in mail.html


def test_personalising_speaks_the_language_of_the_content_and_restores_the_readers(settings):
    with translation.override("fr"):
        preview_mail(content(("page_views", {"heading": "x", "when_empty": "y"}), language="de"))
        assert translation.get_language() == "fr"


def test_every_block_has_a_template_for_both_parts_and_a_preview(db):
    for name in blocks.names():
        block = body((name, {})).stream_block.child_blocks[name]
        shown = preview(content(period="day", body=[block.bind(block.get_preview_value())]), mode="html")
        assert "There is no preview yet" not in shown, (name, shown)
        assert "cannot be shown" not in shown, (name, shown)
        assert block.meta.icon != "placeholder"
        assert block.meta.description
        assert block.meta.group


@pytest.mark.parametrize("mode", ["html", "text"])
def test_a_preview_of_nothing_at_all_does_not_raise(mode):
    empty = content(subject="", sender="", audience="", topic="", language="")
    assert "<html" in preview(empty, mode=mode)


def test_a_preview_says_what_is_wrong_in_a_sentence():
    assert "no merge tag “user.password”" in preview(content(subject="{{ user.password }}"), mode="html")


class BrokenBlock(EmailBlock):
    name = "broken"

    class Meta:
        template = "nowhere.mjml"


def test_a_preview_survives_a_block_of_the_site_that_breaks(caplog):
    with blocks.temporarily(BrokenBlock):
        assert "cannot be shown" in preview(content(("broken", {})), mode="html")
    assert "preview failed" in caplog.text


class Unasked(EmailBlock):
    name = "unasked"

    class Meta:
        template = "wagtail_lifecycle/blocks/divider.mjml"
        requires = ("typo",)


def test_a_block_that_asks_for_data_nobody_loads_is_refused():
    with blocks.temporarily(Unasked), pytest.raises(CompileError, match="No data source is called 'typo'"):
        compile_mail(content(("unasked", {})))


def test_the_text_part_is_not_escaped_whatever_the_template_says(db):
    mail = mail_of(content(("button", {"text": "What you've missed & more", "page": None, "url": "https://x.test/"})))
    assert "What you've missed & more: https://x.test/" in mail.text


def test_a_block_stored_before_a_field_existed_takes_its_default():
    preview_mail(content(("page_views", {})))


def test_a_subject_of_merge_tags_is_never_empty():
    assert mail_of(content(subject="{{ recipient.first_name }}"), Reader("")).subject == "The Quick Publisher"


def test_deleted_pages_and_pictures_leave_the_mail_standing(db):
    mail = mail_of(
        content(
            ("image", {"image": {"image": 999, "decorative": False, "alt_text": "x"}, "page": 999, "url": ""}),
            ("button", {"text": "Go", "page": 999, "url": ""}),
            ("page_list", {"heading": "Read", "choice": "chosen", "pages": []}),
            ("rich_text", {"text": '<p><a linktype="page" id="999">gone</a><embed embedtype="image" id="9"/></p>'}),
            paragraph("still here"),
        )
    )
    assert "still here" in mail.html
    assert "gone" in mail.text


class TestPersonalTag:
    def rendered(self, source, values=None):
        from django.template import Context, Template  # noqa: PLC0415

        from wagtail_lifecycle.rendering.pieces import collecting  # noqa: PLC0415

        with collecting(html=True, merge_tags={}) as collector:
            marked = Template("{% load lifecycle %}" + source).render(Context(values or {}))
            return collector.split(marked).join({"recipient": Reader(), "data": {"n": [1, 2]}, "links": Links()})

    def test_it_renders_its_inside_per_recipient(self):
        source = "{% personal %}{% for n in data.n %}{{ n }}{{ recipient.first_name }} {% endfor %}{% endpersonal %}"
        assert self.rendered(source) == "1Zoë 2Zoë "

    def test_its_arguments_are_escaped_like_data(self):
        from django.utils.safestring import mark_safe  # noqa: PLC0415

        source = "{% personal unit=value %}{{ unit }}{% endpersonal %}"
        assert self.rendered(source, {"value": mark_safe("<b>")}) == "&lt;b&gt;"

    @pytest.mark.parametrize("name", ["value", "self", "page", "request"])
    def test_naming_what_is_not_there_is_a_template_error(self, name):
        with pytest.raises(TemplateSyntaxError, match=f"not {name}"):
            self.rendered("{% personal %}{% if " + name + ".x %}y{% endif %}{% endpersonal %}")

    def test_arguments_must_be_plain_data(self):
        with pytest.raises(TemplateSyntaxError, match="got a Reader"):
            self.rendered("{% personal who=value %}{{ who }}{% endpersonal %}", {"value": Reader()})

    def test_it_must_be_closed(self):
        with pytest.raises(TemplateSyntaxError, match="never closed"):
            self.rendered("{% personal %}x")

    def test_it_must_stand_in_a_mail(self):
        from django.template import Context, Template  # noqa: PLC0415

        with pytest.raises(RuntimeError, match="only inside a mail"):
            Template("{% load lifecycle %}{% personal %}x{% endpersonal %}").render(Context())
