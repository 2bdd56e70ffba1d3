"""Checks of what is written: subject, preheader, headings, words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_lifecycle.preflight.base import Check, Fault
from wagtail_lifecycle.registry import register_check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wagtail_lifecycle.preflight.flights import Flight

#: What Gmail shows of a subject on a wide screen; telephones show half.
SUBJECT_SHOWN: Final = 70
#: Fewer capitals are an abbreviation.
ABBREVIATION: Final = 5
PUNCTUATION: Final = re.compile(r"[!?]{2,}|!.*!|[$€£]{2,}|\.{4,}|[*_~^]{3,}")
#: Words of links that say nothing about where they lead, by language.
EMPTY_WORDS: Final = frozenset(
    [
        *("click here", "click", "here", "read more", "more", "learn more", "this link", "link", "this page"),
        *("hier", "hier klicken", "klicken sie hier", "klick hier", "mehr", "mehr lesen", "weiterlesen", "link"),
        *("ici", "cliquez ici", "lire la suite", "en savoir plus"),
        *("aquí", "haga clic aquí", "haz clic aquí", "leer más", "más"),
        *("هنا", "اضغط هنا", "انقر هنا", "المزيد", "اقرأ المزيد"),
    ]
)


def subject_of(flight: Flight) -> str:
    """Return the subject as the example reads it."""
    return flight.example.subject if flight.example else flight.content.subject


@register_check
class SubjectLength(Check):
    name = "subject_long"
    field = "subject"
    passed = gettext_lazy("The subject is short enough for inboxes.")
    remedy = gettext_lazy("Put the most important words first and leave out the rest; 70 characters are shown at most.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        length = len(subject_of(flight))
        if length > SUBJECT_SHOWN:
            sentence = _("The subject has %(length)d characters; inboxes cut it after %(shown)d.")
            yield Fault(sentence % {"length": length, "shown": SUBJECT_SHOWN})


@register_check
class SubjectShouting(Check):
    name = "subject_shouting"
    field = "subject"
    passed = gettext_lazy("The subject does not shout.")
    remedy = gettext_lazy("Write the subject as you would say it; filters count capitals.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        letters = [letter for letter in flight.content.subject if letter.isalpha() and letter.lower() != letter.upper()]
        if len(letters) > ABBREVIATION and all(letter.isupper() for letter in letters):
            yield Fault(_("The subject is all in capitals, which readers and spam filters take for shouting."))


@register_check
class SubjectPunctuation(Check):
    name = "subject_punctuation"
    field = "subject"
    passed = gettext_lazy("The punctuation of the subject is calm.")
    remedy = gettext_lazy("Leave one exclamation mark or none.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        found = PUNCTUATION.search(flight.content.subject)
        if found:
            yield Fault(_("The subject has “%(marks)s”, which looks like spam.") % {"marks": found[0]})


@register_check
class PreheaderMissing(Check):
    name = "preheader_missing"
    field = "preheader"
    passed = gettext_lazy("There is a preheader.")
    remedy = gettext_lazy("Write one sentence that goes on where the subject ends.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        if not flight.content.preheader.strip():
            yield Fault(_("There is no preheader, so inboxes show the first words of the mail after the subject."))


@register_check
class PreheaderRepeats(Check):
    name = "preheader_repeats"
    field = "preheader"
    passed = gettext_lazy("The preheader says something else than the subject.")
    remedy = gettext_lazy("Say in the preheader what the subject does not.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        subject, preheader = (_plain(text) for text in (flight.content.subject, flight.content.preheader))
        if preheader and (preheader == subject or preheader.startswith(f"{subject} ")):
            yield Fault(_("The preheader repeats the subject."))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())


@register_check
class HeadingOrder(Check):
    name = "heading_order"
    passed = gettext_lazy("The headings follow each other in order.")
    remedy = gettext_lazy("Begin with one large heading, and let no level be left out on the way down.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        levels = [int(tag.name[1]) for tag in flight.soup.find_all(["h1", "h2", "h3", "h4", "h5", "h6"])]
        before = 0
        for level in levels:
            if before and level > before + 1:
                sentence = _("A heading of level %(before)d is followed by one of level %(level)d.")
                yield Fault(sentence % {"before": before, "level": level})
            before = level
        if levels.count(1) > 1:
            yield Fault(_("There are %(count)d large headings; a mail has one title.") % {"count": levels.count(1)})


@register_check
class LinkWords(Check):
    name = "link_words"
    passed = gettext_lazy("The words of every link say where it leads.")
    remedy = gettext_lazy("Name what the link leads to: readers of screens hear links without the text around them.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        for link in flight.links:
            words = link.words.casefold().strip(" .…!»>→")
            if words in EMPTY_WORDS:
                sentence = _("“%(words)s” does not say where the link leads.")
                yield Fault(sentence % {"words": link.words}, block_id=link.block_id)


@register_check
class TextEmpty(Check):
    name = "text_empty"
    passed = gettext_lazy("The text part says something.")
    remedy = gettext_lazy("Say in words what the pictures show: some people read mails as text.")

    def find(self, flight: Flight) -> Iterator[Fault]:
        if flight.example and not _own_words(flight):
            yield Fault(_("The text part has no words of your own: who reads mails as text sees only its foot."))


def _own_words(flight: Flight) -> str:
    """Return what stands between the name of the sender and the foot."""
    text = flight.example.text if flight.example else ""
    body = text.partition("\n--")[0].strip()
    return body.removeprefix(flight.sender.name if flight.sender else "").strip()
