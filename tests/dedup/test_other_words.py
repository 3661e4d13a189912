from __future__ import annotations

import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw
from tests.dedup.edits import are_copies, info_of, jpeg_info
from tests.matrices import crossed

from pixtrawl.dedup import NearDuplicates
from pixtrawl.fine_greys import COLOUR_SIDE, FINE_SIDE, has_ground, packed, unpacked

NORTH = ("Rain and exports 1987", "North", "South", "East", "West", "Rome")
OSLO = ("Births and salaries 2014", "Oslo", "Lima", "Kyiv", "Milk", "Tea")


def chart(words: tuple[str, ...]) -> Image.Image:
    picture = Image.new("RGB", (640, 480), "white")
    draw = ImageDraw.Draw(picture)
    draw.text((320, 30), words[0], "black", anchor="mm", font_size=22)
    for at, (word, height) in enumerate(zip(words[1:], (120, 260, 60, 310, 180), strict=True)):
        left = 90 + 105 * at
        draw.rectangle((left, 400 - height, left + 60, 400), fill=(50, 90, 200))
        draw.text((left + 30, 420), word, "black", anchor="mm", font_size=15)
    draw.line((70, 400, 610, 400), fill="black", width=2)
    return picture


def page(words: tuple[str, ...]) -> Image.Image:
    picture = Image.new("RGB", (600, 760), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((40, 40, 560, 110), fill=(30, 60, 120))
    for row in range(14):
        draw.rectangle((40, 150 + 42 * row, 200, 152 + 42 * row), fill=(120, 120, 130))
        text = f"{words[row % 5 + 1]} {words[0]}"
        draw.text((220, 140 + 42 * row), text, "black", font_size=18)
    return picture


@pytest.mark.parametrize(("drawn", "level"), crossed([chart, page], ["strict", "near"]))
def test_the_same_form_with_other_words_is_another_picture(drawn, level: str) -> None:  # type: ignore[no-untyped-def]
    assert not are_copies(jpeg_info(drawn(NORTH)), jpeg_info(drawn(OSLO)), level)


@pytest.mark.parametrize("drawn", [chart, page])
def test_the_same_words_compressed_smaller_or_grey_are_a_copy(drawn) -> None:  # type: ignore[no-untyped-def]
    picture = drawn(NORTH)
    original = jpeg_info(picture)
    half = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)
    assert are_copies(original, jpeg_info(picture, quality=30))
    for copy in (half, picture.convert("L")):
        assert are_copies(original, jpeg_info(copy))


def test_a_copy_too_small_to_be_read_stays_a_copy() -> None:
    small = chart(NORTH).resize((120, 90), Image.Resampling.LANCZOS)
    assert are_copies(jpeg_info(chart(NORTH)), jpeg_info(small))


def test_pictures_that_an_older_version_inspected_are_compared_without_words() -> None:
    older = info_of(chart(NORTH), quality=90)
    known = NearDuplicates("near", lambda id: older.thumb, lambda id: older.chroma, lambda id: b"")
    known.add("x", 1, older)
    assert known.find("x", jpeg_info(chart(OSLO))) is not None


def test_only_pictures_on_a_ground_keep_fine_greys() -> None:
    noise = np.random.default_rng(5).integers(0, 255, (64, 64), dtype=np.uint8)
    assert not has_ground(noise)
    assert jpeg_info(chart(NORTH)).fine
    assert not jpeg_info(Image.fromarray(noise).resize((400, 400))).fine


def test_fine_greys_come_back_to_three_levels_and_no_other_bytes_do() -> None:
    plane = np.full((FINE_SIDE, FINE_SIDE), 250, dtype=np.uint8)
    plane[20:60, 30:90] = np.arange(60, dtype=np.uint8)
    greys = unpacked(packed(plane, np.zeros((2, COLOUR_SIDE, COLOUR_SIDE), dtype=np.float32)))
    assert greys is not None
    assert float(np.abs(greys - plane).max()) <= 3
    for foreign in (b"", b"\x00", b"\x00abc", b"\x00" + zlib.compress(bytes(10))):
        assert unpacked(foreign) is None
    bomb = b"\x00" + zlib.compress(bytes(50_000_000))
    assert unpacked(bomb) is None
