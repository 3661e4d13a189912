from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance
from tests.dedup.edits import are_copies, jpeg_info
from tests.matrices import crossed

WHITE = (240, 240, 240)
EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "grey": lambda picture: picture.convert("L"),
    "saturated": lambda picture: ImageEnhance.Color(picture).enhance(1.6),
    "smaller": lambda picture: picture.resize((225, 225), Image.Resampling.LANCZOS),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
}


def shirt() -> Image.Image:
    """A blue shirt with folds in front of a studio's gradient."""
    y, x = np.mgrid[:480, :480]
    pixels = np.repeat((225 - y / 6 - abs(x - 240) / 8)[:, :, None], 3, axis=2)
    folds = 1 + 0.1 * np.sin(x / 31 + np.sin(y / 60)) + 0.06 * np.sin(y / 51 + x / 90)
    body = (abs(x - 240) < 120) & (y > 70) & (y < 430)
    sleeves = (abs(x - 240) < 190) & (y > 70) & (y < 190)
    cloth = body | sleeves
    pixels[cloth] = (folds[:, :, None] * np.array((60, 90, 170)))[cloth]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def with_print(shape: str, ink: tuple[int, int, int] = WHITE) -> Image.Image:
    picture = shirt()
    draw = ImageDraw.Draw(picture)
    if shape == "ring":
        draw.ellipse((195, 210, 285, 300), outline=ink, width=18)
    elif shape == "cross":
        draw.rectangle((190, 240, 290, 262), fill=ink)
        draw.rectangle((229, 200, 251, 300), fill=ink)
    elif shape == "word":
        draw.text((240, 250), "SURF", ink, anchor="mm", font_size=52)
    else:
        draw.polygon([(240, 200), (290, 290), (190, 290)], fill=ink)
    return picture


@pytest.mark.parametrize(
    ("other", "level"), crossed(["cross", "word", "triangle"], ["strict", "near"])
)
def test_another_print_is_another_picture(other: str, level: str) -> None:
    assert not are_copies(jpeg_info(with_print("ring")), jpeg_info(with_print(other)), level)


def test_another_faint_print_is_another_picture() -> None:
    faint = (100, 125, 195)
    one, other = (jpeg_info(with_print(shape, faint)) for shape in ("ring", "cross"))
    assert not are_copies(one, other)


@pytest.mark.parametrize("level", ["strict", "near"])
def test_a_print_in_another_colour_is_another_picture(level: str) -> None:
    one, other = (jpeg_info(with_print("word", ink)) for ink in ((60, 140, 120), (150, 95, 140)))
    assert not are_copies(one, other, level)


@pytest.mark.parametrize("edit", EDITS)
def test_edits_of_a_printed_shirt_are_copies(edit: str) -> None:
    picture = with_print("word")
    assert are_copies(jpeg_info(picture), jpeg_info(EDITS[edit](picture), quality=60))


def test_letters_laid_over_a_print_leave_it_a_copy() -> None:
    marked = with_print("ring")
    draw = ImageDraw.Draw(marked)
    draw.text((240, 330), "© SAMPLE", (235, 235, 235), anchor="mm", font_size=40)
    assert are_copies(jpeg_info(with_print("ring")), jpeg_info(marked))
