"""Domains in any alphabet become the ASCII that their owner has registered."""

import pytest

from wagtail_lifecycle.domains import ascii_address, ascii_domain, ascii_url
from wagtail_lifecycle.models.people import hash_address, normalise_address


@pytest.mark.parametrize(
    ("written", "registered"),
    [
        ("EXAMPLE.org", "example.org"),
        ("exämple.org", "xn--exmple-cua.org"),
        ("EXÄMPLE.org", "xn--exmple-cua.org"),
        ("exa\u0308mple.org", "xn--exmple-cua.org"),
        ("faß.de", "xn--fa-hia.de"),
        ("straße.de", "xn--strae-oqa.de"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("ශ්\u200dරී.com", "xn--10cl1a0b660p.com"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
    ],
)
def test_a_domain_is_the_one_its_owner_has_registered(written, registered):
    assert ascii_domain(written) == registered
    assert normalise_address(f"Ana@{written}") == f"Ana@{registered}"


@pytest.mark.parametrize("domain", ["a\u200db.de", "ä..de", "💩.la", "ä" * 64 + ".de", "ä b.de"])
def test_what_nobody_can_register_is_refused(domain):
    with pytest.raises(ValueError, match=r"."):
        ascii_domain(domain)
    with pytest.raises(ValueError, match="Not an address"):
        normalise_address(f"ana@{domain}")


@pytest.mark.parametrize(("one", "other"), [("faß.de", "fass.de"), ("βόλος.com", "βόλοσ.com")])
def test_domains_of_different_owners_are_different_people(one, other):
    assert hash_address(f"a@{one}") != hash_address(f"a@{other}")


def test_only_the_domain_of_an_address_may_have_other_letters():
    assert ascii_address("news@exämple.org") == "news@xn--exmple-cua.org"
    with pytest.raises(ValueError, match="before the @"):
        ascii_address("nëws@example.org")


@pytest.mark.parametrize(
    ("written", "in_ascii"),
    [
        ("https://www.Example.org:8000/a%20b", "https://www.Example.org:8000/a%20b"),
        ("https://exämple.org", "https://xn--exmple-cua.org"),
        ("https://exämple.org:8000/täglich", "https://xn--exmple-cua.org:8000/t%C3%A4glich"),
        ("https://example.org/täglich", "https://example.org/t%C3%A4glich"),
    ],
)
def test_a_url_keeps_what_is_ascii_already(written, in_ascii):
    assert ascii_url(written) == in_ascii
