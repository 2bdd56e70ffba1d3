"""Pieces become Python source: what somebody typed stays text, whatever it looks like."""

from dataclasses import make_dataclass
from types import SimpleNamespace

import pytest
from django.template import Engine, Template
from django.utils import translation
from hypothesis import assume, example, given
from hypothesis import strategies as st

from wagtail_lifecycle.rendering.lookups import Kinds
from wagtail_lifecycle.rendering.pieces import BUILTINS, personal_template
from wagtail_lifecycle.rendering.quick import PieceTemplate

HOSTILE = [
    "'", '"', "'''", '"""', "\\", "\\'", "\\n", "\n", "\r\n", "\0", "{", "}", "{0}", "{values}", "%", "%s", "%(x)s",
    "'); raise SystemExit(('", "' + __import__('os').getcwd() + '", "\N{ZERO WIDTH SPACE}ﬁ\u2028\x85\x1c", "\ud800",
    "\U0001f600", "#", "# type: ignore", "v0", "k0", "a0", "out", "memory",
]  # fmt: skip
#: names that Python keeps for itself, that the function has, or that Python would read as another
NAMES = [
    "class", "def", "while", "lambda", "import", "None", "True", "False", "v0", "v1", "k0", "a0", "a1", "out", "values",
    "memory", "escape", "items", "render", "v0_has_items", "ﬁ", "ª", "join", "print",
]  # fmt: skip
ENGINE = Engine(builtins=BUILTINS, libraries={}, string_if_invalid="")


def quickly(source, values, *, autoescape=True):
    """Render without Django's help; say what Django says to the same."""
    template = PieceTemplate(Template(source, engine=ENGINE))
    expected = template.render_by_django(values, autoescape=autoescape)
    template.render_by_django = None
    return template.render(values, autoescape=autoescape), expected


@given(st.text(max_size=40) | st.sampled_from(HOSTILE), st.booleans())
def test_text_is_only_text(text, autoescape):
    assume(not any(mark in text for mark in ("{{", "{%", "{#")))
    shown, expected = quickly(f"{text} {{{{ x }}}}{text}", {"x": text}, autoescape=autoescape)
    assert shown == expected


@given(st.text(max_size=40) | st.sampled_from(HOSTILE), st.booleans())
@example("it's \\\" {x} %s", True)
def test_literals_are_only_text(text, autoescape):
    assume(not any(mark in text for mark in ("%}", "}}", "\n", "{#", "#}")))
    literal = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    source = (
        f"{{{{ {literal} }}}}{{{{ {literal}|upper }}}}{{{{ x|default:{literal} }}}}"
        f"{{% if x == {literal} %}}a{{% endif %}}"
        f"{{% with y={literal} %}}{{{{ y }}}}{{% endwith %}}{{% translate {literal} %}}"
    )
    shown, expected = quickly(source, {"x": ""}, autoescape=autoescape)
    assert shown == expected


@given(st.text(max_size=40) | st.sampled_from(HOSTILE), st.booleans())
def test_messages_are_only_text(text, autoescape):
    assume(not any(mark in text for mark in ("{{", "{%", "{#", "}}", "%}", "#}")))
    source = (
        f"{{% blocktranslate %}}{text}.{{% endblocktranslate %}}"
        f"{{% blocktranslate with y=x %}}{text} {{{{ y }}}}{{% endblocktranslate %}}"
        f"{{% blocktranslate count n=n %}}{text} {{% plural %}}{text} {{% endblocktranslate %}}"
        f"{{% blocktranslate count n=n with y=x %}}{text} {{% plural %}}"
        f"{text} {{{{ y }}}}{{{{ n }}}}{{% endblocktranslate %}}"
    )
    shown, expected = quickly(source, {"x": text, "n": 3}, autoescape=autoescape)
    assert shown == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "source",
    [
        "{{ NAME }}{% if NAME %}a{% endif %}",
        "{{ thing.NAME }}{{ thing.NAME.NAME }}",
        "{% for NAME in list %}{{ NAME }}{{ NAME.x }}{% endfor %}",
        "{% with NAME=list %}{{ NAME }}{% for x in NAME %}{{ x.x }}{% endfor %}{% endwith %}",
        "{% blocktranslate with NAME=thing.NAME %}{{ NAME }}{% endblocktranslate %}",
    ],
)
def test_a_name_is_only_a_name(source, name):
    inner = SimpleNamespace(**{name: "<inner>"})
    inner_item = {name: "<item>"}
    for thing in ({name: inner}, SimpleNamespace(**{name: inner}), {name: inner_item}):
        values = {"list": [{"x": 1}, SimpleNamespace(x="<2>")], "thing": thing, name: "<named>"}
        shown, expected = quickly(source.replace("NAME", name), values)
        assert shown == expected


