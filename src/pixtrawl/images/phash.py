"""Perceptual hash: 256 bits that describe a picture's appearance, from a 64x64 grey thumbnail.

Each bit says whether one of 16x16 DCT coefficients (without the first row and column) exceeds their
median: as good as PDQ of the full picture on 7,680 edited photographs, at a fortieth of its cost.
The second hash is of the picture without uniform borders, to find frames, letter boxes and padding.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from msgspec import Struct
from PIL import Image

__all__ = [
    "HASH_BYTES", "SIDE", "Look", "coefficients", "dct_hash", "look_at", "median_bits", "moments",
    "thumbnail",
]  # fmt: skip

SIDE: Final = 64
HASH_BYTES: Final = 32
_COEFFICIENTS: Final = 16

_FLAT_QUALITY: Final = 50  # below are 96 % of near-uniform pictures and 0.02 % of natural ones
_FLAT_DEVIATION: Final = 8.0
_BORDER_SPREAD: Final = 12  # of 255: JPEG noise in a uniform border after shrinking
_MIN_INNER: Final = 24  # of 64 rows: a smaller rest is a picture on a canvas, not a border

Array = np.ndarray[Any, Any]


def _dct_rows(side: int) -> Array:
    """Return rows 1..16 of the orthonormal DCT-II matrix; the constant term is not used."""
    k = np.arange(1, _COEFFICIENTS + 1)[:, None]
    n = np.arange(side)[None, :]
    rows = np.cos(np.pi * k * (2 * n + 1) / (2 * side)) * np.sqrt(2.0 / side)
    return np.ascontiguousarray(rows, dtype=np.float32)


_DCT: Final = _dct_rows(SIDE)


class Look(Struct, frozen=True):
    """The perceptual facts of one picture."""

    phash: bytes
    phash_trim: bytes
    thumb: bytes  # the 64x64 pixels, for finding crops (dedup/overlay/aligned.py)
    flat: bool
    gradient: float  # PDQ's quality, 0..100
    mean: float  # of grey, 0..255
    deviation: float  # standard deviation of grey


def thumbnail(grey: Array, extent: tuple[float, float] | None = None) -> Array:
    """Resize `grey` (height x width, uint8) to 64x64, weighting pixels by their distance.

    `extent` (across, down) is the part of the array that is picture; by default all of it.
    """
    image = Image.fromarray(np.ascontiguousarray(grey))
    box = None if extent is None else (0.0, 0.0, *extent)
    # Not Pillow's BOX, which takes or leaves whole pixels: at 64 to 127 px a side two sizes of one
    # photograph then differ by 14 bits instead of 6, and of one drawing by 18 instead of 8.
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.HAMMING, box))


def dct_hash(square: Array) -> bytes:
    """Return the 256-bit hash (32 bytes) of a 64x64 grey array."""
    return np.packbits(median_bits(coefficients(square))).tobytes()


def coefficients(square: Array) -> Array:
    """Return the 16x16 DCT coefficients of a 64x64 grey array, without first row and column."""
    block: Array = _DCT @ square.astype(np.float32) @ _DCT.T
    return block


def median_bits(block: Array) -> Array:
    """Return 256 booleans: which coefficients exceed their median."""
    values = block.ravel()
    # The median as the 128th of 256 sorted values: np.median costs three times as much.
    above: Array = values > np.partition(values, 127)[127]
    return above


def look_at(square: Array) -> Look:
    """Compute all facts that follow from the 64x64 thumbnail."""
    phash = dct_hash(square)
    inner = _without_border(square)
    trimmed = phash if inner is None else dct_hash(thumbnail(inner))
    quality = _gradient(square)
    mean, variance = moments(square)
    deviation = math.sqrt(variance)
    return Look(
        phash=phash,
        phash_trim=trimmed,
        thumb=square.tobytes(),
        flat=quality < _FLAT_QUALITY or deviation < _FLAT_DEVIATION,
        gradient=quality,
        mean=mean,
        deviation=deviation,
    )


def moments(values: Array) -> tuple[float, float]:
    """Return mean and variance, by two products; numpy's own functions are much slower."""
    flat = values.ravel().astype(np.float64)
    mean = float(flat.sum()) / flat.size
    return mean, max(0.0, float(flat @ flat) / flat.size - mean * mean)


def _gradient(square: Array) -> float:
    """Return PDQ's image quality: the sum of grey steps in hundredths of the range, at most 100."""
    wide = square.astype(np.int16)
    steps = 0
    for between in (wide[1:] - wide[:-1], wide[:, 1:] - wide[:, :-1]):
        steps += int((np.abs(between) * 100 // 255).sum())  # at most 25,500: fits
    return float(min(100, steps // 90))


def _without_border(square: Array) -> Array | None:
    """Return the part inside uniform rows and columns; None without a border."""
    sides = (square[0], square[-1], square[:, 0], square[:, -1])
    if all(max(side) - min(side) > _BORDER_SPREAD for side in map(Array.tobytes, sides)):
        return None  # the usual case, decided in a third of the time
    top, bottom = _span(square.max(axis=1), square.min(axis=1))
    if bottom - top < _MIN_INNER:
        return None
    rows = square[top:bottom]
    left, right = _span(rows.max(axis=0), rows.min(axis=0))
    if right - left < _MIN_INNER or (right - left == SIDE and bottom - top == SIDE):
        return None
    return rows[:, left:right]


def _span(high: Array, low: Array) -> tuple[int, int]:
    busy = np.flatnonzero(high.astype(np.int16) - low > _BORDER_SPREAD)
    return (int(busy[0]), int(busy[-1]) + 1) if busy.size else (0, SIDE)
