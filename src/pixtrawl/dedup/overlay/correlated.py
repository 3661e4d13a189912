"""Find where one picture lies in another by correlation, at each of many sizes.

Coarse windows do not tell where a wall, a lawn or a field of stars belongs: all of them look alike
once they are shrunk to a few numbers. Fine detail does, so that local contrast of 64 x 64 pixels is
correlated in every position, through Fourier transforms (90 ms a pair of pictures).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.fft
from msgspec import Struct
from PIL import Image, ImageFilter

from pixtrawl.dedup.overlay.aligned import halved

__all__ = ["FoundPlace", "places_in"]

Array = np.ndarray[Any, Any]

_SIZES: Final = np.arange(0.36, 1.001, 0.02)  # of the small picture in the large one, linear
_LEAST_PX: Final = 20
_AROUND_PX: Final = 4  # radius of what contrast is local to
_MOST_CONTRAST: Final = 40.0  # grey levels: an edge of a frame must not outweigh all others
_NOISE: Final = 1.0  # variance that a plain part has, too


class FoundPlace(Struct, frozen=True):
    """Where the small picture may lie: `map` takes its points to the large one, each 0..1."""

    score: float  # correlation times the root of the pixels: chance reaches the same at any size
    map: Array


def places_in(large: Array, small: Array, shape: float) -> list[FoundPlace]:
    """Return the best place for each size, best first.

    `shape` is the logarithm of width / height that the small picture has in the large one, both in
    sides of the large one.
    """
    found = list(_places(halved(large), halved(small), shape))
    return sorted(found, key=lambda place: place.score, reverse=True)


def _places(large: Array, small: Array, shape: float) -> Iterator[FoundPlace]:
    side = large.shape[0]
    contrast = _local_contrast(Image.fromarray(large))
    of_large = np.fft.rfft2(contrast, (2 * side, 2 * side))
    sums = np.zeros((side + 1, side + 1))
    sums[1:, 1:] = (contrast.astype(np.float64) ** 2).cumsum(axis=0).cumsum(axis=1)
    picture, stretch = Image.fromarray(small), math.exp(shape / 2)
    longest = max(stretch, 1 / stretch)
    for size in _SIZES:
        width, height = (round(size * side * by / longest) for by in (stretch, 1 / stretch))
        if min(width, height) < _LEAST_PX:
            continue
        part = _local_contrast(picture.resize((width, height), Image.Resampling.BOX))
        part -= part.mean()
        of_part = np.conj(np.fft.rfft2(part, (2 * side, 2 * side)))
        likeness = np.fft.irfft2(of_large * of_part)[: side - height + 1, : side - width + 1]
        power = sums[height:, width:] - sums[:-height, width:]
        power = power - (sums[height:, :-width] - sums[:-height, :-width])
        area = width * height
        likeness = likeness / np.sqrt((power + _NOISE * area) * ((part**2).sum() + 1))
        top, left = np.unravel_index(likeness.argmax(), likeness.shape)
        score = float(likeness[top, left]) * math.sqrt(area)
        place = np.array([width, 0, left, 0, height, top], dtype=np.float32) / side
        yield FoundPlace(score, place)


def _local_contrast(picture: Image.Image) -> Array:
    """Return each pixel less the mean around it."""
    plane = np.asarray(picture, dtype=np.float32)
    around = picture.convert("L").filter(ImageFilter.BoxBlur(_AROUND_PX))
    off: Array = plane - np.asarray(around, dtype=np.float32)
    np.clip(off, -_MOST_CONTRAST, _MOST_CONTRAST, out=off)
    return off
