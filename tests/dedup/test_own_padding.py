"""Padding made of the picture itself, blurred, is a frame; a wider view of the scene is none."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from tests.dedup.test_original import described, scene
from tests.matrices import matrix, sample, slow

from pixtrawl.dedup.originals.preference import prefer
from pixtrawl.dedup.overlay.frames import around
from pixtrawl.dedup.overlay.own_padding import own_padding_log_odds

SIZES = {"landscape": (480, 320), "portrait": (320, 480), "square": (400, 400)}
SHAPES = {"1:1": 1.0, "16:9": 16 / 9, "9:16": 9 / 16, "4:5": 4 / 5}
FAMILY = [
    (size, shape)
    for size, (width, height) in SIZES.items()
    for shape, aspect in SHAPES.items()
    if abs(width / height / aspect - 1) > 0.15
]
Box = tuple[float, float, float, float]
BOXES: tuple[Box, ...] = (
    (0.2, 0, 0.8, 1), (0, 0.2, 1, 0.8), (0.1, 0.1, 0.9, 0.9), (0, 0, 0.8, 1),
)  # fmt: skip
HOW = (  # blur in widths of the whole, brightness, enlarged beyond what covers the whole
    (0.008, 1.0, 1.0),
    (0.015, 0.8, 1.0),
    (0.03, 0.5, 1.2),
    (0.06, 1.0, 1.0),
)


def padded(
    image: Image.Image, aspect: float, blur: float, light: float = 1.0, zoom: float = 1.0
) -> Image.Image:
    width = max(image.width, round(image.height * aspect))
    height = max(image.height, round(width / aspect))
    ground = ImageOps.fit(image, (round(width * zoom), round(height * zoom)))
    left, top = (ground.width - width) // 2, (ground.height - height) // 2
    ground = ground.crop((left, top, left + width, top + height))
    ground = ground.filter(ImageFilter.GaussianBlur(width * blur))
    ground = ImageEnhance.Brightness(ground).enhance(light)
    ground.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return ground


def soft_scene(size: tuple[int, int]) -> Image.Image:
    """A scene with hardly more detail than its own blurred copy: haze and slopes."""
    return scene(11, size).filter(ImageFilter.GaussianBlur(3))


@pytest.mark.parametrize(
    ("soft", "how"), [(False, HOW[:1]), slow(False, HOW[1:]), slow(True, HOW)],
    ids=["sharp", "sharp, more", "soft"],
)  # fmt: skip
@pytest.mark.parametrize(("size", "shape"), sample(FAMILY, 5))
def test_the_original_wins_over_itself_padded_by_itself(
    size: str, shape: str, soft: bool, how: tuple[tuple[float, float, float], ...]
) -> None:
    image = soft_scene(SIZES[size]) if soft else scene(12, SIZES[size])
    whole = described(image, 92)
    for blur, light, zoom in how:
        copy = described(padded(image, SHAPES[shape], blur, light, zoom))
        for found, ours in ((prefer(whole, copy), True), (prefer(copy, whole), False)):
            assert found.first is ours, (blur, light, zoom, found)
            assert found.why == "has no frame"


@pytest.mark.parametrize("boxes", [BOXES[:2], slow(BOXES[2:])], ids=["one side", "more"])
@pytest.mark.parametrize(
    ("size", "soft"), matrix(product(SIZES, [True, False]), ("landscape", True), ("square", False))
)
def test_a_wider_view_wins_over_its_crops(size: str, soft: bool, boxes: tuple[Box, ...]) -> None:
    image = soft_scene(SIZES[size]) if soft else scene(13, SIZES[size])
    width, height = image.size
    whole = described(image, 85)
    for box in boxes:
        sides = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
        crop = described(image.crop(sides), 92)
        for found, ours in ((prefer(whole, crop), True), (prefer(crop, whole), False)):
            assert found.first is ours, (box, found)
            assert found.why == "shows more of the picture"


def test_what_is_compared_is_the_padding_and_not_the_picture() -> None:
    box = (0.0, 1.0, 1 / 6, 5 / 6)
    image = scene(14, (480, 320))
    grey = padded(image, 1.0, 0.01).convert("L").resize((128, 128))
    plane = np.asarray(grey)
    assert own_padding_log_odds(plane, box, 1.0) > 5
    assert around(plane, box, 0.01).frame == pytest.approx(1 / 3, abs=0.01)
    other = scene(15, (480, 480)).convert("L").resize((128, 128))
    assert own_padding_log_odds(np.asarray(other), box, 1.0) == 0


def test_boxes_that_leave_nothing_outside_or_inside_say_nothing() -> None:
    plane = np.asarray(scene(14).convert("L").resize((128, 128)))
    for box in ((0.0, 1.0, 0.0, 1.0), (0.5, 0.5, 0.0, 1.0), (0.0, 1.0, 0.7, 0.72)):
        assert own_padding_log_odds(plane, box, 1.3) == 0
    plain = np.full((128, 128), 90, dtype=np.uint8)
    assert own_padding_log_odds(plain, (0.2, 0.8, 0.2, 0.8), 1.3) == 0
