"""What axe says about every screen and public page, and what an enforced Content-Security-Policy would break."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import expect
from wagtail.models import Site as WagtailSite

from tests.support.content import paragraph
from tests.support.factories import make_campaign, make_delivery, make_empty_run, make_topic, make_user
from wagtail_lifecycle import links
from wagtail_lifecycle.dispatch import senders
from wagtail_lifecycle.models import CampaignState
from wagtail_lifecycle.models.people import hash_address

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]

CAMPAIGNS = "/admin/snippets/wagtail_lifecycle/campaign/"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: What Wagtail 8.0's own screens are found at fault for, by rule and a part of the element.
OF_WAGTAIL = {
    # The editor of any snippet has its title in an <h2>.
    "page-has-heading-one": "<html",
    # A rich text that no label leads to.
    "aria-input-field-name": "public-DraftEditor-content",
    # A panel's toggle that the header, which stays in sight, covers in part.
    "target-size": "w-panel__toggle",
}
#: Scripts that Wagtail 8.0's widgets stand with in the page, by their beginning. Their fields work without.
INLINE_OF_WAGTAIL = ("initDateChooser(", "initDateTimeChooser(", "new ImageChooser(", "new PageChooser(")
#: A colour on its way from light to dark is no fault.
AT_ONCE = "*, ::before, ::after { transition: none !important; animation: none !important }"
LISTEN = """window.blocked = [];
addEventListener("securitypolicyviolation", (event) => {
  window.blocked.push({ directive: event.violatedDirective, uri: event.blockedURI, sample: event.sample });
});"""


@dataclass
class Walk:
    """A browser that is led from screen to screen, and what was found on the way."""

    page: Any
    url: str
    found: set[str] = field(default_factory=set)

    def go(self, name: str, path: str, part: str = "") -> None:
        """Open a page and look at it, in the light and in the dark."""
        self.page.goto(path if path.startswith("http") else f"{self.url}{path}")
        self.look(name, part)

    def look(self, name: str, part: str = "") -> None:
        """Look at the page as it is, or at what a selector finds in it."""
        self.page.add_style_tag(content=AT_ONCE)
        self.page.emulate_media(color_scheme="light")
        self._ask_axe(name, part, {"type": "tag", "values": TAGS})
        self.page.emulate_media(color_scheme="dark")
        self._ask_axe(f"{name}, dark", part, {"type": "rule", "values": ["color-contrast"]})
        for blocked in self.page.evaluate("window.blocked"):
            if not blocked["sample"].startswith(INLINE_OF_WAGTAIL):
                self.found.add(f"{name}: blocked {blocked}")

    def _ask_axe(self, name: str, part: str, rules: dict[str, Any]) -> None:
        options = {"runOnly": rules, "resultTypes": ["violations"], "iframes": False}
        answer = Axe().run(self.page, part or None, options).response
        for violation in answer["violations"]:
            for node in violation["nodes"]:
                if OF_WAGTAIL.get(violation["id"], "no element") not in node["html"]:
                    self.found.add(f"{name}: {violation['id']} at {node['target']}: {node['failureSummary']}")


@pytest.fixture(autouse=True)
def _policy(settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.support.policy.EnforcedPolicy"]


@pytest.fixture
def set_out(_policy, site, open_page) -> Callable[[str], Walk]:
    """Return a function that begins a walk as one of the demo's logins, or as nobody."""

    def set_out(role: str = "") -> Walk:
        page = open_page(role)
        page.add_init_script(LISTEN)
        return Walk(page, site.url)

    return set_out


