"""PDQ: the hashes are those of the reference implementation."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PIL import Image
from tests.matrices import crossed
from tests.pipeline.pictures import encoded

from pixtrawl.images.appearance.pdq import pdq_of, pdq_of_grey

# Computed with the reference implementation (ThreatExchange, release 0.2.8 of its binding) from
# `picture(seed, width, height)`.
REFERENCE = (
    (1, 320, 200, 100, "1b3e013f160eb85672bdf1561bb042292563dbfd22e1c5398f8d9bf913c29a13"),
    (2, 200, 320, 100, "ecd12592d6a572096431d79538bfd82caf20e88b633e1ec881277b3c7e5da64c"),
    (3, 64, 64, 100, "460b8832080db3d3a07d711ecddc442fa76d6a0ddd9789d16ac659b75f3c5543"),
    (4, 1000, 700, 100, "cabd74d0c7c7d23740773da2aaa3a8355af9d4401227bbdca3028737e0ca74e6"),
    (5, 33, 47, 100, "944142b15382a9950b7ce97f26bf85ced18e2b4336e932d772568d736517c42d"),
    (6, 641, 479, 100, "21970943df6d50c6496f400f6a1053e8ef6cd34c4be11a56f4e4df3d35d5c1e4"),
)
TURNED = (
    "21970943df6d50c6496f400f6a1053e8ef6cd34c4be11a56f4e4df3d35d5c1e4",
    "24cfd012d2cecea16ab4df713ff4161ab13f860429ed7de92dd44320dd1813d9",
    "34c2a3e98a28f86c1c3aeaa53f45f942ba2979e71eb4b1fca0b17597e0806b4e",
    "71986ab8c7db640b3fe171db62a1bca2c46e2cae7cb8d7037881e98a8945b933",
    "2197f6bcdf6d8d39496f39f06a10ac17ef6c2c824be1e421f4e400c235d53e1b",
    "74c27c168ab867931e3a975a3f4506bfba39a6391eb44f8ba1b3aae8e18094b1",
    "20cd3fed828a315e6ab4208e23f4e9e7912b79fb29ad82162dc4bcdfdc10ec26",
    "759a1547d7df9bf43fe18a2466a14355c47ed3517cf8083c78911675894546cc",
)


def picture(seed: int, width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def apart(one: bytes, other: str) -> int:
    return (int.from_bytes(one) ^ int(other, 16)).bit_count()


@pytest.mark.parametrize(
    ("seed", "width", "height", "quality", "known", "format"),
    crossed(REFERENCE, ["PNG", "BMP", "WEBP"]),
)
def test_the_hash_is_that_of_the_reference(
    seed: int, width: int, height: int, quality: int, known: str, format: str
) -> None:
    options = {"lossless": True} if format == "WEBP" else {}
    ((own_quality, hashes),) = pdq_of(
        encoded(picture(seed, width, height), format, **options), 10**8
    )
    assert own_quality == quality
    assert apart(hashes[0], known) <= 2  # rounding of the luminance


@pytest.mark.parametrize(("seed", "width", "height", "quality", "known"), REFERENCE)
def test_a_jpeg_stays_far_below_the_usual_distance(
    seed: int, width: int, height: int, quality: int, known: str
) -> None:
    data = encoded(picture(seed, width, height), "JPEG", quality=85)
    ((_, hashes),) = pdq_of(data, 10**8)
    assert apart(hashes[0], known) <= 12


def test_every_turn_and_mirror_image_is_among_the_eight_hashes() -> None:
    ((_, hashes),) = pdq_of(encoded(picture(6, 641, 479), "PNG"), 10**8)
    assert all(min(apart(one, known) for one in hashes) <= 2 for known in TURNED)
    turned = picture(6, 641, 479).transpose(Image.Transpose.TRANSVERSE)
    ((_, others),) = pdq_of(encoded(turned, "PNG"), 10**8)
    assert min(apart(one, TURNED[0]) for one in others) <= 16  # samples lie elsewhere on odd sides


def test_a_transparent_picture_is_hashed_on_white_and_without_its_transparency() -> None:
    image = picture(1, 320, 200).convert("RGBA")
    image.putalpha(Image.new("L", image.size, 90))
    image.putpixel((0, 0), (0, 0, 0, 255))
    found = pdq_of(encoded(image, "PNG"), 10**8)
    assert len(found) == 2
    assert min(apart(hashes[0], REFERENCE[0][4]) for _, hashes in found) <= 2


def test_next_to_nothing_has_a_low_quality_and_the_smallest_have_no_hash() -> None:
    assert pdq_of_grey(np.full((300, 200), 90, np.uint8))[0] == 0
    assert pdq_of_grey(np.full((4, 200), 90, np.uint8)) == (0, (bytes(32),) * 8)


@pytest.mark.parametrize("data", [b"", b"<html>", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n" * 9])
def test_what_is_no_picture_has_no_hash(data: bytes) -> None:
    assert pdq_of(data, 10**8) == []


def test_more_pixels_than_the_cap_are_not_decoded() -> None:
    for format in ("PNG", "JPEG"):
        assert pdq_of(encoded(picture(4, 1000, 700), format), 699_999) == []


def test_a_picture_of_extreme_shape_takes_no_extreme_time() -> None:
    started = time.process_time()
    quality, hashes = pdq_of_grey(np.zeros((6, 60_000), np.uint8))
    assert (quality, len(hashes)) == (0, 8)
    assert time.process_time() - started < 5
