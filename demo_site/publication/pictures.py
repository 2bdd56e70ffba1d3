"""Abstract pictures drawn by code: the same slug and motif always give the same picture."""

import math
from collections.abc import Callable
from io import BytesIO
from random import Random
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

SIZE = (1280, 800)
#: Drawn larger and scaled down, which smooths the edges.
SCALE = 2
WIDTH, HEIGHT = SIZE[0] * SCALE, SIZE[1] * SCALE

LIT_WINDOWS = 0.6
PANE_DEPTH = 5
LARGE_PANES = 0.25

PALETTES = [
    ("#f3e9d2", "#c6643c", "#88402b", "#2f4858", "#e8b04b"),
    ("#dfe7e3", "#33658a", "#2f4858", "#86bbd8", "#f6ae2d"),
    ("#f7e1d7", "#b56576", "#6d597a", "#355070", "#eaac8b"),
    ("#e9edc9", "#606c38", "#283618", "#bc6c25", "#dda15e"),
    ("#1d2d44", "#3e5c76", "#748cab", "#f0ebd8", "#e07a5f"),
    ("#f4f1de", "#81b29a", "#3d405b", "#e07a5f", "#f2cc8f"),
    ("#e6ebe0", "#5c7457", "#9bc1bc", "#ed6a5a", "#f4d35e"),
    ("#26233a", "#575279", "#b4637a", "#ea9d34", "#f2e9de"),
]


class Canvas(NamedTuple):
    """What a motif draws with."""

    draw: ImageDraw.ImageDraw
    chance: Random
    #: background first
    colours: tuple[str, ...]

    def colour(self) -> str:
        return self.chance.choice(self.colours[1:])


def draw_hills(canvas: Canvas) -> None:
    chance = canvas.chance
    radius = chance.randint(180, 300)
    x, y = chance.randint(500, WIDTH - 500), chance.randint(330, 560)
    canvas.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=canvas.colours[4])
    for layer, colour in enumerate((canvas.colours[3], canvas.colours[1], canvas.colours[2])):
        _draw_wave(canvas, top=620 + layer * 300, swell=(210, 150, 90)[layer], colour=colour)


def draw_waves(canvas: Canvas) -> None:
    rows = canvas.chance.randint(6, 8)
    for row in range(rows):
        top = 260 + row * (HEIGHT - 200) // rows
        _draw_wave(canvas, top=top, swell=75, colour=canvas.colours[1 + row % 4])


def _draw_wave(canvas: Canvas, *, top: int, swell: int, colour: str) -> None:
    phase = canvas.chance.uniform(0, math.tau)
    length = canvas.chance.uniform(1.2, 2.6)

    def height(x: int) -> float:
        ripple = 0.4 * math.sin(3.1 * phase + x / 340)
        return top + swell * (math.sin(phase + length * x * math.tau / WIDTH) + ripple)

    outline = [(x, height(x)) for x in range(0, WIDTH + 20, 20)]
    canvas.draw.polygon([(0, HEIGHT), *outline, (WIDTH, HEIGHT)], fill=colour)


