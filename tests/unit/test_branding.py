"""From what the editors of a site chose to the brand of its mails."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.images import ImageFile
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Site

from tests.support.content import Reader, content
from tests.support.factories import make_campaign
from tests.support.publication import home_page
from wagtail_lifecycle.contrast import ENOUGH, ratio
from wagtail_lifecycle.models import Branding, brand_of
from wagtail_lifecycle.models.branding import COLOURS, READABLE
from wagtail_lifecycle.rendering import Brand, Links, compile_mail
from wagtail_lifecycle.rendering.brand import DARK, FONTS, Palette

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><rect width="40" height="10"/></svg>'


@pytest.fixture
def site(settings, tmp_path) -> Site:
    settings.MEDIA_ROOT = tmp_path
    home_page()
    return Site.objects.get(is_default_site=True)


def branding(site, **fields) -> Branding:
    return Branding.objects.create(site=site, **fields)


def picture(width=640, height=160):
    file = get_test_image_file(size=(width, height))
    return get_image_model().objects.create(title="logo_final2", file=file)


def drawing():
    return get_image_model().objects.create(title="SVG", file=ImageFile(ContentFile(SVG), "l.svg"), width=40, height=10)


def html_of(site) -> str:
    compiled = compile_mail(content(brand=brand_of(site)))
    return compiled.personalise(Reader(), data={}, links=Links(unsubscribe="https://x.test/u")).html


def test_a_site_that_has_chosen_nothing_has_the_default_brand(site):
    assert brand_of(site) == brand_of(None) == Brand()
    chosen = branding(site).brand
    assert (chosen.light, chosen.dark, chosen.fonts) == (Palette(), DARK, Brand.fonts)
    assert list(Branding(site=site).problems()) == []


def test_each_site_has_its_own_brand(site):
    other = Site.objects.create(hostname="loaf.example", port=443, root_page=site.root_page)
    branding(site, light_accent="#5b21b6")
    branding(other, dark_card="#000000", fonts="georgia", postal_address=" The Loaf\n")
    assert brand_of(site).light.accent == "#5b21b6"
    assert brand_of(other).light == Palette()
    assert brand_of(other).dark.card == "#000000"
    assert brand_of(other).fonts == FONTS["georgia"]
    assert brand_of(other).home_url == "https://loaf.example/"
    assert brand_of(other).postal_address == "The Loaf"


def test_a_campaign_has_the_brand_of_its_site_and_by_default_of_the_default_one(site):
    other = Site.objects.create(hostname="loaf.example", port=443, root_page=site.root_page)
    branding(site, light_accent="#5b21b6")
    branding(other, light_accent="#7a1f3d")
    assert make_campaign().content.brand.light.accent == "#5b21b6"
    assert make_campaign(site=other).content.brand.light.accent == "#7a1f3d"


def test_the_logo_is_twice_as_wide_as_shown_at_an_absolute_address(site, settings):
    branding(site, logo=picture(), logo_width=120)
    brand = brand_of(site)
    assert brand.logo_url.startswith(f"{settings.WAGTAIL_LIFECYCLE_BASE_URL}/media/")
    assert ".width-240." in brand.logo_url
    assert (brand.logo_width, brand.logo_alt) == (120, "testserver")
    assert brand.home_url == "http://testserver/"


def test_a_logo_that_no_mail_program_shows_is_left_out(site):
    branding(site, logo=drawing())
    assert brand_of(site).logo_url == ""
    gone = picture()
    gone.file.storage.delete(gone.file.name)
    Branding.objects.update(logo=gone)
    assert brand_of(site).logo_url == ""


def test_a_brand_costs_two_queries_however_often_it_is_asked_for(site, django_assert_max_num_queries):
    branding(site, logo=picture())
    brand_of(site)  # makes the rendition
    with django_assert_max_num_queries(2):
        brand_of(site)


@pytest.mark.parametrize("hostile", ['"#fff;} </style><script>alert(1)</script>', "red", "#00686", ""])
def test_what_is_no_colour_never_reaches_a_mail(site, hostile):
    branding(site, light_page="#eeeeee")
    Branding.objects.update(dark_accent=hostile[:7], dark_text="#ffffff", fonts=hostile[:20])
    brand = brand_of(site)
    # The colours of a scheme belong together: all of it is the default.
    assert (brand.light.page, brand.dark, brand.fonts) == ("#eeeeee", DARK, Brand.fonts)
    assert hostile[:7] not in html_of(site) or hostile in ("red", "")


def test_a_row_past_every_form_does_no_harm(site):
    chip = '<p>Dear <span DATA-merge-tag="user.password">reader</span><script>x()</script></p>'
    branding(site, logo=picture(), logo_width=9000, header=chip, footer="<b>" * 20_000, logo_alt='"><script>')
    brand, html = brand_of(site), html_of(site)
    assert brand.logo_width == 536
    assert "Dear <span>reader</span>" in html
    assert brand.footer == ""
    assert "<script" not in html


def test_words_without_a_word_are_none(site):
    branding(site, header='<p data-block-key="a1"></p>', footer="<p>&nbsp;.</p>")
    assert brand_of(site).header == ""
    assert brand_of(site).footer != ""


@pytest.mark.parametrize(("front", "behind"), READABLE, ids="-on-".join)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_pair_without_contrast_is_named_with_its_ratio(site, scheme, front, behind):
    made = Branding(site=site)
    same = "#8a8a8a"
    for name in COLOURS:
        setattr(made, f"{scheme}_{name}", same if name in (front, behind) else getattr(made, f"{scheme}_{name}"))
    sentences = [sentence for field, sentence in made.problems() if field == f"{scheme}_{front}"]
    assert any("contrast of 1.00:1" in sentence and "at least 4.5:1" in sentence for sentence in sentences)


def test_a_ratio_just_too_small_is_not_rounded_to_enough(site):
    made = Branding(site=site, light_quiet="#767676", light_page="#fdfdfd")
    assert ratio("#767676", "#fdfdfd") < ENOUGH < ratio("#767676", "#ffffff")
    assert [(field, "contrast of 4.4" in sentence) for field, sentence in made.problems()] == [("light_quiet", True)]


def test_a_logo_needs_words_and_pixels(site):
    assert [field for field, _ in Branding(site=site, logo=picture()).problems()] == ["logo_alt"]
    assert [field for field, _ in Branding(site=site, logo=drawing(), logo_alt="Loaf").problems()] == ["logo"]
