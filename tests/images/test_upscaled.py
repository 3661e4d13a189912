"""How much a picture was enlarged before it was published, told from its pixels."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageFilter

from pixtrawl.images.formats import jpeg
from pixtrawl.images.full_rows import rows_of_jpeg
from pixtrawl.images.inspect import inspect_bytes

KERNELS = Image.Resampling


@cache
def scene(seed: int, size: tuple[int, int] = (480, 360)) -> Image.Image:
    """Detail of all sizes, as in a photograph."""
    random, (width, height) = np.random.default_rng(seed), size
    down, across = np.meshgrid(np.fft.fftfreq(height), np.fft.rfftfreq(width), indexing="ij")
    waves = random.normal(size=down.shape) + 1j * random.normal(size=down.shape)
    plane = np.fft.irfft2(waves / (np.hypot(down, across) + 0.004), s=(height, width))
    grey = np.clip(128 + 45 * plane / plane.std(), 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def saved(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"quality": 90} if kind == "JPEG" else {}), **options)
    return buffer.getvalue()


def upscale_of(data: bytes) -> float:
    info = inspect_bytes(data, 10**8).info
    assert info is not None
    return info.measures["upscale"]


def enlarged(image: Image.Image, factor: float, kernel: Image.Resampling) -> Image.Image:
    return image.resize((round(image.width * factor), round(image.height * factor)), kernel)


@pytest.mark.parametrize(
    ("kernel", "factor", "kind"),
    [
        (KERNELS.BILINEAR, 2.6, "JPEG"), (KERNELS.BICUBIC, 1.45, "JPEG"),
        (KERNELS.LANCZOS, 2.0, "JPEG"), (KERNELS.LANCZOS, 1.3, "PNG"),
        (KERNELS.NEAREST, 1.45, "JPEG"), (KERNELS.NEAREST, 3.0, "JPEG"),
        (KERNELS.NEAREST, 2.0, "GIF"), (KERNELS.BICUBIC, 3.0, "WEBP"),
    ],
)  # fmt: skip
def test_the_factor_of_an_enlargement_is_estimated(
    kernel: Image.Resampling, factor: float, kind: str
) -> None:
    large = enlarged(scene(1), factor, kernel)
    assert upscale_of(saved(large, kind)) == pytest.approx(factor, rel=0.03)


def test_a_sharpened_enlargement_is_known_as_well() -> None:
    large = enlarged(scene(1), 1.7, KERNELS.BICUBIC).filter(ImageFilter.UnsharpMask(1.5, 100))
    assert upscale_of(saved(large, "PNG")) == pytest.approx(1.7, rel=0.03)


def test_a_picture_turned_by_its_exif_is_measured_as_it_is_stored() -> None:
    turned = Image.Exif()
    turned[274] = 6
    large = enlarged(scene(2), 2.6, KERNELS.BICUBIC)
    assert upscale_of(saved(large, exif=turned)) == pytest.approx(2.6, rel=0.03)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_original_shows_no_trace_and_one_out_of_focus_neither(kind: str) -> None:
    for seed in range(3):
        for sharp in (scene(seed), scene(seed).filter(ImageFilter.GaussianBlur(1.5))):
            assert upscale_of(saved(sharp, kind)) == 1.0


@pytest.mark.parametrize("size", [(1, 1), (7, 900), (900, 7), (129, 300), (130, 31), (130, 32)])
def test_pictures_too_small_for_it_show_no_trace(size: tuple[int, int]) -> None:
    for kind in ("JPEG", "PNG", "GIF"):
        assert upscale_of(saved(scene(1, (900, 900)).crop((0, 0, *size)), kind)) == 1.0


def test_blank_and_even_pictures_show_no_trace() -> None:
    ramp = Image.linear_gradient("L").resize((300, 300))
    for plain in (Image.new("L", (300, 300), 90), ramp, ramp.transpose(Image.Transpose.ROTATE_90)):
        assert upscale_of(saved(plain, "PNG")) == 1.0


@pytest.mark.parametrize("progressive", [False, True])
def test_some_rows_of_a_jpeg_are_those_of_the_whole(progressive: bool) -> None:
    image = scene(3, (300, 900)).convert("L").copy()
    image.paste(128, (0, 0, 300, 400))  # nothing to see above
    data = saved(image, progressive=progressive)
    whole = np.asarray(Image.open(io.BytesIO(data)).convert("L")).astype(int)
    rows = rows_of_jpeg(data, jpeg.read_head(data), whole[::8].astype(np.uint8))
    assert rows is not None
    assert rows.shape == (32, 300)
    apart = [np.abs(whole[top : top + 128 : 4] - rows).mean() for top in range(0, 772, 8)]
    assert min(apart) < 1.5
    assert 8 * int(np.argmin(apart)) > 300
