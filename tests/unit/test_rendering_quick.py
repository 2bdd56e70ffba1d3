"""Pieces rendered the short way say what Django says."""

from collections import namedtuple
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

import pytest
from django.template import TemplateSyntaxError
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from wagtail_lifecycle.rendering.encoding import decoded, joinable
from wagtail_lifecycle.rendering.pieces import personal_template

Point = namedtuple("Point", "x y")  # noqa: PYI024 - the plain kind is what is tested


@dataclass(frozen=True)
class Page:
    title: Any = "A <b>page</b> & more"
    views: Any = 12345
    change: Any = -3


class Shouting:
    def __str__(self):
        return "<loud>"

    def shout(self):
        return "called"


#: what is rendered the short way
QUICK = {
    "text": "Hello\n  there",
    "a name": "{{ recipient.name }}",
    "a deep name": "{{ data.report.first.title }}",
    "a very deep name": "{{ data.deep.a.b.c }}",
    "an argument": "{{ unit }}",
    "literals": "{{ 'it<' }}{{ 3 }}{{ 2.5 }}{{ None }}{{ True }}",
    "a loop": "{% for page in data.report.pages %}{{ page.title }}: {{ page.views }}; {% endfor %}",
    "an empty loop": "{% for page in data.nothing %}x{% empty %}none{% endfor %}",
    "a loop over None": "{% for page in data.none %}x{% empty %}none{% endfor %}",
    "a loop in a loop": "{% for a in data.numbers %}{% for b in data.numbers %}{{ a }}{{ b }} {% endfor %}{% endfor %}",
    "a choice": "{% if data.number > 3 and not data.none %}big{% elif data.number %}small{% else %}nothing{% endif %}",
    "or": "{% if data.none or data.number == 7 %}yes{% endif %}{% if 7 in data.numbers %}in{% endif %}",
    "comparisons": "{% if data.number is not None %}1{% endif %}{% if data.number <= 7 %}2{% endif %}"
    "{% if data.number != 8 %}3{% endif %}{% if 9 not in data.numbers %}4{% endif %}",
    "with": "{% with page=data.report.first n=data.number %}{{ page.title }}{{ n }}{% endwith %}",
    "filters": "{{ data.number|add:2 }}{{ recipient.name|upper|default:'x' }}{{ data.text|linebreaksbr }}",
    "a filter with a variable": "{{ data.number|add:data.number }}",
    "safe": "{{ data.text|safe }}{{ data.safe }}{{ data.safe|lower }}{{ data.text|force_escape }}",
    "numbers": "{{ data.number|intcomma }}{{ data.big|intcomma }}{{ data.big }}{{ data.float|intcomma }}"
    "{{ data.float }}{{ data.minus|intcomma }}",
    "our filters": "{{ data.number|signed }}{{ data.minus|signed }}{{ data.minus|change_html }}"
    "{{ data.zero|change_html }}",
    "dates": "{{ data.day }}{{ data.moment }}{{ data.moment|date:'H:i' }}{{ data.day|date:'DATE_FORMAT' }}",
    "lazy text": "{{ data.lazy }}",
    "an object": "{{ data.object }}",
    "a named tuple": "{{ data.point.x }}",
    "a translated word": '{% translate "Page" %}{% translate "100%" %}{% translate "<b>" %}',
    "a translated block": "{% blocktranslate with name=recipient.name %}Hi {{ name }}, 100% you{% endblocktranslate %}",
    "a plural": "{% blocktranslate count n=data.number with t=data.big|intcomma trimmed %} {{ t }} view {% plural %}"
    " {{ t }} views of {{ n }} {% endblocktranslate %}",
    "a comment": "a{% comment %}b{% endcomment %}c{# d #}",
}
#: what Django has to do
LEFT = {
    "a missing name": "a{{ recipient.nothing }}b{{ data.report.nothing.more }}",
    "a missing name in a condition": "{% if data.nothing %}a{% else %}b{% endif %}",
    "a missing list": "{% for x in data.nothing %}a{% empty %}b{% endfor %}",
    "an index": "{{ data.numbers.0 }}{{ data.point.1 }}",
    "a call": "{{ data.object.shout }}{{ data.deep.items|length }}",
    "the loop's own values": "{% for n in data.numbers %}{{ forloop.counter }}{{ n }}{% endfor %}",
    "two names": "{% for key, value in data.pairs %}{{ key }}={{ value }}{% endfor %}",
    "backwards": "{% for n in data.numbers reversed %}{{ n }}{% endfor %}",
    "another tag": "{% spaceless %}<p> </p> <p></p>{% endspaceless %}{% firstof data.none data.number %}",
    "a value under a name": '{% translate "Page" as word %}{{ word }}{{ word }}',
    "a context": '{% translate "Page" context "book" %}',
    "autoescape": "{% autoescape off %}{{ data.text }}{% endautoescape %}{{ data.text }}",
    "a comparison that cannot be": "{% if data.number < data.text %}a{% else %}b{% endif %}",
    "a marked word": '{{ _("Page") }}',
}


class Recipient:
    name = "Zoë <Okafor>"


