"""A mail looks as its site's brand says, in the light and in the dark."""

import re

import pytest

from tests.support.content import Reader, content, paragraph
from wagtail_lifecycle.contrast import ENOUGH, ratio
from wagtail_lifecycle.rendering import Brand, Links, Mail, Palette, compile_mail
from wagtail_lifecycle.rendering.brand import DARK

PURPLE = Palette(
    page="#f0e8ff",
    card="#fffdff",
    text="#221133",
    quiet="#554466",
    line="#ddccee",
    accent="#5b21b6",
    on_accent="#fefefe",
)
NIGHT = Palette(
    page="#0a0012",
    card="#1a0d26",
    text="#f1e8fa",
    quiet="#b9a6cc",
    line="#40304f",
    accent="#c4a1ff",
    on_accent="#12071c",
)
LOGO = {"logo_url": "https://x.test/logo.png", "logo_alt": "The Loaf", "logo_width": 120, "home_url": "https://x.test/"}
BODY = [
    ("heading", {"text": "Good morning", "size": "large"}),
    paragraph('a <a href="https://x.test/a">link</a>'),
    ("button", {"text": "Go", "page": None, "url": "https://x.test/b"}),
    ("divider", {}),
]


def mail_of(brand: Brand, *blocks, **changes) -> Mail:
    compiled = compile_mail(content(*(blocks or BODY), brand=brand, **changes))
    return compiled.personalise(Reader(), data={}, links=Links(unsubscribe="https://x.test/u"))


def colours_of(html: str) -> set[str]:
    return set(re.findall(r"#[0-9a-f]{6}\b", html))


def test_every_colour_of_a_mail_is_the_brands():
    html = mail_of(Brand(light=PURPLE, dark=NIGHT)).html
    head, _head, shown = html.partition("</head>")
    assert colours_of(shown) == {getattr(PURPLE, name) for name in PURPLE.__dataclass_fields__}
    others = colours_of(head) - {getattr(NIGHT, name) for name in NIGHT.__dataclass_fields__}
    assert others == {NIGHT.note, NIGHT.track, NIGHT.rising, NIGHT.falling, PURPLE.rising, PURPLE.falling}


def test_the_dark_scheme_comes_by_media_query_and_for_outlook_com():
    head = mail_of(Brand(dark=NIGHT)).html.partition("</head>")[0]
    for card in ("@media (prefers-color-scheme: dark) {\nbody, .wl-page", "[data-ogsb] .wl-card, "):
        assert card in head
    assert re.search(rf"\[data-ogsc\] \.wl-card a, [^{{]*{{ color: {NIGHT.accent} !important; }}", head)
    assert '<meta name="color-scheme" content="light dark"' in head


def test_a_logo_leads_home_in_place_of_the_senders_name():
    mail = mail_of(Brand(**LOGO))
    assert re.search(
        r'<a href="https://x\.test/"[^>]*><img alt="The Loaf"[^>]*src="https://x\.test/logo\.png"', mail.html
    )
    assert 'width="120"' in mail.html
    assert "The Quick Publisher" not in mail.html.partition("Unsubscribe")[0]
    assert mail.text.startswith("The Loaf\n")


def test_without_a_logo_the_senders_name_stands_above():
    mail = mail_of(Brand())
    assert "The Quick Publisher" in mail.html.partition("</head>")[2]
    assert mail.text.startswith("The Quick Publisher\n")
    assert "<img" not in mail.html


def test_header_and_footer_stand_around_the_body_in_both_parts():
    rich = '<p>{} <a href="https://x.test/f">there</a></p>'
    mail = mail_of(Brand(light=PURPLE, header=rich.format("Above"), footer=rich.format("Below")))
    for part in (mail.html.partition("</head>")[2], mail.text):
        order = [part.lower().index(words) for words in ("above", "good morning", "below", "unsubscribe", "1 main st")]
        assert order == sorted(order)
    below = mail.html.partition("Below")[2]
    assert f'style="color:{PURPLE.quiet};text-decoration:underline"' in below.partition("there")[0]


def test_the_brands_postal_address_wins_over_the_senders():
    mail = mail_of(Brand(postal_address="The Loaf\n2 Side St & Co"))
    assert "The Loaf<br>2 Side St &amp; Co" in mail.html
    assert "The Loaf\n2 Side St & Co" in mail.text
    assert "1 Main St" not in mail.html + mail.text


def test_right_to_left_the_logo_stands_on_the_right():
    html = mail_of(Brand(**LOGO), language="ar").html
    assert re.search(r'<td align="right"[^>]*><table[^>]*>.{0,200}<img alt="The Loaf"', html, re.DOTALL)


@pytest.mark.parametrize("hostile", ["red", "#fff;} </style>", '"><script>', "#12345", "#1234567", ""])
def test_a_palette_holds_nothing_but_colours(hostile):
    with pytest.raises(ValueError, match="write it as #rrggbb"):
        Palette(accent=hostile)


@pytest.mark.parametrize("palette", [Palette(), DARK], ids=["light", "dark"])
def test_what_is_computed_from_a_palette_can_be_read(palette):
    assert min(ratio(colour, palette.card) for colour in (palette.rising, palette.falling)) >= ENOUGH
    assert ratio(palette.text, palette.note) >= ENOUGH
