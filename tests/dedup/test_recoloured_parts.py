from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance
from tests.dedup import edits
from tests.matrices import crossed, sample

Colour = tuple[int, int, int]
PAPERS: dict[str, tuple[Colour, Colour]] = {
    "white": ((255, 255, 255), (40, 40, 40)),
    "cream": ((250, 246, 236), (70, 60, 50)),
    "dark": ((32, 34, 40), (225, 225, 225)),
}
BLUE, RED, GREEN = (50, 90, 200), (205, 55, 60), (40, 150, 80)


def are_copies(one: Image.Image, other: Image.Image, level: str = "near") -> bool:
    return edits.are_copies(edits.jpeg_info(one), edits.jpeg_info(other), level)


def bars(draw: ImageDraw.ImageDraw, first: Colour, second: Colour) -> None:
    for at, height in enumerate((120, 260, 60, 310, 180, 90)):
        left = 60 + 70 * at
        draw.rectangle((left, 420 - height, left + 45, 420), fill=first if at % 3 else second)


def lines(draw: ImageDraw.ImageDraw, first: Colour, second: Colour) -> None:
    for colour, phase in ((first, 0.0), (second, 1.9)):
        points = [(60 + 8 * n, 230 + 130 * math.sin(n / 5 + phase)) for n in range(52)]
        for start, end in pairwise(points):
            draw.line((start, end), fill=colour, width=7)


def slices(draw: ImageDraw.ImageDraw, first: Colour, second: Colour) -> None:
    ends = (0, 80, 150, 215, 290, 360)
    for at, (start, end) in enumerate(pairwise(ends)):
        fill = (first, second, (230, 190, 60), (120, 120, 130), (150, 90, 160))[at]
        draw.pieslice((100, 70, 420, 390), start, end, fill=fill)


def dots(draw: ImageDraw.ImageDraw, first: Colour, second: Colour) -> None:
    places = np.random.default_rng(3).uniform((70, 60), (470, 400), (70, 2))
    for at, (x, y) in enumerate(places.tolist()):
        draw.ellipse((x - 9, y - 9, x + 9, y + 9), fill=second if at % 2 else first)


CHARTS: dict[str, Callable[[ImageDraw.ImageDraw, Colour, Colour], None]] = {
    "bars": bars, "lines": lines, "slices": slices, "dots": dots,
}  # fmt: skip


def chart(kind: str, paper: str, first: Colour = BLUE, second: Colour = BLUE) -> Image.Image:
    ground, ink = PAPERS[paper]
    picture = Image.new("RGB", (520, 480), ground)
    draw = ImageDraw.Draw(picture)
    draw.line((50, 40, 50, 420), ink, 3)
    draw.line((50, 420, 500, 420), ink, 3)
    draw.text((150, 12), "Visits and sales 2019", ink, font_size=20)
    CHARTS[kind](draw, first, second)
    return picture


@pytest.mark.parametrize(("level", "paper", "kind"), crossed(["strict", "near"], PAPERS, CHARTS))
def test_a_chart_in_another_palette_is_another_picture(level: str, paper: str, kind: str) -> None:
    one, other = chart(kind, paper), chart(kind, paper, RED, GREEN)
    assert not are_copies(one, other, level)
    assert not are_copies(other, one, level)


@pytest.mark.parametrize(("paper", "kind"), crossed(PAPERS, CHARTS))
def test_a_chart_with_one_series_in_another_colour_is_another_picture(
    paper: str, kind: str
) -> None:
    one, other = chart(kind, paper, BLUE, GREEN), chart(kind, paper, BLUE, RED)
    assert not are_copies(one, other)
    assert not are_copies(other, one)


