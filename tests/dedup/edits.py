"""Edits of pictures, and what inspection tells of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from PIL import Image
from tests.pipeline.pictures import encoded

from pixtrawl.dedup import NearDuplicates
from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.model import ImageInfo

# Photographs that come with two libraries; textures, text and drawings among them are left out.
PHOTOGRAPHS = {
    "skimage": [
        "data/coffee.png", "data/camera.png", "data/astronaut.png", "data/motorcycle_left.png",
        "data/chelsea.png", "data/coins.png", "data/ihc.png", "data/moon.png",
        "data/retina.jpg", "data/rocket.jpg",
    ],
    "sklearn": ["datasets/images/china.jpg", "datasets/images/flower.jpg"],
}  # fmt: skip

Edit = Callable[[Image.Image], Image.Image]


def info_of(picture: Image.Image, kind: str = "JPEG", **options: object) -> ImageInfo:
    return _inspected(encoded(picture, kind, **options))


@lru_cache(maxsize=128)  # many tests ask about the same picture, most of them twice
def _inspected(data: bytes) -> ImageInfo:
    info = inspect_bytes(data, 100_000_000).info
    assert info is not None
    return info


def crop(left: float, top: float, right: float, bottom: float) -> Edit:
    def cut(picture: Image.Image) -> Image.Image:
        w, h = picture.size
        return picture.crop((int(left * w), int(top * h), int(right * w), int(bottom * h)))

    return cut


def kept(level: str, infos: list[ImageInfo], label: str = "x") -> NearDuplicates:
    near = NearDuplicates(level)
    for number, info in enumerate(infos):
        near.add(label, number, info)
    return near


def jpeg_info(picture: Image.Image, quality: int = 90) -> ImageInfo:
    return info_of(picture, quality=quality)


def are_copies(one: ImageInfo, other: ImageInfo, level: str = "near") -> bool:
    """Return whether de-duplication takes the second for a copy of the first."""
    known = NearDuplicates(level)
    known.add("x", 1, one)
    return known.find("x", other) is not None
