"""What goes over the wire, whatever people are called."""

import email
import email.policy
import quopri
import re
from dataclasses import replace

import pytest
from django.core.mail import EmailMultiAlternatives
from hypothesis import given
from hypothesis import strategies as st

from tests.support.letters import HTML, LIST, SENDER, TEXT, letter
from tests.support.mail_checks import faults
from wagtail_lifecycle.names import MAX_NAME, clean_name, one_line
from wagtail_lifecycle.rendering import Mail, Octets
from wagtail_lifecycle.rendering.encoding import joinable, quoted_printable
from wagtail_lifecycle.transport import LifecycleMessage, headers, mime

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
HOSTILE_NAMES = {
    "a header": "Bob\r\nBcc: x@y.example",
    "a bare line feed": "Bob\nSubject: free money",
    "a line separator": "Bob\u2028Bcc: x",
    "a paragraph separator": "Bob\u2029Bcc: x",
    "a next line": "Bob\x85Bcc: x",
    "a NUL": "Bob\x00Costa",
    "a right-to-left override": "Bob \u202egro.live\u202c Costa",
    "an isolate": "\u2066Bob\u2069",
    "300 letters": "Ab" * 150,
    "300 words": "Ab " * 300,
    "300 wide characters": "漢" * 300,
    "ten kilobytes": "x" * 10_000,
    "emoji": "👩‍👩‍👧‍👦 Ana 🎉" * 8,
    "combining marks": "Z̷͑a̸l̶g̵o̴" * 20,
    "quotes": 'Ana "the \\ boss" Costa',
    "an open quote": 'Ana "Costa',
    "a comma": "Costa, Ana",
    "angle brackets": "Ana <eve@evil.example>",
    "a comment": "Ana (Costa",
    "a semicolon": "friends: ana; bo;",
    "an encoded word": "=?utf-8?q?Ana?=",
    "half an encoded word": "=?utf-8?q?Ana",
    "an encoded line break": "=?utf-8?q?Ana=0D=0ABcc=3A_x?=",
    "an unknown charset": "=?klingon?b?////?=",
    "a lone surrogate": "Ana \ud800 Costa",
    "a byte order mark": "\ufeffAna",
    "a tab and spaces": " \tAna \t Costa ",
    "only spaces": "   ",
    "Arabic": "محمد بن عبد الله",
    "Hindi and Latin": "प्रिया Sharma, प्रिया Sharma, प्रिया Sharma",
    "a dot at the end": "Ana C.",
    "template syntax": "Ana }} {% x %}",
}


def head_of(raw: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[0]


def parsed(raw: bytes):
    return email.message_from_bytes(raw, policy=email.policy.default)


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES.keys())
def test_a_hostile_name_and_subject_leave_a_standards_clean_mail_to_one_person(name):
    raw = mime.octets(letter(name=name, subject=f"News for {name}"))
    assert faults(raw, rcpts=["ana@reader.example.com"], ignore=["S14"]) == []
    assert max(len(line) for line in head_of(raw).split(b"\r\n") if b"List-Unsubscribe:" not in line) <= 76
    fields = [line.partition(b":")[0] for line in head_of(raw).split(b"\r\n") if not line.startswith(b" ")]
    assert len(fields) == len(set(fields))
    assert b"Bcc" not in fields


@given(name=st.text(max_size=120), subject=st.text(min_size=1, max_size=300))
def test_any_text_makes_a_standards_clean_mail(name, subject):
    raw = mime.octets(letter(name=name, subject=f"News {subject}"))
    assert faults(raw, rcpts=["ana@reader.example.com"], ignore=["S14"]) == []


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=400))
def test_a_subject_reads_as_it_was_written_apart_from_white_space_and_what_was_taken_out(subject):
    cleaned = one_line(subject, headers.MAX_SUBJECT)
    raw = headers.text_header("Subject", subject).encode() + b"\r\n"
    value = email.message_from_bytes(raw, policy=email.policy.compat32)["Subject"]
    words = re.sub(r"\r\n ", " ", value).strip()
    read = str(email.header.make_header(email.header.decode_header(words))) if words else ""
    assert " ".join(read.split()) == cleaned


@pytest.mark.parametrize(
    "name",
    [
        "Ana Costa",
        "Zoë Okafor",
        "Costa, Ana",
        'Ana "Bo" Costa',
        "J.R.R. Tolkien",
        "O'Neill",
        "محمد بن عبد الله",
        "李雷",
    ],
)
def test_an_honest_name_reads_as_it_is(name):
    raw = mime.octets(letter(name=name))
    mailbox = parsed(raw)["To"].addresses[0]
    assert (mailbox.display_name, mailbox.addr_spec) == (name, "ana@reader.example.com")


@pytest.mark.parametrize(
    "name",
    [
        "Your account is locked, go to https://evil.example/now",
        "www.evil.example",
        "Click evil.com/pay today",
        "support@bank.example",
        "Win at evil.com",
    ],
)
def test_a_name_that_is_a_lure_is_left_out(name):
    raw = mime.octets(letter(name=name))
    assert b"evil" not in head_of(raw)
    assert b"bank" not in head_of(raw)
    assert parsed(raw)["To"].addresses[0].display_name == ""


def test_a_bidi_override_is_taken_out_and_a_name_is_cut_to_a_name_s_length():
    assert clean_name("Bob \u202egro\u202c") == "Bob gro"
    assert len(clean_name("A" * 10_000)) == MAX_NAME


