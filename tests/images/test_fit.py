"""Resizing and encoding: sizes by mode, orientation, colour, transparency, damage."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from tests.exporters.dataset import encoded, picture
from tests.images.profiles import swapped_profile
from tests.matrices import crossed

from pixtrawl.errors import UsageError
from pixtrawl.images.fit import fit
from pixtrawl.transform import BadPictureError, Transform


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def psnr_db(one: object, other: object) -> float:
    error = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    return float(10 * np.log10(255**2 / max(float(np.mean(error**2)), 1e-9)))


def photograph(width: int, height: int, seed: int = 1) -> Image.Image:
    """Noise with the spectrum of natural pictures (amplitude falls with frequency)."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.rfftfreq(width)[None], np.fft.fftfreq(height)[:, None])
    frequency[0, 0] = 1

    def plane() -> Any:
        noise = np.fft.rfft2(rng.standard_normal((height, width))) / frequency**1.3
        values = np.fft.irfft2(noise, s=(height, width))
        return (values - values.mean()) / values.std()

    luma = plane()
    pixels = np.stack([125 + 45 * luma + 12 * plane() for _ in range(3)], -1)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def by_area(image: Image.Image, width: int, height: int) -> Any:
    """Exact area averaging, the slow way."""

    def weights(old: int, new: int) -> Any:
        edges = np.linspace(0, old, new + 1)
        left, right = edges[:-1, None], edges[1:, None]
        pixel = np.arange(old)[None]
        return np.clip(np.minimum(right, pixel + 1) - np.maximum(left, pixel), 0, 1) * new / old

    pixels = np.asarray(image, np.float64)
    rows = np.tensordot(weights(image.height, height), pixels, (1, 0))
    return np.moveaxis(np.tensordot(weights(image.width, width), rows, (1, 1)), 0, 1)


@pytest.mark.parametrize(
    ("mode", "size"),
    [
        ("keep_ratio", (133, 100)),
        ("keep_ratio_largest", (100, 75)),
        ("center_crop", (100, 100)),
        ("border", (100, 100)),
    ],
)
@pytest.mark.parametrize("before", [(400, 300), (40, 30)])
def test_a_mode_gives_the_size_that_its_name_says(
    mode: str, size: tuple[int, int], before: tuple[int, int]
) -> None:
    transform = Transform(mode=mode, size=100)
    done = fit(transform, encoded(picture(1, before)), "jpeg")
    assert (done.width, done.height) == size == opened(done.data).size
    assert (done.extension, done.format) == ("jpg", "jpeg")


@pytest.mark.parametrize("mode", ["keep_ratio", "keep_ratio_largest", "center_crop", "border"])
def test_a_small_picture_stays_as_it_is_where_nothing_may_grow(mode: str) -> None:
    done = fit(Transform(mode=mode, size=100, upscale=False), encoded(picture(1, (40, 30))), "jpeg")
    assert (done.width, done.height) == (40, 30)


def test_a_border_is_white_and_the_picture_in_the_middle() -> None:
    done = fit(
        Transform(mode="border", size=64, encode="png"),
        encoded(Image.new("RGB", (200, 100), "navy"), "png"),
        "png",
    )
    image = opened(done.data)
    assert image.getpixel((32, 2)) == image.getpixel((32, 61)) == (255, 255, 255)
    assert image.getpixel((0, 32)) == image.getpixel((63, 32)) == (0, 0, 128)


def test_a_crop_is_the_middle() -> None:
    image = Image.new("RGB", (300, 100), "red")
    image.paste("blue", (100, 0, 200, 100))
    done = fit(Transform(mode="center_crop", size=50), encoded(image, "png"), "png")
    assert opened(done.data).getpixel((25, 25)) == (0, 0, 255)
    assert opened(done.data).getpixel((2, 2))[2] > 200  # type: ignore[index]


