"""The plugin speaks German and Arabic: all of it, and what is shipped is what was translated."""

import gettext
import re
from pathlib import Path

import polib
import pytest

import wagtail_lifecycle
from tests.support.messages import messages_of

PACKAGE = Path(wagtail_lifecycle.__file__).parent
PLACE = re.compile(r"%\(\w+\)[.\d]*[sdf]|(?<!{){\w+}")
SPARE = {"%(count)d", "%(days)s", "%(total)s", "%(more)s", "%(uncertain)s", "%(now)d", "%(before)d", "%(number)s"}
SPARE |= {"%(people)s", "%(made)s", "%(too_large)s", "%(minutes)d", "%(count)s", "{count}"}

languages = pytest.mark.parametrize("language", ["de", "ar"])


def catalogue(language):
    return polib.pofile(str(PACKAGE / "locale" / language / "LC_MESSAGES" / "django.po"))


def wordings(entry):
    return list(entry.msgstr_plural.values()) or [entry.msgstr]


@pytest.fixture(scope="module")
def messages():
    return messages_of(PACKAGE)


def test_messages_are_found_in_python_and_in_templates(messages):
    assert ("day of the month", "1st") in messages
    assert (None, "%(total)s view") in messages
    assert (None, "Opted out of the topic.") in messages
    assert (None, "Unsubscribe") in messages


def test_messages_are_asked_for_under_names_that_makemessages_knows():
    aliases = re.compile(r"gettext\w* as (?!_\b)\w+")
    assert [path.name for path in PACKAGE.rglob("*.py") if aliases.search(path.read_text(encoding="utf-8"))] == []


@languages
def test_every_message_is_translated_and_none_is_left_over(messages, language):
    entries = [entry for entry in catalogue(language) if not entry.obsolete]
    known = {(entry.msgctxt, entry.msgid) for entry in entries}
    remedy = "run `make messages` and translate what is new"
    assert (messages - known, known - messages) == (set(), set()), remedy
    assert [entry.msgid for entry in entries if entry.fuzzy or not all(wordings(entry))] == [], remedy


@languages
def test_every_wording_has_the_places_of_its_message(language):
    wrong = []
    for entry in catalogue(language):
        wanted = set(PLACE.findall(entry.msgid + entry.msgid_plural))
        # One, two and none say their number in words.
        spare = SPARE if entry.msgid_plural else set()
        wrong += [words for words in wordings(entry) if not wanted - spare <= set(PLACE.findall(words)) <= wanted]
    assert wrong == []


@languages
def test_the_compiled_file_says_what_the_translated_one_says(language):
    source = catalogue(language)
    with (PACKAGE / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    wanted = {}
    for entry in source.translated_entries():
        key = f"{entry.msgctxt}\x04{entry.msgid}" if entry.msgctxt else entry.msgid
        plural = entry.msgstr_plural
        wanted |= {(key, int(form)): words for form, words in plural.items()} if plural else {key: entry.msgstr}
    found = {key: words for key, words in compiled._catalog.items() if key != ""}
    assert found == wanted, "run `make messages`"