def test_tags_hide_names_only_inside():
    source = (
        "{{ x }}{% with x=y y=x %}{{ x }}{{ y }}{% for x in list %}{{ x }}{{ y }}{% endfor %}{{ x }}{% endwith %}"
        "{{ x }}{{ y }}{% for y in y %}{{ y }}{% empty %}{{ y }}{% endfor %}{% for x in list %}{{ x }}{% endfor %}"
        "{% blocktranslate count x=n with n=x %}{{ x }}{{ n }}{% plural %}{{ x }}{{ n }}s{% endblocktranslate %}{{ x }}"
    )
    shown, expected = quickly(source, {"x": 5, "y": (), "list": [1, 2], "n": 2})
    assert shown == expected


class Function:
    def __init__(self, value):
        self.value = value

    def __call__(self):
        return self.value


@pytest.mark.parametrize(
    "source",
    [
        "{{ call }}", "{{ call.x }}", "{% with y=call.x %}{{ y.0.real }}{% endwith %}", "{% if call.x %}a{% endif %}",
        "{% if not call.none %}a{% endif %}", "{% for f in call.x %}{{ f }}{{ f|upper }}{{ f.value }}{% endfor %}",
        "{{ call.x|length }}{{ call.n|intcomma }}{{ call.n|intcomma|upper }}", "{{ ''|default:call.n }}",
        "{% blocktranslate with y=call.n %}{{ y }}{% endblocktranslate %}", "{{ call.deep.n.real }}",
        "{% blocktranslate count n=call.n %}{{ n }}{% plural %}{{ n }}s{% endblocktranslate %}",
    ],
)  # fmt: skip
def test_what_django_would_call_is_called_wherever_it_stands(source):
    things = {"x": Function([Function("<a>"), "b"]), "n": Function(1234), "none": Function(None)}
    values = {"call": Function({**things, "deep": Function(things)})}
    template = PieceTemplate(Template(source, engine=ENGINE))
    for given_values in (values, {"call": values["call"].value}):
        expected = template.render_by_django(given_values, autoescape=True)
        assert template.render(given_values, autoescape=True) == expected


def test_what_can_be_walked_once_is_not_lost_to_a_first_try():
    template = personal_template("{% for n in data.numbers %}{{ n.real.nothing }}{{ n }}{% endfor %}", frozenset())
    assert template.render({"data": {"numbers": (n for n in [1, 2])}}, autoescape=True) == "12"


@pytest.mark.parametrize("depth", [15, 30, 120])
@pytest.mark.parametrize(
    ("tag", "end"), [("for x in data", "endfor"), ("if data", "endif"), ("with data=data", "endwith")]
)
def test_pieces_may_nest_deeper_than_python(tag, end, depth):
    template = personal_template(f"{{% {tag} %}}" * depth + "x" + f"{{% {end} %}}" * depth, frozenset())
    assert template.render({"data": [1]}, autoescape=True) == "x"


def test_thousands_are_separated_where_the_settings_say_so(settings):
    template = personal_template("{{ data.n }} {{ data.n|intcomma }} {{ data.n|signed }}", frozenset())
    values = {"data": {"n": 12345}}
    with translation.override("en"):
        assert template.render(values, autoescape=True) == "12345 12,345 +12345%"
        settings.USE_THOUSAND_SEPARATOR = True
        assert template.render(values, autoescape=True) == template.render_by_django(values, autoescape=True)


def test_classes_made_on_the_fly_are_not_kept_for_ever():
    kinds = Kinds()
    assert not any(kinds[make_dataclass(f"Row{number}", ["x"])] for number in range(3))
    kinds.update((object(), False) for _ in range(Kinds.MOST))
    size = len(kinds)
    assert kinds[dict]
    assert len(kinds) == size
