"""Text is tidied in pieces as it would be as a whole."""

import email
import email.policy
import re

from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from tests.support.content import Reader, content, paragraph
from tests.support.letters import letter
from tests.support.mail_checks import faults
from wagtail_lifecycle.rendering import Links, compile_mail
from wagtail_lifecycle.rendering.pieces import MergeTag, Parts
from wagtail_lifecycle.rendering.tidying import tidied, tidy
from wagtail_lifecycle.transport import mime

GAPS = st.text(alphabet=" \t\n\r\x0b\x1c\x85\u2028\xa0x.=ä", max_size=12)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def test_tidying_leaves_one_blank_line_and_no_spaces_at_the_ends_of_lines():
    assert tidy("\n\n a  \n\t\n \n\nb \n\n\n") == "a\n\nb\n"
    assert tidy("") == "\n"


def parts_of(fragments):
    """Make a constant or a merge tag of each fragment, and say what the tags are to show."""
    shown = {f"data.f{number}": text for number, (_kind, text) in enumerate(fragments)}
    parts = [
        text if kind == "constant" else MergeTag(f"data.f{number}") for number, (kind, text) in enumerate(fragments)
    ]
    return Parts(tuple(parts), html=False).closed_up(), {"data": {key[5:]: text for key, text in shown.items()}}


@given(st.lists(st.tuples(st.sampled_from(["constant", "own"]), GAPS), max_size=8))
def test_tidying_in_pieces_is_tidying_the_whole(fragments):
    parts, values = parts_of(fragments)
    whole = "".join(part if isinstance(part, str) else part.render(values, html=False) for part in parts.parts)
    assert tidied(parts).join(values) == tidy(whole)


COMPILED = []


def compiled():
    if not COMPILED:
        chips = "".join(f' <span data-merge-tag="recipient.{name}">x</span>.' for name in ("name", "first_name"))
        COMPILED.append(compile_mail(content(paragraph(f"Hi{chips}{'ü' * 90}"), paragraph(chips), subject="News")))
    return COMPILED[0]


@given(st.text(max_size=300) | GAPS, st.text(alphabet=st.characters(codec="ascii"), max_size=80))
def test_the_octets_of_a_mail_decode_to_its_text_whatever_people_are_called(name, token):
    links = Links(unsubscribe=f"https://publisher.example.org/u/{token}")
    mail = compiled().personalise(Reader(name), data={}, links=links)
    raw = mime.octets(letter(mail=mail))
    slow = mime.octets(letter(subject=mail.subject, text=mail.text, html=mail.html))
    assert [read(part) for part in bodies(raw)] == [read(part) for part in bodies(slow)]
    plain, rich = bodies(raw)
    assert (read(plain), read(rich)) == (mail.text, mail.html)
    assert read(rich) == without_controls(rendered(links, name))
    assert faults(raw, ignore=["S14"]) == faults(slow, ignore=["S14"])
    lines = (mail.octets.html + mail.octets.text).split(b"\r\n")
    assert all(len(line) <= 76 and not line.startswith(b".") for line in lines)


def rendered(links: Links, name: str) -> str:
    with translation.override("en"):
        return compiled().html.join({"recipient": Reader(name), "data": {}, "links": links})


def bodies(raw: bytes):
    return email.message_from_bytes(raw, policy=email.policy.SMTP).iter_parts()


def read(part) -> str:
    text = part.get_payload(decode=True).decode().replace("\r\n", "\n")
    assert text.endswith("\n")
    return text


def without_controls(text: str) -> str:
    return CONTROL.sub("", text.encode("utf-8", "replace").decode())
