"""The images of one label by a coarse descriptor: which few are worth a second look?

The descriptor is the 8x8 corner of the thumbnail's DCT without its constant, of length 1. Each
image is kept by two: of the whole picture and of its middle 92 %, so that a crop finds the picture
that it was cut from and the other way round.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

__all__ = ["Shelf"]

Array = np.ndarray[Any, Any]

_SIDE: Final = 32
_LOW: Final = 8
_MIDDLE: Final = 0.92


def _rows(start: float, length: float) -> Array:
    """Cosines over a part of an axis, sampled where the thumbnail's pixels lie."""
    position = ((np.arange(_SIDE) + 0.5) / _SIDE - start) / length
    k = np.arange(_LOW)[:, None]
    inside = (position >= 0) & (position <= 1)
    return (np.cos(np.pi * k * position) * inside).astype(np.float32)


_WHOLE: Final = _rows(0.0, 1.0)
_INNER: Final = _rows((1 - _MIDDLE) / 2, _MIDDLE)


def _describe(thumb: bytes) -> Array:
    """2 x 63: of the whole and of the middle."""
    pixels = np.frombuffer(thumb, dtype=np.uint8).reshape(_SIDE, _SIDE).astype(np.float32)
    pixels = pixels - pixels.mean()
    both = np.stack([(rows @ pixels @ rows.T).ravel()[1:] for rows in (_WHOLE, _INNER)])
    lengths = np.sqrt((both * both).sum(axis=1, keepdims=True))
    described: Array = both / np.maximum(lengths, 1e-6)
    return described


class Shelf:
    """Ids with their descriptors, and with their thumbnails where `keep`."""

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self._ids: list[int] = []
        self._rows: dict[int, int] = {}
        self._described = np.empty((16, 2, _LOW * _LOW - 1), dtype=np.float16)
        self._thumbs: dict[int, bytes] = {}

    def add(self, id: int, thumb: bytes) -> None:
        """`thumb`: 1,024 bytes; an image without one is passed over."""
        if len(thumb) != _SIDE * _SIDE:
            return
        row = self._rows.setdefault(id, len(self._ids))
        if row == len(self._ids):
            self._ids.append(id)
        if row == len(self._described):
            self._described = np.concatenate([self._described, np.empty_like(self._described)])
        self._described[row] = _describe(thumb)
        if self._keep:
            self._thumbs[id] = thumb

    def remove(self, id: int) -> None:
        """The last one takes the free row."""
        row = self._rows.pop(id, None)
        if row is None:
            return
        last = self._ids.pop()
        if last != id:
            self._ids[row] = last
            self._rows[last] = row
            self._described[row] = self._described[len(self._ids)]
        self._thumbs.pop(id, None)

    def thumb(self, id: int) -> bytes:
        return self._thumbs[id]

    def nearest(self, thumb: bytes, count: int) -> list[int]:
        """At most `count` ids, the most similar first."""
        if not self._ids or len(thumb) != _SIDE * _SIDE:
            return []
        known = self._described[: len(self._ids)].astype(np.float32)
        whole, inner = _describe(thumb)
        scores = np.maximum(known @ whole, 0)  # n x 2: of their whole, of their middle
        best = np.maximum(scores.max(axis=1), known[:, 0] @ inner)
        rows = np.arange(len(best))
        if len(best) > count:
            rows = np.argpartition(-best, count)[:count]
        return [self._ids[row] for row in rows[np.argsort(-best[rows], kind="stable")]]
