"""Measure how ink lies on an even ground: of small drawn pictures such as tiles, logos, captchas.

Works on the 64x64 thumbnail, and on the small colour picture that decoding returns. Pure.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.images.phash import SIDE

__all__ = [
    "CAPTCHA_PX",
    "InkLayout",
    "InkRows",
    "ink_layout",
    "is_ruled",
    "one_ink",
    "shading",
    "slant",
    "tones",
]

Array = np.ndarray[Any, Any]

CAPTCHA_PX: Final = (160, 420)
"""Largest height and width of a captcha of letters."""

_FLAT_SPREAD: Final = 10  # of 255, within a block of 8x8
_INK: Final = 12  # of 255: farther from the ground
_STEEP: Final = 0.364  # tangent of 20 degrees
_EVEN: Final = 3  # of 255, between neighbours of one tone
_SOFT: Final = (3, 20)  # of 255, between neighbours: shades, neither one tone nor an edge
_RULED: Final = 0.9  # of a row or column that is ink: a frame, an axis, a bar
_FRAME: Final = 4  # rows and columns
_FAR: Final = 24  # of 255 in one channel: ink, whatever JPEG does to the ground
_SAMPLED: Final = 2048  # pixels are enough
_LEAST_INK: Final = 8  # pixels
_LEAST_GROUND: Final = 0.1  # of the pixels; captchas of letters have 0.12 and more, tiles 0.5
_OFF_LINE: Final = (20.0, 0.12)  # of 255, and of the distance from the ground


class InkRows(Struct, frozen=True):
    """Adjacent rows with ink: a sign, or a line of words."""

    top: int
    end: int
    left: int
    right: int
    changes: float  # between ground and ink, in the mean of its rows

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    def has_words(self) -> bool:
        """Return whether it is low, wide, and has letters: a change every ten pixels or more."""
        height, width = self.end - self.top, self.right - self.left
        return (
            2 <= height <= 18
            and width >= max(10, 1.2 * height)
            and self.changes >= max(3.0, 0.1 * width)
        )


class InkLayout(Struct, frozen=True):
    """How the ink lies on the most frequent grey, in a thumbnail of 64x64."""

    ground: float  # share of pixels near the most frequent grey
    blank: float  # share of blocks of 8x8 without ink
    margins: tuple[int, int, int, int]  # free rows and columns: top, bottom, left, right
    across: float  # changes between ground and ink in a row
    down: float  # and in a column
    square: Array  # the thumbnail's grey values
    ink: Array  # where it is far from the ground

    def rows(self) -> list[InkRows]:
        """Return the bands of rows with ink from top to bottom, without a frame at the edge."""
        inner = self.ink
        edges = (inner[:_FRAME], inner[-_FRAME:], inner[:, :_FRAME].T, inner[:, -_FRAME:].T)
        if all(float(edge.mean(axis=1).max()) > _RULED for edge in edges):
            inner = inner[_FRAME:-_FRAME, _FRAME:-_FRAME]
        busy = np.r_[False, inner.any(axis=1), False]
        turns = np.flatnonzero(busy[1:] != busy[:-1])
        return [_band(inner, int(top), int(end)) for top, end in turns.reshape(-1, 2)]


def _band(ink: Array, top: int, end: int) -> InkRows:
    part = ink[top:end]
    columns = np.flatnonzero(part.any(axis=0))
    changes = float(np.count_nonzero(part[:, 1:] != part[:, :-1])) / (end - top)
    return InkRows(top, end, int(columns[0]), int(columns[-1]) + 1, changes)


def ink_layout(thumb: bytes) -> InkLayout:
    """Return the layout of a 64x64 thumbnail."""
    square = np.frombuffer(thumb, np.uint8).reshape(SIDE, SIDE).astype(np.int16)
    blocks = square.reshape(8, 8, 8, 8)
    spread = blocks.max(axis=(1, 3)) - blocks.min(axis=(1, 3))
    ground = int(np.bincount(square.ravel()).argmax())
    ink = np.abs(square - ground) > _INK
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    margins = (0, 0, 0, 0)
    if rows.size:
        margins = (
            int(rows[0]), SIDE - 1 - int(rows[-1]), int(columns[0]), SIDE - 1 - int(columns[-1])
        )  # fmt: skip
    return InkLayout(
        ground=1.0 - float(ink.mean()),
        blank=float((spread <= _FLAT_SPREAD).mean()),
        margins=margins,
        across=float(np.count_nonzero(ink[:, 1:] != ink[:, :-1])) / SIDE,
        down=float(np.count_nonzero(ink[1:] != ink[:-1])) / SIDE,
        square=square,
        ink=ink,
    )


def one_ink(colours: Array | None) -> float:
    """Return the share of the ink that is a mixture of the ground and one colour, 0..1.

    1.0 for what is printed in one colour, soft edges included, and for a picture in greys; things
    with shades, charts and most drawings have several colours. 0.0 where no colour is a ground: two
    decodes of one photograph would take different ones.
    """
    if colours is None:
        return 1.0
    step = max(1, round(math.sqrt(colours.shape[0] * colours.shape[1] / _SAMPLED)))
    pixels = colours[::step, ::step].reshape(-1, 3)
    coarse = (pixels >> 4).astype(np.int16)
    keys = (coarse[:, 0] << 8) | (coarse[:, 1] << 4) | coarse[:, 2]
    counts = np.bincount(keys)
    if counts.max() < _LEAST_GROUND * len(keys):
        return 0.0
    ground = pixels[keys == counts.argmax()].mean(axis=0, dtype=np.float32)
    away = pixels - ground
    away = away[(np.abs(away) > _FAR).any(axis=1)]
    if len(away) < _LEAST_INK:
        return 1.0
    line = away.sum(axis=0)
    line /= max(float(np.linalg.norm(line)), 1e-6)
    lengths = np.einsum("ij,ij->i", away, away)  # squared
    off = np.maximum(lengths - (away @ line) ** 2, 0.0)
    allowed = np.maximum(_OFF_LINE[0] ** 2, _OFF_LINE[1] ** 2 * lengths)
    return float(np.count_nonzero(off <= allowed)) / len(away)


def tones(layout: InkLayout) -> tuple[float, float]:
    """Return the share of the ink in even areas, and that within 3 of its most frequent tone.

    Photographs of things are shaded, and pens draw thin strokes: they have little of either.
    """
    square, inner = layout.square, layout.ink[1:-1, 1:-1]
    count = int(np.count_nonzero(inner))
    if not count:
        return 0.0, 0.0
    even = np.abs(square[1:-1, 2:] - square[1:-1, :-2]) <= _EVEN
    even &= np.abs(square[2:, 1:-1] - square[:-2, 1:-1]) <= _EVEN
    levels = np.bincount(square[1:-1, 1:-1][inner], minlength=256)
    most = int(np.convolve(levels, np.ones(2 * _EVEN + 1, np.int64)).max())
    return float(np.count_nonzero(even & inner)) / count, most / count


def shading(layout: InkLayout) -> float:
    """Return the share of the ink whose tone changes a little from pixel to pixel."""
    square, inner = layout.square, layout.ink[1:-1, 1:-1]
    across = np.abs(square[1:-1, 2:] - square[1:-1, :-2])
    steps = np.maximum(across, np.abs(square[2:, 1:-1] - square[:-2, 1:-1]))
    soft = inner & (steps >= _SOFT[0]) & (steps <= _SOFT[1])
    return float(np.count_nonzero(soft)) / max(int(np.count_nonzero(inner)), 1)


def slant(square: Array, shape: float) -> float:
    """Return the share of the edges that slant by 20 to 70 degrees, as shown (`shape` wide)."""
    across = (square[1:-1, 2:] - square[1:-1, :-2]) / shape
    down = square[2:, 1:-1] - square[:-2, 1:-1]
    strength = np.hypot(across, down)
    strength[strength < 0.15 * strength.max()] = 0.0
    low, high = np.minimum(np.abs(across), np.abs(down)), np.maximum(np.abs(across), np.abs(down))
    slanting = low > _STEEP * high
    return float(strength[slanting].sum() / max(float(strength.sum()), 1e-6))


def is_ruled(ink: Array) -> bool:
    """Return whether a row or column off the frame is ink throughout."""
    inner = ink[_FRAME:-_FRAME, _FRAME:-_FRAME]
    return max(float(inner.mean(axis=0).max()), float(inner.mean(axis=1).max())) > _RULED