def draw_arcs(canvas: Canvas) -> None:
    side = WIDTH // canvas.chance.choice((4, 5))
    for top in range(-side // 4, HEIGHT, side):
        for left in range(0, WIDTH, side):
            _draw_arch(canvas, left, top, side)


def _draw_arch(canvas: Canvas, left: int, top: int, side: int) -> None:
    rings = canvas.chance.sample(canvas.colours, 4)
    start = canvas.chance.choice((0, 90, 180, 270))
    corner_x = left + side * (start in {90, 180})
    corner_y = top + side * (start in {180, 270})
    canvas.draw.rectangle((left, top, left + side, top + side), fill=rings[0])
    for ring, colour in enumerate(rings[1:]):
        reach = side * (3 - ring) // 3
        box = (corner_x - reach, corner_y - reach, corner_x + reach, corner_y + reach)
        canvas.draw.pieslice(box, start, start + 90, fill=colour)


def draw_tracks(canvas: Canvas) -> None:
    vanishing = canvas.chance.randint(WIDTH // 4, 3 * WIDTH // 4)
    horizon = HEIGHT // 3
    radius = canvas.chance.randint(150, 260)
    sun = (vanishing - radius, horizon - radius, vanishing + radius, horizon + radius)
    canvas.draw.ellipse(sun, fill=canvas.colours[4])
    count = canvas.chance.randint(9, 13)
    for stripe in range(count):
        left = WIDTH * (stripe * 3 - count) // count
        corners = [(vanishing, horizon), (left, HEIGHT), (left + WIDTH * 3 // count, HEIGHT)]
        canvas.draw.polygon(corners, fill=canvas.colours[1 + stripe % 3])


def draw_blocks(canvas: Canvas) -> None:
    for row, base in enumerate((HEIGHT * 3 // 4, HEIGHT)):
        x = -canvas.chance.randint(0, 120)
        while x < WIDTH:
            width = canvas.chance.randint(180, 380)
            top = base - canvas.chance.randint(380, 900 - row * 240)
            wall = canvas.colours[2 - row] if width % 3 else canvas.colours[3]
            canvas.draw.rectangle((x, top, x + width, HEIGHT), fill=wall)
            _draw_windows(canvas, (x, top, x + width, base))
            x += width


def _draw_windows(canvas: Canvas, house: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = house
    for y in range(top + 50, bottom - 60, 110):
        for x in range(left + 40, right - 60, 90):
            if canvas.chance.random() < LIT_WINDOWS:
                canvas.draw.rectangle((x, y, x + 40, y + 60), fill=canvas.colours[4])


def draw_panes(canvas: Canvas) -> None:
    _split(canvas, (0, 0, WIDTH, HEIGHT), depth=PANE_DEPTH)


def _split(canvas: Canvas, box: tuple[int, int, int, int], *, depth: int) -> None:
    left, top, right, bottom = box
    stays_large = depth <= PANE_DEPTH // 2 and canvas.chance.random() < LARGE_PANES
    if depth == 0 or stays_large:
        canvas.draw.rectangle((left + 12, top + 12, right - 12, bottom - 12), fill=canvas.colour())
        return
    share = canvas.chance.uniform(0.32, 0.68)
    if right - left > bottom - top:
        middle = round(left + (right - left) * share)
        parts = (left, top, middle, bottom), (middle, top, right, bottom)
    else:
        middle = round(top + (bottom - top) * share)
        parts = (left, top, right, middle), (left, middle, right, bottom)
    for part in parts:
        _split(canvas, part, depth=depth - 1)


class Motif(NamedTuple):
    """How a picture is drawn, and what somebody is told who cannot see it."""

    draw: Callable[[Canvas], None]
    description: str


MOTIFS = {
    "hills": Motif(draw_hills, "Rolling hills under a round sun, in flat colours."),
    "waves": Motif(draw_waves, "Bands of colour that swell like waves."),
    "arcs": Motif(draw_arcs, "Quarter circles in rows, turned at random like tiles."),
    "tracks": Motif(draw_tracks, "Stripes that run to one point on the horizon, below a low sun."),
    "blocks": Motif(draw_blocks, "A skyline of simple houses with lit windows."),
    "panes": Motif(draw_panes, "Rectangles of colour, divided like a window."),
}


def draw_picture(slug: str, motif: str) -> BytesIO:
    """Return a JPEG."""
    chance = Random(f"{slug}/{motif}")
    colours = chance.choice(PALETTES)
    image = Image.new("RGB", (WIDTH, HEIGHT), colours[0])
    MOTIFS[motif].draw(Canvas(ImageDraw.Draw(image), chance, colours))
    file = BytesIO()
    image.resize(SIZE, Image.Resampling.BOX).save(file, "JPEG", quality=86, optimize=True)
    file.seek(0)
    return file


#: units of `icon.svg`, whose mark it shows, and pixels per unit before it is scaled down
LOGO_SIZE = (166, 32)
LOGO_SCALE = 16
LOGO_PLATE, LOGO_INK, LOGO_DOT = "#14532d", "#ffffff", "#fbbf24"


def draw_logo(name: str) -> BytesIO:
    """Return a PNG: the mark and the name on a plate of its own, which can be seen on any card."""
    width, height = (side * LOGO_SCALE for side in LOGO_SIZE)
    image = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, width - 1, height - 1), radius=7 * LOGO_SCALE, fill=LOGO_PLATE)
    _draw_mark(draw)
    font = ImageFont.load_default(14 * LOGO_SCALE)
    draw.text((29 * LOGO_SCALE, height / 2), name, fill=LOGO_INK, font=font, anchor="lm", stroke_width=LOGO_SCALE // 4)
    file = BytesIO()
    image.resize((width // 4, height // 4), Image.Resampling.LANCZOS).save(file, "PNG", optimize=True)
    file.seek(0)
    return file


def _draw_mark(draw: ImageDraw.ImageDraw) -> None:
    """Draw the letter P and its full stop."""
    draw.rectangle(_scaled((9, 10, 12, 22)), fill=LOGO_INK)
    draw.rectangle(_scaled((9, 10, 15.2, 19.2)), fill=LOGO_INK)
    draw.ellipse(_scaled((10.6, 10, 19.8, 19.2)), fill=LOGO_INK)
    draw.rectangle(_scaled((12, 12.8, 15, 16.4)), fill=LOGO_PLATE)
    draw.ellipse(_scaled((13.2, 12.8, 16.8, 16.4)), fill=LOGO_PLATE)
    draw.ellipse(_scaled((21, 18.5, 25, 22.5)), fill=LOGO_DOT)


def _scaled(box: tuple[float, float, float, float]) -> tuple[float, ...]:
    return tuple(edge * LOGO_SCALE for edge in box)
