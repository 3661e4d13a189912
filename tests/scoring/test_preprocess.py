"""Pictures become input as CLIP wants it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pixtrawl.scoring.models.preprocess import BadPictureError, Preprocess, read_preprocess

PLAIN = Preprocess(size=(8, 8), mean=(0, 0, 0), std=(1, 1, 1))


def encoded(image: Image.Image, format_: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def left_red_right_blue(size: tuple[int, int]) -> Image.Image:
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, *size))
    return image


def test_the_centre_is_cut_out_and_the_aspect_kept() -> None:
    image = Image.new("RGB", (300, 100), "red")
    image.paste("white", (100, 0, 200, 100))
    assert PLAIN.pixels(encoded(image)).min() > 0.9  # edges mix with what lies beside
    squashed = Preprocess(size=(8, 8), mean=(0, 0, 0), std=(1, 1, 1), mode="squash")
    assert squashed.pixels(encoded(image))[1, :, 0].max() < 0.05


def test_numbers_are_normalised_by_colour() -> None:
    found = Preprocess().pixels(encoded(Image.new("RGB", (300, 300), (255, 0, 0))))
    assert found.shape == (3, 224, 224)
    assert found.dtype == np.float32
    wanted = [(1 - 0.48145466) / 0.26862954, -0.4578275 / 0.26130258, -0.40821073 / 0.27577711]
    assert np.allclose(found.mean(axis=(1, 2)), wanted, atol=1e-4)


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
def test_a_turned_picture_stands_upright(format_: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned to the right by 90 degrees: its left side is on top
    data = encoded(left_red_right_blue((256, 256)), format_, exif=exif)
    found = PLAIN.pixels(data)
    assert found[0, 0].min() > 0.9
    assert found[2, -1].min() > 0.9


def test_what_is_transparent_is_white() -> None:
    assert PLAIN.pixels(encoded(Image.new("RGBA", (20, 20), (0, 0, 0, 0)))).min() > 0.99


def test_sixteen_bits_become_eight() -> None:
    grey = Image.fromarray(np.full((20, 20), 128 << 8, dtype=np.uint16))
    assert np.allclose(PLAIN.pixels(encoded(grey)), 128 / 255, atol=0.01)


def test_a_long_strip_takes_no_more_room_than_others() -> None:
    strip = encoded(Image.new("L", (60_000, 2), "white"))
    assert PLAIN.pixels(strip).shape == (3, 8, 8)


@pytest.mark.parametrize(
    "data", [b"", b"no picture", encoded(Image.new("RGB", (90, 90)))[:60], b"%!PS-Adobe-3.0 EPSF"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(BadPictureError, match="does not decode"):
        PLAIN.pixels(data)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    data = bytearray(encoded(Image.new("1", (10, 10))))
    data[16:24] = (20_000).to_bytes(4) + (20_000).to_bytes(4)
    with pytest.raises(BadPictureError):
        PLAIN.pixels(bytes(data))


def test_settings_of_open_clip_and_transformers_are_understood() -> None:
    theirs = {"size": (256, 256), "mode": "RGB", "interpolation": None, "resize_mode": "squash"}
    found = read_preprocess(theirs)
    assert (found.size, found.mode, found.interpolation) == ((256, 256), "squash", "bicubic")
    siglip = {"size": {"height": 384, "width": 384}, "resample": 2, "image_mean": [0.5, 0.5, 0.5]}
    found = read_preprocess(siglip)
    assert (found.size, found.mode, found.interpolation) == ((384, 384), "squash", "bilinear")
    assert found.mean == (0.5, 0.5, 0.5)
    clip = {"size": {"shortest_edge": 336}, "crop_size": {"height": 336, "width": 336}}
    assert read_preprocess({**clip, "do_center_crop": True}).mode == "shortest"
    assert read_preprocess({}, 32, 32) == Preprocess(size=(32, 32))