def values(**data):
    pages = (Page(), Page(title="Zwei", views=0, change=None))
    known = {
        "report": {"pages": pages, "first": pages[0]},
        "deep": {"a": {"b": MappingProxyType({"c": "<c>"})}},
        "nothing_here": "", "none": None, "numbers": [7, 1, 2], "number": 7, "big": 1234567, "minus": -12, "zero": 0,
        "float": 1234.5, "text": "<i>two\nlines</i>", "safe": mark_safe("<i>Safe</i>"), "pairs": [("a", 1), ("b", 2)],
        "day": date(2026, 11, 20), "moment": datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
        "lazy": gettext_lazy("Page"), "object": Shouting(), "point": Point(1, 2),
    }  # fmt: skip
    return {"recipient": Recipient(), "data": {"nothing": (), **known, **data}, "links": None, "unit": "<u>"}


@pytest.mark.parametrize("language", ["en", "de", "fr", "ar", None])
@pytest.mark.parametrize("autoescape", [True, False])
@pytest.mark.parametrize("source", [*QUICK.values(), *LEFT.values()], ids=[*QUICK, *LEFT])
def test_a_piece_reads_as_django_renders_it(source, autoescape, language):
    template = personal_template(source, frozenset({"unit"}))
    given_values = values()
    if source in LEFT.values():
        del given_values["data"]["nothing"]
    with translation.override(language):
        shown = [template.render(given_values, autoescape=autoescape) for _ in range(2)]
        assert shown == [template.render_by_django(given_values, autoescape=autoescape)] * 2
        assert decoded(template.encode(given_values, autoescape=autoescape)) == shown[0]


@pytest.mark.parametrize("source", QUICK.values(), ids=QUICK)
def test_ordinary_pieces_never_reach_django(source, monkeypatch):
    template = personal_template(source, frozenset({"unit"}))
    expected = template.render_by_django(values(), autoescape=True)
    monkeypatch.setattr(template, "render_by_django", None)
    assert template.render(values(), autoescape=True) == expected
    assert decoded(template.encode(values(), autoescape=True)) == expected


@given(
    st.lists(
        st.builds(
            Page,
            title=st.one_of(st.text(), st.none(), st.integers(), st.booleans(), st.floats()),
            views=st.one_of(st.integers(), st.floats(allow_nan=False), st.text(max_size=5), st.none(), st.booleans()),
            change=st.one_of(st.none(), st.integers(-1000, 1000)),
        ),
        max_size=4,
    ),
    st.one_of(st.text(max_size=5), st.dictionaries(st.sampled_from(["name", "x"]), st.text(max_size=5))),
)
def test_any_data_reads_as_django_renders_it(pages, whom):
    source = (
        "{% for page in data.pages %}<a>{{ page.title }}</a> {{ page.views|intcomma }} {% if page.change is not None %}"
        "{{ page.change|change_html }}{{ page.change|signed }}{% endif %}{% empty %}none{% endfor %}"
        "{{ data.whom.name }}{% if data.pages %}{{ data.pages|length }}{% endif %}{{ data.whom|upper }}"
    )
    template = personal_template(source, frozenset())
    given_values: Mapping[str, Any] = {"data": {"pages": pages, "whom": whom}, "recipient": None, "links": None}
    for autoescape in (True, False):
        text = template.render(given_values, autoescape=autoescape)
        assert text == template.render_by_django(given_values, autoescape=autoescape)
        assert decoded(template.encode(given_values, autoescape=autoescape)) == decoded(joinable(text))


def test_an_error_of_a_piece_is_django_s_own():
    template = personal_template(
        "{% blocktranslate count n=data.text %}a{% plural %}b{% endblocktranslate %}", frozenset()
    )
    with pytest.raises(TemplateSyntaxError, match="must be a number"):
        template.render(values(), autoescape=True)


def test_a_loop_over_a_number_is_an_error_as_in_django():
    template = personal_template("{% for x in data.zero %}a{% endfor %}", frozenset())
    with pytest.raises(TypeError, match="not iterable"):
        template.render(values(), autoescape=True)


def test_what_is_remembered_of_numbers_is_bounded():
    from wagtail_lifecycle.rendering.remembering import MAX_REMEMBERED, memory_of  # noqa: PLC0415

    template = personal_template("{% for n in data.numbers %}{{ n|intcomma }}{% endfor %}", frozenset())
    for start in (0, MAX_REMEMBERED, 2 * MAX_REMEMBERED):
        template.render(values(numbers=range(start, start + MAX_REMEMBERED)), autoescape=True)
        assert len(memory_of(translation.get_language())) <= MAX_REMEMBERED


def test_a_text_handed_over_is_a_constant_unless_a_tag_gives_its_name_away():
    source = "{{ c }}{% for c in data.numbers %}{{ c }}{% endfor %}{{ c|upper }}{% with c=1 %}{{ c }}{% endwith %}"
    template = personal_template(source, frozenset({"c"}), frozenset({("c", "<a>")}))
    values = {"c": "<a>", "data": {"numbers": [1, 2]}}
    expected = template.render_by_django(values, autoescape=True)
    assert expected == "&lt;a&gt;12&lt;A&gt;1"
    assert template.render(values, autoescape=True) == expected
    assert template.render(values, autoescape=False) == "<a>12<A>1"
    assert template.encode(values, autoescape=True).replace(b"=\r\n", b"") == expected.encode()