@pytest.mark.parametrize(
    ("orientation", "mode"), crossed(range(1, 9), ["no", "keep_ratio_largest", "center_crop"])
)
def test_a_turned_picture_comes_out_upright(orientation: int, mode: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(picture(3, (200, 120)), "jpeg", exif=exif, quality=95)
    done = opened(fit(Transform(mode=mode, size=80, encode="png"), data, "jpeg").data)
    upright = encoded(ImageOps.exif_transpose(opened(data)), "png")
    expected = opened(fit(Transform(mode=mode, size=80, encode="png"), upright, "png").data)
    assert done.size == expected.size
    assert done.getexif().get(0x0112, 1) == 1
    assert psnr_db(done, expected) > 35


@pytest.mark.slow
def test_the_fast_way_is_within_half_a_decibel_of_a_full_decode() -> None:
    losses = []
    for size in ((1024, 1024), (640, 480)):
        data = encoded(photograph(*size), "jpeg", quality=88)
        done = fit(Transform(mode="keep_ratio_largest", size=256), data, "jpeg")
        reference = by_area(opened(data), done.width, done.height)
        rounded = Image.fromarray(np.clip(reference + 0.5, 0, 255).astype(np.uint8))
        best = psnr_db(opened(encoded(rounded, "jpeg", quality=95)), reference)
        losses.append(best - psnr_db(opened(done.data), reference))
    assert sum(losses) / len(losses) < 0.5
    assert max(losses) < 1


@pytest.mark.parametrize("encode", ["jpg", "png", "webp", "avif"])
def test_every_encoding_is_what_its_name_says(encode: str) -> None:
    source = picture(5)
    done = fit(Transform(encode=encode), encoded(source, "png"), "png")
    image = opened(done.data)
    assert image.format == {"jpg": "JPEG"}.get(encode, encode.upper())
    assert done.extension == encode
    assert psnr_db(image.convert("RGB"), source) > 30


def test_quality_makes_files_smaller() -> None:
    data = encoded(photograph(200, 150), "png")
    small, large = (
        len(fit(Transform(encode="jpg", quality=quality), data, "png").data) for quality in (20, 95)
    )
    assert small < large / 3


def test_transparency_is_kept_until_a_colour_is_asked_for() -> None:
    image = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    kept = fit(Transform(mode="keep_ratio", size=20), encoded(image, "png"), "png")
    assert opened(kept.data).getpixel((5, 5))[3] == 0  # type: ignore[index]
    flat = fit(Transform(flatten="#00ff00"), encoded(image, "png"), "png")
    assert opened(flat.data).mode == "RGB"
    assert opened(flat.data).getpixel((5, 5)) == (0, 255, 0)
    jpeg = fit(Transform(encode="jpg"), encoded(image, "png"), "png")
    assert opened(jpeg.data).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I;16", "YCbCr"]
)
@pytest.mark.parametrize("encode", ["jpg", "png", "webp"])
def test_every_mode_of_pixels_comes_through(mode: str, encode: str) -> None:
    grey = Image.linear_gradient("L").resize((60, 60))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    else:
        image = (
            grey.convert("RGB").convert(mode)
            if mode in {"P", "CMYK", "YCbCr"}
            else grey.convert(mode)
        )
    format_ = {"CMYK": "tiff", "YCbCr": "jpeg"}.get(mode, "tiff" if mode == "PA" else "png")
    if mode == "PA":
        image = image.convert("RGBA")
    done = opened(
        fit(
            Transform(mode="keep_ratio", size=30, encode=encode), encoded(image, format_), format_
        ).data
    )
    ramp = np.asarray(done.convert("L"), int).mean(axis=1)
    assert ramp[1] < 40
    assert ramp[-2] > 215


def test_colours_of_another_profile_become_srgb() -> None:
    image = Image.new("RGB", (32, 32), (200, 30, 40))
    data = encoded(image, "png", icc_profile=swapped_profile())
    done = opened(fit(Transform(encode="png"), data, "png").data)
    red, green, _ = done.getpixel((5, 5))  # type: ignore[misc]
    assert green > red, "the profile says that the first channel is green"
    assert "icc_profile" not in done.info


