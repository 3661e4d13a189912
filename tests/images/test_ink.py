"""How ink lies on an even ground: its colours, its rows, its words."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pixtrawl.images.junk.ink import ink_layout, one_ink
from pixtrawl.images.phash import thumbnail


def drawn(*colours: str, ground: str = "white") -> np.ndarray:
    image = Image.new("RGB", (400, 400), ground)
    draw = ImageDraw.Draw(image)
    for at, colour in enumerate(colours):
        draw.ellipse((40 + 90 * at, 120, 120 + 90 * at, 200), fill=colour)
    return np.asarray(image.resize((100, 100), Image.Resampling.LANCZOS))


@pytest.mark.parametrize("ground", ["white", "black", "#eee0d0"])
@pytest.mark.parametrize("ink", ["#888", "#d02020", "#2040c0"])
def test_soft_edges_are_of_the_ink_s_colour(ink: str, ground: str) -> None:
    assert one_ink(drawn(ink, ink, ground=ground)) > 0.985


def test_two_colours_are_two_inks() -> None:
    assert one_ink(drawn("#d02020", "#2040c0", "#20a040")) < 0.7


def test_a_picture_in_greys_has_one_ink_and_a_blank_one_as_well() -> None:
    assert one_ink(None) == one_ink(drawn()) == 1.0


def tile(*, framed: bool) -> bytes:
    image = Image.new("L", (256, 256), 240)
    draw = ImageDraw.Draw(image)
    if framed:
        draw.rectangle((0, 0, 255, 255), outline=90, width=6)
    draw.rectangle((100, 50, 156, 110), fill=90)
    draw.text((128, 170), "no photo here", fill=90, font=ImageFont.load_default(30), anchor="mm")
    return thumbnail(np.asarray(image)).tobytes()


@pytest.mark.parametrize("framed", [False, True])
def test_a_sign_and_words_are_two_bands_in_a_frame_or_without(framed: bool) -> None:
    sign, words = ink_layout(tile(framed=framed)).rows()
    assert not sign.has_words()
    assert words.has_words()
    assert abs(sign.middle - words.middle) < 2


def test_a_blank_thumbnail_has_no_rows() -> None:
    layout = ink_layout(bytes([200]) * 4096)
    assert layout.rows() == []
    assert layout.margins == (0, 0, 0, 0)