def test_a_bulk_mail_carries_the_headers_of_its_list():
    message = parsed(mime.octets(letter()))
    assert message["From"] == "The Quick Publisher <news@example.org>"
    assert message["Reply-To"] == "newsroom@example.org"
    assert message["List-Id"] == "Reports <reports.example.org>"
    assert message["List-Unsubscribe"] == f"<{LIST.unsubscribe_url}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Precedence"] == "bulk"
    assert message["Feedback-ID"] == "c3:r12:reports:example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == "<0123456789abcdef@example.org>"
    assert message["Date"] == "Fri, 20 Nov 2026 08:00:00 +0000"


def test_a_transactional_mail_has_no_list_headers_and_is_clean_too():
    raw = mime.octets(letter(list_headers=None))
    assert not re.search(rb"^(List-|Precedence|Feedback-ID)", head_of(raw), re.MULTILINE)
    assert faults(raw, rcpts=["ana@reader.example.com"], profile="transactional") == []


def test_the_text_comes_before_the_html_and_both_read_as_they_were_written():
    text = "Grüße, 漢字 🎉\n" + "x" * 200 + " \n.\n..dots\nFrom here\nends with a blank \n"
    html = HTML.replace("news.", "news: " + "ä" * 500)
    message = parsed(mime.octets(letter(text=text, html=html)))
    plain, rich = message.iter_parts()
    assert [part.get_content_type() for part in (plain, rich)] == ["text/plain", "text/html"]
    assert plain.get_content().replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n")
    assert rich.get_content().rstrip("\n") == html


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=500))
def test_quoted_printable_lines_are_short_end_in_crlf_and_decode_to_the_text(text):
    encoded = quoted_printable(text)
    wanted = CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    assert quopri.decodestring(encoded.replace(b"\r\n", b"\n")).decode() == wanted
    lines = encoded.split(b"\r\n")
    assert all(len(line) <= 76 and not line.startswith(b".") for line in lines)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|[ \t]\r\n|[^\x20-\x7e\r\n\t]", encoded)


def decoded(encoded: bytes) -> str:
    return quopri.decodestring(encoded.replace(b"\r\n", b"\n")).decode()


HOSTILE_TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from(" \t\n\r.=Aäß漢🎉\u2028\x85\xa0\x00\x0b\x1c\u202e-_<&"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=200,
)


@given(st.lists(st.one_of(HOSTILE_TEXT, st.integers(60, 90).map(lambda length: "x" * length)), max_size=8))
def test_pieces_encoded_one_by_one_decode_to_the_whole_text_in_short_lines(texts):
    encoded = b"".join(map(joinable, texts))
    wanted = "".join(text.replace("\r\n", "\n").replace("\r", "\n") for text in texts)
    assert decoded(encoded) == CONTROL.sub("", wanted)
    assert all(len(line) <= 76 and not line.startswith(b".") for line in encoded.split(b"\r\n"))
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|[ \t]\r\n|[^\x20-\x7e\r\n\t]", encoded)


def test_lone_surrogates_become_question_marks_in_either_way():
    assert decoded(joinable("a\ud800") + joinable("\udc00b")) == decoded(quoted_printable("a\ud800\udc00b")) == "a??b"


def test_parts_that_were_encoded_before_are_sent_as_they_are():
    mail = Mail(subject="x", octets=Octets(text=b"Unsubscribe, 1 Main St\r\n", html=b"<p>once</p>\r\n"))
    plain, rich = parsed(mime.octets(letter(mail=mail))).iter_parts()
    assert (plain.get_content(), rich.get_content()) == ("Unsubscribe, 1 Main St\r\n", "<p>once</p>\r\n")


@pytest.mark.parametrize(
    "name", ["Zoë & Frères, „Verlag“", "=?utf-8?q?x?=", "A" * 60 + " Publishing House of Springfield"]
)
def test_the_sender_s_name_is_encoded_as_well(name):
    raw = mime.octets(letter(sender=replace(SENDER, name=name)))
    assert faults(raw, rcpts=["ana@reader.example.com"]) == []
    assert parsed(raw)["From"].addresses[0].addr_spec == "news@example.org"


def test_django_s_own_message_is_there_for_backends_that_read_its_parts():
    message = LifecycleMessage(letter(name="Costa, Ana"))
    assert isinstance(message, EmailMultiAlternatives)
    assert message.to == ['"Costa, Ana" <ana@reader.example.com>']
    assert message.recipients() == ["ana@reader.example.com"]
    assert message.body == TEXT
    assert [tuple(part) for part in message.alternatives] == [(HTML, "text/html")]
    assert message.extra_headers["List-Unsubscribe"] == f"<{LIST.unsubscribe_url}>"
    assert message.extra_headers["Message-ID"] == letter().message_id


def test_the_prepared_message_answers_like_a_message_on_every_django():
    prepared = LifecycleMessage(letter()).message(policy=email.policy.SMTP)
    assert prepared["Subject"] == "Your news"
    assert prepared.get_content_type() == "multipart/alternative"
    assert prepared.as_bytes(linesep="\r\n") == prepared.as_bytes() == prepared.as_string().encode()
    with pytest.raises(AttributeError):
        prepared._nothing  # noqa: B018 - reading it is what is tested