def sepia(picture: Image.Image) -> Image.Image:
    grey = picture.convert("L")
    parts = [grey.point(lambda v, f=f: min(255, int(v * f))) for f in (1.07, 0.95, 0.75)]
    return Image.merge("RGB", parts)


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "grey": lambda p: p.convert("L"),
    "half the saturation": lambda p: ImageEnhance.Color(p).enhance(0.5),
    "more saturation": lambda p: ImageEnhance.Color(p).enhance(1.5),
    "sepia": sepia,
    "darker": lambda p: ImageEnhance.Brightness(p).enhance(0.75),
    "paler": lambda p: ImageEnhance.Contrast(p).enhance(0.7),
    "smaller": lambda p: p.resize((p.width // 3, p.height // 3), Image.Resampling.LANCZOS),
    "cut by a fiftieth": lambda p: p.crop((10, 10, *p.size)),
}


@pytest.mark.parametrize(("kind", "paper", "edit"), crossed(CHARTS, PAPERS, EDITS))
def test_less_colour_or_a_tone_leaves_a_chart_a_copy(kind: str, paper: str, edit: str) -> None:
    picture = chart(kind, paper, BLUE, RED)
    assert are_copies(picture, EDITS[edit](picture))


@cache  # edits make new pictures of it
def worn(body: Colour, sleeves: Colour) -> Image.Image:
    """A shirt on a figure before a studio's gradient, with folds."""
    down, across = np.mgrid[:400, :400] / 400 - 0.5
    ground = 225 - 90 * (down**2 + across**2) - 30 * down
    pixels = np.repeat(ground[:, :, None], 3, axis=2)
    rough = np.random.default_rng(5).normal(1, 0.14, (9, 9)).astype(np.float32)
    folds = np.asarray(Image.fromarray(rough).resize((400, 400), Image.Resampling.BICUBIC))
    for colour, outlines in (
        ((224, 172, 140), [[(165, 10), (235, 10), (235, 90), (165, 90)]]),
        (sleeves, [[(120, 80), (60, 170), (100, 210), (135, 150)],
                   [(280, 80), (340, 170), (300, 210), (265, 150)]]),
        (body, [[(120, 75), (280, 75), (275, 350), (125, 350)]]),
    ):  # fmt: skip
        mask = Image.new("L", (400, 400))
        for outline in outlines:
            ImageDraw.Draw(mask).polygon(outline, fill=255)
        covered = np.asarray(mask)[:, :, None] / 255
        pixels += covered * (folds[:, :, None] * np.array(colour) - pixels)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("level", "body", "sleeves"),
    crossed(
        ["strict", "near"],
        [
            (GREEN, BLUE),  # another body
            (RED, GREEN),  # other sleeves
            ((205, 120, 50), BLUE),  # a hue nearby
            ((40, 10, 12), BLUE),  # a darker dye
            ((235, 225, 225), BLUE),  # a lighter one
        ],
    ),
)
def test_a_garment_in_another_dye_before_a_gradient_is_another_picture(
    level: str, body: Colour, sleeves: Colour
) -> None:
    assert not are_copies(worn(RED, BLUE), worn(body, sleeves), level)
    assert not are_copies(worn(body, sleeves), worn(RED, BLUE), level)


@pytest.mark.parametrize("edit", sample(EDITS, 3))
def test_edits_of_a_garment_before_a_gradient_are_copies(edit: str) -> None:
    assert are_copies(worn(RED, BLUE), EDITS[edit](worn(RED, BLUE)))


@pytest.mark.parametrize(
    ("level", "one", "other"),
    crossed(["strict", "near"], [(38, 96), (96, 150), (150, 235), (38, 235)]),
)
def test_a_black_a_grey_and_a_white_garment_are_different_pictures(
    level: str, one: int, other: int
) -> None:
    first, second = (worn((grey, grey, grey), BLUE) for grey in (one, other))
    assert not are_copies(first, second, level)
    assert not are_copies(second, first, level)


@pytest.mark.parametrize("tone", ["darker", "paler"])
@pytest.mark.parametrize("grey", [60, 150])
def test_a_grey_garment_in_another_tone_is_a_copy(grey: int, tone: str) -> None:
    picture = worn((grey, grey, grey), BLUE)
    assert are_copies(picture, EDITS[tone](picture))


LIGHT_GREEN, DARK_GREEN = (102, 194, 165), (27, 158, 119)


@pytest.mark.parametrize("kind", sample(CHARTS, 2))
def test_lighter_colours_beside_the_same_text_are_another_chart(kind: str) -> None:
    light, dark = (chart(kind, "white", c, c) for c in (LIGHT_GREEN, DARK_GREEN))
    assert not are_copies(light, dark)
    assert not are_copies(dark, light)


@pytest.mark.parametrize(("kind", "gamma"), crossed(CHARTS, [0.65, 1.6]))
def test_a_tone_that_changes_the_text_too_leaves_a_copy(kind: str, gamma: float) -> None:
    picture = chart(kind, "white", LIGHT_GREEN, LIGHT_GREEN)
    toned = picture.point([round(255 * (v / 255) ** gamma) for v in range(256)] * 3)
    assert are_copies(picture, toned)


def with_box(picture: Image.Image) -> Image.Image:
    picture = picture.copy()
    ImageDraw.Draw(picture).rectangle((330, 150, 390, 215), fill=(18, 60, 120))
    return picture


def test_a_box_laid_over_a_side_of_a_picture_recolours_nothing() -> None:
    assert are_copies(worn(RED, GREEN), with_box(worn(RED, GREEN)))


@pytest.mark.parametrize("part", [2, 3])
def test_a_mark_on_a_coloured_part_leaves_a_copy(part: int) -> None:
    picture = worn(RED, BLUE)
    layer = Image.new("RGBA", picture.size)
    ImageDraw.Draw(layer).text(
        (200, 400 * part // 5), "SAMPLE", (255, 255, 255, 140), anchor="mm", font_size=60
    )
    marked = Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")
    assert are_copies(picture, marked)
