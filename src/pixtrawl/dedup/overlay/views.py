"""Parts that may exist as pictures of their own: the inside of a frame, and the middle square.

A frame is what lies outside of the first rows and columns with detail: plain borders and letter
boxes, title bars with a little text, padding with a blurred copy. The square is the middle of the
longer side, as galleries and profiles cut it. Either is hashed as a picture of its own. (Sky is
taken off as a frame, too, which costs time and harms nothing.)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.aligned import SIDE, bits_of, cosines, sampled
from pixtrawl.dedup.overlay.shared_part import CELLS, CHROMA_BYTES

__all__ = ["Part", "inner_part", "part_colours", "part_hash", "part_pixels", "square_part"]

Array = np.ndarray[Any, Any]
Part = tuple[float, float, float, float]  # top, height, left, width, in pixels of the thumbnail

_LEAST_INNER: Final = 16  # of 64 rows: less is a picture on a canvas
_NEAR_MEDIAN: Final = 12  # grey levels
_PLAIN: Final = 0.7  # share of a line near its median: a title bar with text has 0.75 and more
_BLURRED: Final = 0.25  # detail of a line as a share of that of the middle
_NOISE: Final = 1.0  # grey levels of detail that JPEG leaves in a plain area
_MIDDLE: Final = (18, 25, 32, 39, 46)  # rows that show how much detail is usual
_LEAST_CUT: Final = 1.15  # aspect ratio from which a square is another picture
_LEAST_DEVIATION: Final = 8.0  # grey levels: below, a hash means nothing


def square_part(aspect: float) -> Part | None:
    """Return the middle square of a picture of this width / height; None if it is nearly one."""
    if 1 / _LEAST_CUT < aspect < _LEAST_CUT:
        return None
    length = round(4 * SIDE * min(aspect, 1 / aspect)) / 4  # few lengths, to have them cached
    start = (SIDE - length) / 2
    return (0, SIDE, start, length) if aspect > 1 else (start, length, 0, SIDE)


def inner_part(square: Array) -> Part | None:
    """Return the part of a 64 x 64 thumbnail inside of a frame; None without a frame."""
    wide = square.astype(np.int16)
    if not _may_be_framed(wide):
        return None
    top, bottom = _busy(wide)
    left, right = _busy(np.ascontiguousarray(wide[top:bottom].T))
    if right - left < SIDE:
        top, bottom = _busy(wide[:, left:right])
    height, width = bottom - top, right - left
    if min(height, width) < _LEAST_INNER or height == width == SIDE:
        return None
    return top, height, left, width


def part_hash(square: Array, part: Part) -> bytes | None:
    """Return the hash of a part as if it was a picture; None where it is nearly uniform."""
    top, height, left, width = part
    terms = _transform(top, height) @ square.astype(np.float32) @ _transform(left, width).T
    deviation = np.sqrt(np.vdot(terms, terms)) * 2 / SIDE**2
    if deviation < _LEAST_DEVIATION / 2:  # about half of it is in these terms
        return None
    return np.packbits(bits_of(terms)).tobytes()


def part_pixels(square: Array, part: Part) -> bytes:
    """Return a part as a thumbnail of 64 x 64 pixels."""
    top, height, left, width = part
    wide = square.astype(np.float32)
    cut = _cutter(top, height) @ wide @ _cutter(left, width).T + np.float32(0.5)
    return cut.astype(np.uint8).tobytes()


def part_colours(chroma: bytes, part: Part) -> bytes:
    """Return the colours of a part as a grid of 16 x 16 cells; nothing where none are known."""
    if len(chroma) != CHROMA_BYTES:
        return b""
    top, height, left, width = (value * CELLS / SIDE for value in part)
    planes = np.frombuffer(chroma, dtype=np.int8).reshape(2, CELLS, CELLS).astype(np.float32)
    cells = (np.arange(CELLS) + 0.5) / CELLS
    x, y = np.meshgrid((left + width * cells) / CELLS, (top + height * cells) / CELLS)
    cut = np.stack([sampled(plane, x.ravel(), y.ravel()) for plane in planes])
    colours: bytes = np.rint(cut).astype(np.int8).tobytes()
    return colours


def _may_be_framed(wide: Array) -> bool:
    """Return whether an outer line lacks the detail of the middle, in a fifth of the time."""
    lines = np.stack([wide[1], wide[-2], wide[:, 1], wide[:, -2], *(wide[at] for at in _MIDDLE)])
    detail = _detail(lines).tolist()
    least = _BLURRED * sorted(detail[4:])[2] + _NOISE
    if min(detail[:4]) <= least:
        return True
    outer = lines[:4]
    middle = np.sort(outer, axis=1)[:, SIDE // 2, None]
    plain = (np.abs(outer - middle) <= _NEAR_MEDIAN).sum(axis=1)
    return bool(plain.max() >= _PLAIN * SIDE)


def _detail(lines: Array) -> Array:
    bends = np.abs(lines[:, 2:] + lines[:, :-2] - 2 * lines[:, 1:-1])
    detail: Array = bends.sum(axis=1) * (1 / bends.shape[1])
    return detail


def _busy(wide: Array) -> tuple[int, int]:
    """Return the range of rows from the first to the last with the detail of the picture."""
    height, width = wide.shape
    if min(height, width) < _LEAST_INNER:
        return 0, height
    detail = _detail(wide)
    usual = float(np.sort(detail[height // 4 : -(height // 4)])[height // 4])
    middle = np.sort(wide, axis=1)[:, width // 2, None]
    plain = (np.abs(wide - middle) <= _NEAR_MEDIAN).sum(axis=1)
    busy = ((detail > _BLURRED * usual + _NOISE) & (plain < _PLAIN * width)).nonzero()[0]
    return (int(busy[0]), int(busy[-1]) + 1) if busy.size else (0, height)


@lru_cache(maxsize=1024)
def _transform(start: float, length: float) -> Array:
    """Return the 16 x 64 matrix of the DCT of a part of an axis."""
    product: Array = cosines(SIDE) @ _cutter(start, length)
    return product


@lru_cache(maxsize=1024)
def _cutter(start: float, length: float) -> Array:
    """Return the 64 x 64 matrix of linear interpolation over a part of an axis, in pixels."""
    at = np.clip(start + (np.arange(SIDE) + 0.5) * length / SIDE - 0.5, 0, SIDE - 1)
    left = np.minimum(at.astype(int), SIDE - 2)
    matrix = np.zeros((SIDE, SIDE), dtype=np.float32)
    rows = np.arange(SIDE)
    matrix[rows, left] = 1 - (at - left)
    matrix[rows, left + 1] += (at - left).astype(np.float32)
    return matrix
