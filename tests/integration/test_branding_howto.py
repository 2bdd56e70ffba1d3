"""The template of the how-to, in place of ours."""

from copy import deepcopy

import pytest

from tests.support.content import Reader, content
from tests.support.howto import edit_files
from wagtail_lifecycle.rendering import Brand, Links, Palette, compile_mail


@pytest.fixture
def _overridden(tmp_path, settings) -> None:
    assert edit_files("howto/branding.md", tmp_path) == ["templates/wagtail_lifecycle/blocks/heading.mjml"]
    templates = deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"] = [tmp_path / "templates", *templates[0]["DIRS"]]
    settings.TEMPLATES = templates


@pytest.mark.usefixtures("_overridden")
def test_a_block_looks_as_the_sites_own_template_says():
    heading = ("heading", {"text": "Fish & <chips>", "size": "large"})
    compiled = compile_mail(content(heading, brand=Brand(light=Palette(accent="#5b21b6"))))
    mail = compiled.personalise(Reader(), data={}, links=Links())
    assert 'color:#5b21b6" class="wl-accent">Fish &amp; &lt;chips&gt;</h1>' in mail.html
    assert "border-top:solid 2px #5b21b6" in mail.html
    assert "text-transform:uppercase" in mail.html
    assert "FISH & <CHIPS>" in mail.text
