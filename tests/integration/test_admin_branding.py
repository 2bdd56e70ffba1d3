"""The branding of mails in the settings of Wagtail: the form, who may open it, and its preview."""

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from wagtail.models import GroupSitePermission, Site
from wagtail.test.utils.form_data import nested_form_data, rich_text

from tests.support.admin import words
from tests.support.factories import make_user
from tests.support.publication import home_page
from wagtail_lifecycle.models import Branding
from wagtail_lifecycle.models.branding import COLOURS, FEATURES
from wagtail_lifecycle.rendering import PREVIEW_POLICY

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

MODEL = ("wagtail_lifecycle", "branding")


@pytest.fixture
def site() -> Site:
    home_page()
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def designer(site) -> Client:
    """Somebody who may change the branding of one site."""
    user, group = make_user(), Group.objects.create(name="Designers")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    change = Permission.objects.get(codename="change_branding")
    GroupSitePermission.objects.create(group=group, site=site, permission=change)
    user.groups.add(group)
    client = Client()
    client.force_login(user)
    return client


def url(name: str, site: Site) -> str:
    return reverse(f"wagtailsettings:{name}", args=[*MODEL, site.pk])


def form_data(**fields) -> dict[str, str]:
    values = {
        **{name: getattr(Branding, name).field.default for name in ("logo_width", "fonts")},
        **{f"{scheme}_{name}": Branding._meta.get_field(f"{scheme}_{name}").default
           for scheme in ("light", "dark") for name in COLOURS},
        "logo": "", "logo_alt": "", "postal_address": "",
        "header": rich_text("", features=FEATURES), "footer": rich_text("", features=FEATURES),
    }  # fmt: skip
    return nested_form_data({**values, **fields})


def preview(client, site, mode, **fields):
    answer = client.post(url("preview_on_edit", site), form_data(**fields)).json()
    assert answer == {"is_valid": True, "is_available": True}
    return client.get(f"{url('preview_on_edit', site)}?mode={mode}&in_preview_panel=true")


def test_what_is_saved_is_how_the_mails_of_the_site_look(designer, site):
    fields = {
        "light_accent": "#5b21b6",
        "fonts": "georgia",
        "footer": rich_text("<p>Bye <b>now</b></p>", features=FEATURES),
    }
    assert designer.post(url("edit", site), form_data(**fields)).status_code == 302
    saved = Branding.objects.get(site=site)
    assert (saved.light_accent, saved.fonts) == ("#5b21b6", "georgia")
    assert "Bye <b>now</b>" in saved.brand.footer


def test_colours_are_chosen_with_the_browsers_own_picker(designer, site):
    page = BeautifulSoup(designer.get(url("edit", site)).content, "html.parser")
    assert len(page.select("input[type=color]")) == 2 * len(COLOURS)
    assert page.select_one("#id_dark_accent")["value"] == "#4fb8bb"


def test_colours_that_cannot_be_read_are_refused_at_their_field_in_a_sentence(designer, site):
    response = designer.post(url("edit", site), form_data(dark_text="#333333", light_line="red"))
    assert response.status_code == 200
    errors = response.context["form"].errors
    assert set(errors) == {"dark_text", "light_line"}
    assert errors["light_line"] == ["Write the colour as #rrggbb, for example #00686b."]
    assert "contrast of 1.21:1; people need at least 4.5:1 to read it" in errors["dark_text"][0]
    assert Branding.objects.get(site=site).dark_text == "#e6eaee"


def test_a_merge_tag_does_not_pass_the_form(designer, site):
    chip = '<p>Dear <span data-merge-tag="recipient.name" data-fallback="you">Name</span></p>'
    designer.post(url("edit", site), form_data(header=rich_text(chip, features=FEATURES)))
    assert "data-merge-tag" not in Branding.objects.get(site=site).header


def test_the_preview_shows_the_unsaved_brand_in_each_mode(designer, site):
    fields = {"light_accent": "#5b21b6", "dark_accent": "#c4a1ff", "postal_address": "2 Side St"}
    light, dark, text = (preview(designer, site, mode, **fields) for mode in ("light", "dark", "text"))
    assert light.headers["Content-Security-Policy"] == PREVIEW_POLICY
    assert b"background:#5b21b6" in light.content
    assert b"@media (max-width:0)" in light.content
    assert b"@media (min-width:0)" in dark.content
    assert "2 Side St" in text.content.decode()
    assert "GOOD MORNING" in text.content.decode()
    assert Branding.objects.get(site=site).light_accent == "#00686b"


def test_the_preview_also_shows_what_nobody_can_read(designer, site):
    assert b"#eeeeee" in preview(designer, site, "light", light_text="#eeeeee").content


def test_who_may_change_one_site_may_not_change_another(designer, site):
    other = Site.objects.create(hostname="loaf.example", port=443, root_page=site.root_page)
    for name in ("edit", "preview_on_edit"):
        assert designer.get(url(name, other)).status_code == 302
        assert designer.post(url(name, other), form_data()).status_code == 302
    assert (
        not Branding.objects.filter(site=other).exists() or Branding.objects.get(site=other).light_accent == "#00686b"
    )


def test_who_may_not_change_branding_is_shown_no_way_to_it(site):
    user = make_user()
    user.user_permissions.add(Permission.objects.get(codename="access_admin"))
    client = Client()
    client.force_login(user)
    assert client.get(url("edit", site)).status_code == 302
    assert "Branding of mails" not in " ".join(words(client.get(reverse("wagtailadmin_home")), "body"))


def test_the_form_of_a_group_offers_the_permission_for_each_site(site, admin_client):
    page = words(admin_client.get(reverse("wagtailusers_groups:add")), "form")
    assert "Branding of mails permissions" in " ".join(page)
