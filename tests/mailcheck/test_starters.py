"""Every shipped starter, for a hundred people, in every language: clean by every judge."""

from typing import Any

import pytest
from django.utils import timezone, translation
from playwright.sync_api import sync_playwright
from wagtail.models import Locale

from tests.mailcheck import judges
from tests.mailcheck.people import hundred
from tests.support.factories import make_topic
from tests.support.mail_checks import faults
from tests.support.publication import home_page
from tests.support.services import find_chromium
from wagtail_lifecycle import links, registry
from wagtail_lifecycle.conf import settings
from wagtail_lifecycle.models.people import hash_address
from wagtail_lifecycle.rendering import Links, compile_mail, mjml
from wagtail_lifecycle.transport import Letter, ListHeaders

pytestmark = [pytest.mark.mailcheck, pytest.mark.django_db, pytest.mark.timeout(900)]

LANGUAGES = ("en", "de", "ar")
STARTERS = sorted(starter.name for starter in registry.starters)
#: HTML that people fetch, encoded; from 102 kB on Gmail cuts it.
LARGEST = 80_000
#: A site that is scored must not be called suspicious by the first plug-in.
SPAM_LIMIT = 1.0
#: How many of the hundred are opened in Chromium.
OPENED = 5


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    if missing := judges.missing():
        pytest.fail(f"`make mailcheck` needs what is not here: {missing}")


@pytest.fixture(scope="module")
def chromium():
    # Playwright's event loop runs in this thread; the ORM is used between its calls.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=find_chromium().address, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 700, "height": 900})
        browser.close()


class Rendered:
    """One starter in one language: its source, and the letters of the hundred."""

    def __init__(self, name: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sources: list[str] = []
        home_page()
        topic = make_topic()
        locale = Locale.objects.get_or_create(language_code=language)[0]
        with translation.override(language):
            campaign = registry.starters.get(name)().draft(locale).campaign
        campaign.sender = campaign.sender or min(settings.senders)
        campaign.topic = None if campaign.is_transactional else campaign.topic or topic
        self.content = campaign.content
        self._watch(monkeypatch)
        self.compiled = compile_mail(self.content)
        self.topic = campaign.topic
        self.letters = [self._letter(person) for person in hundred()]

    def _watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        convert = mjml.to_html

        def to_html(markup: str) -> str:
            self.sources.append(markup)
            return convert(markup)

        monkeypatch.setattr(mjml, "to_html", to_html)

    def _letter(self, person: Any) -> Letter:
        base, digest = links.base_url(), hash_address(person.address)
        unsubscribe = links.unsubscribe_url(digest, self.topic.pk, base=base) if self.topic else ""
        urls = Links(unsubscribe=unsubscribe, site=f"{base}/", verify=links.verify_url(person.key, digest, base))
        kind = self.content.period
        data = {name: registry.data_sources.get(name)().example_of(kind) for name in self.compiled.required}
        mail = self.compiled.personalise(person, data=data, links=urls)
        about = (
            ListHeaders(
                slug=self.topic.slug, name=self.topic.name, unsubscribe_url=unsubscribe, campaign_id=1, run_id=1
            )
            if self.topic
            else None
        )
        return Letter(
            sender=settings.sender(self.content.sender), address=person.address, name=person.name, mail=mail,
            message_id=f"<{person.key.replace(':', '.')}@example.org>", date=timezone.now(), list_headers=about,
        )  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", STARTERS)
def test_every_judge_finds_the_starter_clean(name, language, chromium, monkeypatch):
    rendered = Rendered(name, language, monkeypatch)
    found = [*standards(rendered), *weight(rendered), *spam(rendered), *reference(rendered)]
    found += accessibility(rendered, chromium)
    assert not found, "\n".join(dict.fromkeys(found))


def standards(rendered: Rendered) -> list[str]:
    profile = "bulk" if rendered.topic else "transactional"
    options = {"profile": profile, "allow_http": True, "allow_loopback": True, "postal": ""}
    return [fault for letter in rendered.letters for fault in faults(letter.wire, rcpts=[letter.address], **options)]


def weight(rendered: Rendered) -> list[str]:
    heaviest = max(len(letter.mail.octets.html) for letter in rendered.letters)
    return [f"the heaviest HTML has {heaviest} octets"] if heaviest >= LARGEST else []


def spam(rendered: Rendered) -> list[str]:
    scores = judges.spam_scores([letter.wire for letter in rendered.letters])
    return [f"SpamAssassin gives {score}: {rules}" for score, rules in scores if score >= SPAM_LIMIT]


def reference(rendered: Rendered) -> list[str]:
    pages = judges.reference_pages(rendered.sources)
    ours = [judges.visible_text(mjml.to_html(source)) for source in list(rendered.sources)]
    theirs = [judges.visible_text(page) for page in pages]
    return [
        f"the reference renderer shows other words:\n{mine}\n{other}"
        for mine, other in zip(ours, theirs, strict=True)
        if mine != other
    ]


def accessibility(rendered: Rendered, page: Any) -> list[str]:
    by_weight = sorted(rendered.letters, key=lambda letter: len(letter.mail.html))
    step = max(1, len(by_weight) // (OPENED - 1))
    opened = [*by_weight[::step][: OPENED - 1], by_weight[-1]]
    return [f"axe: {violation}" for letter in opened for violation in judges.axe_violations(page, letter.mail.html)]