@pytest.mark.parametrize("parts", [1, 3])
def test_a_jpegs_profile_is_put_together_of_its_pieces(parts: int) -> None:
    profile = swapped_profile()
    size = -(-len(profile) // parts)
    pieces = [profile[at : at + size] for at in range(0, len(profile), size)]
    plain = encoded(Image.new("RGB", (40, 40), (255, 0, 0)), "jpeg", quality=95)

    def with_pieces(numbers: list[int]) -> bytes:
        segments = b"".join(
            b"\xff\xe2" + (16 + len(pieces[n])).to_bytes(2, "big") + b"ICC_PROFILE\0"
            + bytes((n + 1, len(pieces))) + pieces[n]
            for n in numbers
        )  # fmt: skip
        return plain[:2] + segments + plain[2:]

    def first_pixel(data: bytes) -> Any:
        return opened(fit(Transform(encode="png"), data, "jpeg").data).getpixel((20, 20))

    order = list(range(len(pieces)))[::-1]
    red, green, _ = first_pixel(with_pieces(order))
    assert green > red, "whole, in whatever order"
    red, green, _ = first_pixel(with_pieces(order[1:]))
    assert red > green, "one is missing: there is no profile"


def test_a_damaged_profile_is_as_good_as_none() -> None:
    data = encoded(picture(9), "png", icc_profile=b"no profile at all")
    done = fit(Transform(encode="png"), data, "png")
    assert psnr_db(opened(done.data), picture(9)) > 38


def test_an_animation_becomes_its_first_frame() -> None:
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    done = fit(Transform(mode="keep_ratio", size=20), buffer.getvalue(), "gif")
    assert done.extension == "png"
    assert opened(done.data).convert("RGB").getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        encoded(picture(1))[:-400],
        encoded(picture(1), "png")[:300],
        b"\x00\x00\x01\x00icon",
    ],
)
def test_a_file_that_does_not_decode_is_a_bad_picture(data: bytes) -> None:
    with pytest.raises(BadPictureError):
        fit(Transform(encode="png"), data, "jpeg")


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    header = encoded(Image.new("1", (1, 1)), "png")
    size = (60_000).to_bytes(4) * 2
    chunk = b"IHDR" + size + header[24:29]
    bomb = header[:8] + header[8:12] + chunk + zlib.crc32(chunk).to_bytes(4) + header[33:]
    with pytest.raises(BadPictureError, match="pixels"):
        fit(Transform(encode="jpg"), bomb, "png")


def test_a_sliver_that_would_become_endless_is_a_bad_picture() -> None:
    sliver = encoded(Image.new("RGB", (4000, 2)), "png")
    with pytest.raises(BadPictureError, match="too long and thin"):
        fit(Transform(mode="keep_ratio", size=512), sliver, "png")
    done = fit(Transform(mode="keep_ratio_largest", size=100), sliver, "png")
    assert (done.width, done.height) == (100, 1)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"mode": "stretch", "size": 5}, "resize mode"),
        ({"mode": "border"}, "between 1 and"),
        ({"encode": "bmp"}, "encoding"),
        ({"quality": 0}, "between 1 and 100"),
        ({"encode": "png", "quality": 50}, "no meaning"),
        ({"flatten": "octarine"}, "no colour"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        Transform(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("encode", ["jpg", "png", "webp", "avif"])
def test_nothing_of_the_file_s_metadata_gets_into_the_new_one(encode: str) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, "Jane Roe"
    for size in (30, 90):
        data = encoded(picture(3, (60, 40)), "jpeg", exif=exif, icc_profile=swapped_profile())
        done = fit(Transform(mode="keep_ratio", size=size, encode=encode), data, "jpeg").data
        assert b"Jane Roe" not in done
        assert not opened(done).getexif()
        assert "icc_profile" not in opened(done).info
        assert (
            done == fit(Transform(mode="keep_ratio", size=size, encode=encode), data, "jpeg").data
        )
