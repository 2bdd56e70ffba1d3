"""Signed links: what they say, and what they refuse."""

import pytest
from django.core.signing import Signer
from wagtail.models import Site

from wagtail_lifecycle import links
from wagtail_lifecycle.exceptions import InvalidToken, Misconfigured
from wagtail_lifecycle.models.people import hash_address

ANA = hash_address("ana@example.org")


def test_a_token_says_who_wants_to_stop_what():
    wish = links.read_unsubscribe_token(links.unsubscribe_token(ANA, 7))
    assert wish == links.Unsubscription(address_hash=ANA, topic_id=7)


def test_a_token_without_a_topic_stops_everything():
    wish = links.read_unsubscribe_token(links.unsubscribe_token(ANA, None))
    assert wish.topic_id is None


def test_a_token_shows_no_address_and_is_short_enough_for_a_header():
    token = links.unsubscribe_token(ANA, 7)
    assert "ana" not in token.lower().partition(":")[0].replace(ANA, "")
    assert len(token) < 120


def test_every_flipped_character_makes_a_token_invalid():
    token = links.unsubscribe_token(ANA, 7)
    for place, character in enumerate(token):
        changed = "A" if character != "A" else "B"
        with pytest.raises(InvalidToken):
            links.read_unsubscribe_token(token[:place] + changed + token[place + 1 :])


@pytest.mark.parametrize("token", ["", ":", "a:b", "é", "\x00", "x" * 10_000, "..:..", "%00"])
def test_nonsense_is_no_token(token):
    with pytest.raises(InvalidToken):
        links.read_unsubscribe_token(token)


def test_a_long_token_is_refused_before_anything_is_computed(monkeypatch):
    def too_late(*args):
        raise AssertionError("a signature was computed for 10 kB of junk")

    monkeypatch.setattr(Signer, "unsign", too_late)
    with pytest.raises(InvalidToken):
        links.read_unsubscribe_token("x" * 10_000)


def test_a_token_signed_for_another_purpose_is_refused():
    value = links.unsubscribe_token(ANA, 7).rpartition(":")[0]
    with pytest.raises(InvalidToken):
        links.read_unsubscribe_token(Signer(salt="wagtail_lifecycle.verify").sign(value))


def test_a_signed_value_that_is_no_wish_is_refused():
    with pytest.raises(InvalidToken):
        links.read_unsubscribe_token(Signer(salt=links.UNSUBSCRIBE_SALT).sign("!!!.x"))


def test_a_token_signed_with_a_retired_key_still_works(settings):
    token = links.unsubscribe_token(ANA, 7)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a-new-secret-key-after-the-rotation-of-the-old-one"
    assert links.read_unsubscribe_token(token).topic_id == 7


def test_links_begin_with_the_configured_base_url(settings):
    settings.WAGTAIL_LIFECYCLE_BASE_URL = "https://mail.example.org/"
    url = links.unsubscribe_url(ANA, 7)
    assert url.startswith("https://mail.example.org/lifecycle/unsubscribe/")
    assert links.absolute("/about/") == "https://mail.example.org/about/"


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("https://media.example.net/a.png", "https://media.example.net/a.png"),
        ("//media.example.net/a.png", "https://media.example.net/a.png"),
        ("media/a.png", "https://mail.example.org/media/a.png"),
    ],
)
def test_media_on_another_host_stay_there(path, url):
    assert links.absolute(path, base="https://mail.example.org") == url


@pytest.mark.django_db
def test_without_a_setting_links_begin_with_the_default_site(settings):
    settings.WAGTAIL_LIFECYCLE_BASE_URL = settings.WAGTAILADMIN_BASE_URL = ""
    Site.objects.filter(is_default_site=True).update(hostname="quick.example.org", port=443)
    assert links.base_url() == "https://quick.example.org"


@pytest.mark.django_db
def test_the_default_site_may_have_a_name_in_any_alphabet(settings):
    settings.WAGTAIL_LIFECYCLE_BASE_URL = settings.WAGTAILADMIN_BASE_URL = ""
    Site.objects.filter(is_default_site=True).update(hostname="exämple.org", port=443)
    assert links.base_url() == "https://xn--exmple-cua.org"


@pytest.mark.django_db
def test_without_a_setting_and_a_site_the_error_says_what_to_do(settings):
    settings.WAGTAIL_LIFECYCLE_BASE_URL = settings.WAGTAILADMIN_BASE_URL = ""
    Site.objects.all().delete()
    with pytest.raises(Misconfigured, match="WAGTAIL_LIFECYCLE_BASE_URL"):
        links.base_url()
