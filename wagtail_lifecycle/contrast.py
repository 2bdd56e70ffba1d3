"""Contrast of two colours as WCAG 2.2 counts it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

#: Least ratio of text to what is behind it (WCAG 2.2, 1.4.3, level AA).
ENOUGH: Final = 4.5
#: Up to here the curve of sRGB is straight.
STRAIGHT: Final = 0.04045
COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")


def is_colour(value: object) -> bool:
    """Return whether `value` is a colour written as "#rrggbb"."""
    return isinstance(value, str) and COLOUR.fullmatch(value) is not None


def ratio(a: str, b: str) -> float:
    """Return the contrast of two colours, from 1.0 for the same to 21.0 for black on white; the order means nothing.

    Both are written "#rrggbb"; anything else raises ValueError. Source: WCAG 2.2, definition of "contrast ratio".
    """
    darker, lighter = sorted((luminance(a), luminance(b)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return how light `colour` is, from 0.0 to 1.0 (WCAG 2.2, definition of "relative luminance")."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= STRAIGHT else float(((channel + 0.055) / 1.055) ** 2.4)


def clearest(colours: Iterable[str], *, on: str) -> str:
    """Return which of `colours` stands out most on another."""
    return max(colours, key=lambda colour: ratio(colour, on))


def mixed(a: str, b: str, *, share: float) -> str:
    """Return `a` with a share of `b`, from 0.0 for none to 1.0 for nothing else."""
    return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in zip(_channels(a), _channels(b), strict=True))


def _channels(colour: str) -> list[int]:
    if not is_colour(colour):
        raise ValueError(f"{colour!r} is no colour; write it as #rrggbb.")
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
