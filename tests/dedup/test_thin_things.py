from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image, ImageDraw, ImageEnhance
from tests.dedup.edits import are_copies, jpeg_info
from tests.matrices import crossed

from pixtrawl.fine_greys import (
    COLOUR_SIDE,
    FINE_SIDE,
    packed,
    unpacked,
    unpacked_colours,
)
from pixtrawl.model import FINE_BYTES

Colour = tuple[int, int, int]
RED: Colour = (170, 45, 40)
PAIRS: dict[str, tuple[Colour, Colour]] = {
    "red, teal": (RED, (30, 105, 110)),
    "navy, grey": ((30, 40, 80), (130, 131, 134)),
    "beige, black": ((215, 195, 165), (38, 38, 42)),
    "yellow, white": ((240, 205, 60), (238, 236, 232)),
}
TWO: tuple[Colour, Colour] = ((31, 119, 180), (255, 127, 14))
PALETTES: dict[str, tuple[Colour, Colour]] = {
    "red and green": ((44, 160, 44), (214, 39, 40)),
    "dark and light": ((68, 1, 84), (53, 183, 121)),
    "green and grey": ((27, 100, 60), (60, 60, 60)),
}
TONES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "grey": lambda picture: picture.convert("L"),
    "saturated": lambda picture: ImageEnhance.Color(picture).enhance(1.6),
    "faded": lambda picture: ImageEnhance.Color(picture).enhance(0.4),
    "gamma": lambda picture: picture.point([round(255 * (v / 255) ** 1.5) for v in range(256)] * 3),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    "more contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(1.3),
    "smaller": lambda picture: picture.resize((225, 225), Image.Resampling.LANCZOS),
}


def spanner(dye: Colour) -> Image.Image:
    picture = Image.new("RGB", (480, 480), "white")
    draw = ImageDraw.Draw(picture)
    draw.line((120, 360, 350, 130), fill=dye, width=26)
    draw.ellipse((320, 60, 420, 160), outline=dye, width=27)
    draw.arc((40, 320, 160, 440), -20, 290, fill=dye, width=27)
    return picture


def lines(first: Colour, second: Colour) -> Image.Image:
    picture = Image.new("RGB", (640, 480), "white")
    draw = ImageDraw.Draw(picture)
    draw.line((70, 40, 70, 420, 610, 420), fill="black", width=2)
    for at in range(6):
        draw.text((100 + 90 * at, 440), str(2011 + at), "black", anchor="mm", font_size=18)
        draw.text((45, 60 + 65 * at), str(60 - 10 * at), "black", anchor="mm", font_size=18)
    for colour, phase in ((first, 0.0), (second, 2.1)):
        points = [(75 + 5 * n, 230 + 130 * math.sin(n / 11 + phase)) for n in range(106)]
        for start, end in pairwise(points):
            draw.line((start, end), fill=colour, width=2)
    return picture


def coat(grey: int) -> Image.Image:
    """A coat on white with folds, whose strength follows the dye."""
    y, x = np.mgrid[:480, :480]
    folds = 1 + 0.2 * np.sin(x / 17 + np.sin(y / 60)) + 0.12 * np.sin(y / 41 + x / 90)
    pixels = np.full((480, 480), 255.0)
    body = (abs(x - 240) < 60 + y / 5) & (y > 50) & (y < 440)
    pixels[body] = (grey * folds)[body]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize(("dyes", "level"), crossed([*PAIRS], ["strict", "near"]))
def test_a_thin_thing_in_another_dye_is_another_picture(dyes: str, level: str) -> None:
    one, other = (jpeg_info(spanner(dye)) for dye in PAIRS[dyes])
    assert not are_copies(one, other, level)


@pytest.mark.parametrize("tone", TONES)
def test_tones_of_a_thin_thing_are_copies(tone: str) -> None:
    assert are_copies(jpeg_info(spanner(RED)), jpeg_info(TONES[tone](spanner(RED))))


@pytest.mark.parametrize(("palette", "level"), crossed([*PALETTES], ["strict", "near"]))
def test_thin_lines_in_another_palette_are_another_chart(palette: str, level: str) -> None:
    drawn = jpeg_info(lines(*TWO))
    assert not are_copies(drawn, jpeg_info(lines(*PALETTES[palette])), level)


@pytest.mark.parametrize("tone", [tone for tone in TONES if tone != "smaller"])
def test_tones_of_thin_lines_are_copies(tone: str) -> None:
    drawn = lines(*TWO)
    assert are_copies(jpeg_info(drawn), jpeg_info(TONES[tone](drawn), quality=60))


@pytest.mark.parametrize("level", ["strict", "near"])
def test_black_beside_dark_grey_shows_by_its_fainter_folds(level: str) -> None:
    assert not are_copies(jpeg_info(coat(78)), jpeg_info(coat(27)), level)
    gamma = TONES["gamma"](coat(78))
    assert are_copies(jpeg_info(coat(78)), jpeg_info(gamma), level)


def test_without_colours_of_pixels_greys_of_an_older_version_are_still_read() -> None:
    new = jpeg_info(lines(*TWO))
    greys = zlib.decompress(new.fine[1:])[: FINE_SIDE * FINE_SIDE]
    old = replace(new, fine=new.fine[:1] + zlib.compress(greys))
    assert unpacked_colours(old.fine) is None
    assert np.array_equal(unpacked(old.fine), unpacked(new.fine))  # type: ignore[arg-type]
    assert are_copies(old, new)


def test_colours_are_kept_where_greys_need_too_many_bytes() -> None:
    noise = np.random.default_rng(5).integers(0, 255, (FINE_SIDE, FINE_SIDE), dtype=np.uint8)
    colours = np.zeros((2, COLOUR_SIDE, COLOUR_SIDE), dtype=np.float32)
    colours[0, 20:40] = 77
    data = packed(noise, colours)
    assert len(data) <= FINE_BYTES
    assert unpacked(data) is None
    busy = np.random.default_rng(6).integers(-100, 100, colours.shape).astype(np.float32)
    assert len(packed(noise, busy)) <= FINE_BYTES
    kept = unpacked_colours(data)
    assert kept is not None
    assert np.abs(kept - colours).max() <= 1