@pytest.fixture
def screens(site) -> dict[str, str]:
    """Addresses of screens that have everything to show that they can show."""
    with site.quiet():
        now = timezone.now()
        tag = '<p>Hello <span data-merge-tag="recipient.first_name" data-fallback="friend">First name</span></p>'
        campaign = make_campaign(("heading", {"text": "News", "size": "large"}), ("rich_text", {"text": tag}))
        broken = make_campaign(paragraph(""), name="Broken", publish=False)
        CampaignState.objects.filter(campaign=make_campaign()).update(problem="Choose who gets the mail.")
        run = make_empty_run(campaign, slot=now - timedelta(hours=2))
        make_delivery(run, status="sent", finished_at=now)
        make_delivery(run, status="uncertain", reason="lost_reply", finished_at=now)
        make_delivery(run, status="failed", reason="refused", detail="550 5.7.1 Refused", finished_at=now)
        make_delivery(run, status="skipped", reason="opted_out")
        make_delivery(run)
        senders.pause("news", "authentication", "535 5.7.8 Error: authentication failed")
        senders.make_wait(run.pk)
        return {
            "editor": f"{CAMPAIGNS}edit/{campaign.pk}/",
            "pre-flight": f"{CAMPAIGNS}preflight/{campaign.pk}/",
            "pre-flight of what is broken": f"{CAMPAIGNS}preflight/{broken.pk}/",
            "test": f"{CAMPAIGNS}test/{campaign.pk}/",
            "list": CAMPAIGNS,
            "empty list": f"{CAMPAIGNS}?q=nothing-is-called-that",
            "starters": f"{CAMPAIGNS}starters/",
            "runs": "/admin/lifecycle/runs/",
            "run": f"/admin/lifecycle/runs/{run.pk}/",
            "question": f"/admin/lifecycle/runs/{run.pk}/cancel/",
            "failures": "/admin/lifecycle/failures/",
            "branding": f"/admin/settings/wagtail_lifecycle/branding/{WagtailSite.objects.get().pk}/",
            "group": f"/admin/groups/edit/{Group.objects.get(name='Editors').pk}/",
        }


@pytest.fixture
def public_pages(site) -> dict[str, str]:
    """Addresses of what readers meet."""
    with site.quiet():
        address = hash_address(make_user("ana@example.org", is_verified=False).email)
        key = f"user:{make_user('ben@example.org', is_verified=False).pk}"
        return {
            "unsubscribe": links.unsubscribe_url(address, make_topic().pk, base=site.url),
            "verify": links.verify_url(key, hash_address("ben@example.org"), base=site.url),
            "verify again": "/lifecycle/verify/",
            "inert": links.inert_unsubscribe_url(base=site.url),
            "invalid": "/lifecycle/unsubscribe/nonsense/",
            "sign up": "/accounts/sign-up/",
        }


def look_at_the_editor(walk: Walk, path: str) -> None:
    page = walk.page
    walk.go("editor", path)
    for tab in ("Who", "When", "Rules"):
        page.get_by_role("tab", name=tab).click()
        if tab == "Who":
            page.get_by_label("Would one person get it?").fill("editor@example.org")
            page.get_by_role("button", name="Check", exact=True).click()
            expect(page.get_by_role("tabpanel", name="Who")).to_contain_text("Edda Lindqvist gets it")
        walk.look(f"editor, {tab}", f"#tab-{tab.lower()}")
    page.get_by_role("tab", name="What").click()
    insert = page.get_by_role("button", name="Insert a merge tag").first
    insert.press("Enter")
    walk.look("merge tags", "dialog[open]")
    page.keyboard.press("Escape")
    expect(insert).to_be_focused()
    page.get_by_role("button", name="Toggle preview").click()
    title = page.frame_locator("iframe").last.get_by_role("heading", name="News")
    # Its own policy lets a mail have the styles that it cannot do without.
    expect(title).to_have_css("font-weight", "700")
    page.get_by_label("As read by").select_option(label="A reader I choose")
    page.get_by_label("Find a reader").fill("e")
    expect(page.get_by_role("button", name="Edda Lindqvist")).to_be_visible()
    walk.look("preview", "[data-side-panel=preview]")
    choose_without_a_mouse(page)


def choose_without_a_mouse(page: Any) -> None:
    """What is pressed goes away; the focus stays where somebody goes on."""
    page.get_by_label("Find a reader").focus()
    page.keyboard.press("Tab")
    expect(page.locator(".lifecycle-preview__people button").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Find a reader")).to_be_focused()
    status = page.locator("[data-lifecycle-preview-target=status][aria-live=polite]")
    first = status.inner_text()
    next_reader = page.get_by_role("button", name="Next reader")
    next_reader.focus()
    page.keyboard.press("Enter")
    expect(status).not_to_have_text(first)
    expect(next_reader).to_be_focused()


def test_no_screen_has_a_barrier_or_breaks_the_policy(set_out, screens):
    walk = set_out("Admin")
    look_at_the_editor(walk, screens.pop("editor"))
    for name, path in screens.items():
        walk.go(name, path)
    assert not walk.found, "\n".join(sorted(walk.found))
    assert walk.page.errors == []


def test_no_public_page_has_a_barrier_or_breaks_the_policy(set_out, public_pages):
    walk = set_out()
    for name, path in public_pages.items():
        walk.go(name, path)
    assert not walk.found, "\n".join(sorted(walk.found))
