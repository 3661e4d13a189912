"""A file that was made from another by resizing it is recognised by its coefficients."""

from __future__ import annotations

import io
from functools import cache

import pytest
from PIL import Image, ImageFilter
from tests.dedup.test_original import described, scene
from tests.matrices import crossed

from pixtrawl.dedup.originals.preference import prefer
from pixtrawl.dedup.originals.resized import by_resizing
from pixtrawl.images.appearance.portrait import portrait
from pixtrawl.portrait import Portrait

KERNELS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "Lanczos": Image.Resampling.LANCZOS,
}


@cache
def published(*, soft: bool) -> tuple[Image.Image, Portrait]:
    """Return a picture as its file shows it, and the file's portrait."""
    image, file = scene(6), io.BytesIO()
    if soft:
        image = image.filter(ImageFilter.GaussianBlur(1.3))
    image.save(file, "JPEG", quality=86)
    found = portrait(file.getvalue(), 10**8)
    assert found is not None
    return Image.open(file).convert("RGB"), found


def resized(image: Image.Image, share: float, kernel: str) -> Image.Image:
    size = (round(image.width * share), round(image.height * share))
    return image.resize(size, KERNELS[kernel])


@pytest.mark.parametrize(("kernel", "soft"), crossed(KERNELS, [False, True]))
def test_an_enlargement_loses_to_the_file_it_was_made_from(kernel: str, soft: bool) -> None:
    image, original = published(soft=soft)
    copy = described(resized(image, 1.37, kernel), 95)
    assert by_resizing(copy, original) == (False, "is what the other was made from")
    assert prefer(original, copy).first


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic", "Lanczos"])
def test_a_smaller_copy_loses_to_the_file_it_was_made_from(kernel: str) -> None:
    image, original = published(soft=False)
    copy = described(resized(image, 0.6, kernel), 95)
    assert by_resizing(original, copy) == (True, "is what the other was made from")


def test_an_enlargement_saved_without_loss_is_recognised_too() -> None:
    image, original = published(soft=True)
    copy = described(resized(image, 2, "bicubic"), kind="PNG")
    assert by_resizing(copy, original) == (False, "is what the other was made from")


def test_an_edited_enlargement_and_another_shape_are_left_to_other_signs() -> None:
    image, original = published(soft=False)
    sharpened = resized(image, 1.5, "bicubic").filter(ImageFilter.UnsharpMask(2, 150, 2))
    assert by_resizing(described(sharpened, 90), original) is None
    stretched = image.resize((image.width * 2, round(image.height * 1.5)))
    assert by_resizing(described(stretched, 90), original) is None
    assert by_resizing(described(image, 70), original) is None, "nothing was resized"
