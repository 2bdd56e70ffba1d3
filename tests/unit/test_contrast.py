from __future__ import annotations

import pytest

from wagtail_lifecycle import contrast


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#FFFFFF", 1.0),
        # The greys that WebAIM's checker and Understanding 1.4.3 name as just enough and just too light on white.
        ("#767676", "#ffffff", 4.54),
        ("#777777", "#ffffff", 4.48),
        ("#ff0000", "#ffffff", 4.0),
        ("#0000ff", "#ffffff", 8.59),
        # Dark channels are on the straight part of the curve.
        ("#0a0a0a", "#000000", 1.06),
    ],
)
def test_contrast_is_that_of_wcag_whichever_comes_first(a: str, b: str, expected: float) -> None:
    assert round(contrast.ratio(a, b), 2) == expected
    assert contrast.ratio(b, a) == contrast.ratio(a, b)


@pytest.mark.parametrize("value", ["", "red", "#fff", "#ffffff;", "#ffffff\n", "#gggggg", 'x"#ffffff', "#٣٣٣٣٣٣"])
def test_only_rrggbb_is_a_colour(value: str) -> None:
    assert not contrast.is_colour(value)
    with pytest.raises(ValueError, match="write it as #rrggbb"):
        contrast.ratio(value, "#ffffff")


def test_a_mixture_lies_between_its_colours() -> None:
    assert contrast.mixed("#000000", "#ffffff", share=0.0) == "#000000"
    assert contrast.mixed("#102030", "#ffffff", share=1.0) == "#ffffff"
    assert contrast.mixed("#000000", "#c86432", share=0.5) == "#643219"


def test_the_clearest_colour_is_the_one_with_the_most_contrast() -> None:
    assert contrast.clearest(["#1d7a3e", "#6fcf8f"], on="#ffffff") == "#1d7a3e"
    assert contrast.clearest(["#1d7a3e", "#6fcf8f"], on="#000000") == "#6fcf8f"
