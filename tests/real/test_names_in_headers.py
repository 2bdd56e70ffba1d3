"""Names nobody on this project thought of, in every header they can reach."""

import email
import json
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.utils import parseaddr
from pathlib import Path

import pytest

from tests.support.letters import letter
from tests.support.mail_checks import faults
from wagtail_lifecycle.transport import headers, mime

pytestmark = pytest.mark.data


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def names(folder: Path, file: str) -> list[str]:
    return list(strings(json.loads((folder / "names" / file).read_text(encoding="utf-8"))))


@pytest.mark.parametrize("file", ["blns.json", "names_by_locale.json"])
def test_every_name_leaves_a_standards_clean_mail_to_one_person(real_data, file):
    wrong = {}
    for name in names(real_data, file):
        raw = mime.octets(letter(name=name, subject=f"News for {name}"))
        # S14 looks for template syntax, which some of these names are.
        if found := faults(raw, rcpts=["ana@reader.example.com"], ignore=["S14"]):
            wrong[name] = found
    assert wrong == {}


def test_every_real_name_reads_as_it_is(real_data):
    found = names(real_data, "names_by_locale.json")
    assert len(found) > 100
    for name in found:
        # Not email.policy.default: it leaves a space between encoded-words (RFC 2047 6.2 wants none).
        field = email.message_from_bytes(mime.octets(letter(name=name)))["To"].replace("\r\n", "")
        display, _address = parseaddr(field)
        wanted = " ".join(name.split())[: headers.MAX_NAME].rstrip()
        assert str(make_header(decode_header(display))) == wanted
