"""Every name of the real data, in every part of a real mail: clean, and shown as it is."""

import email
import email.policy

import pytest
from django.utils.html import escape

from tests.real.test_names_in_headers import names
from tests.support.content import content, paragraph
from tests.support.letters import LIST, letter
from tests.support.mail_checks import faults
from wagtail_lifecycle.audiences import Recipient
from wagtail_lifecycle.rendering import Links, compile_mail
from wagtail_lifecycle.transport import mime

pytestmark = pytest.mark.data

CHIP = '<span data-merge-tag="recipient.name" data-fallback="friend">Name</span>'
LINKS = Links(unsubscribe=LIST.unsubscribe_url, site="https://publisher.example.org/")


def test_every_name_is_shown_literally_in_both_parts_of_a_clean_mail(real_data):
    compiled = compile_mail(content(paragraph(f"«{CHIP}»"), subject="News for {{ recipient.name | friend }}"))
    wrong, every = {}, [*names(real_data, "blns.json"), *names(real_data, "names_by_locale.json")]
    assert len(every) >= 689
    for name in every:
        recipient = Recipient(key="user:1", address="ana@reader.example.com", name=name)
        mail = compiled.personalise(recipient, data={}, links=LINKS)
        raw = mime.octets(letter(mail=mail, name=recipient.name))
        # S14 looks for template syntax and M07 for markup in the text, which some of these names are.
        found = faults(raw, rcpts=["ana@reader.example.com"], ignore=["S14", "M07"])
        # MJML labels the mail with its subject, which is no link, whatever it begins with.
        found = [fault for fault in found if not fault.endswith("div aria-label=javascript:")]
        plain, rich = email.message_from_bytes(raw, policy=email.policy.default).iter_parts()
        shown = f"«{recipient.name or 'friend'}»"
        found += [] if shown in plain.get_content() else ["not in the text"]
        found += [] if f">{escape(shown)}<" in rich.get_content() else ["not in the HTML"]
        if found:
            wrong[name] = found
    assert wrong == {}
