"""The images of one label by a coarse descriptor: which few are worth a second look?

The descriptor is the 8x8 corner of the DCT without its constant, of length 1. Each image is kept by
two: of the whole picture and of its middle 92 %, so that a crop finds the picture that it was cut
from and the other way round. In arrays: 0.5 KB an image, and one product asks all of them.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.dedup.windows import COARSE

__all__ = ["Shelf"]

Array = np.ndarray[Any, Any]

_LOW: Final = 8
_NUMBERS: Final = _LOW * _LOW - 1
_MIDDLE: Final = 0.92
_LEAST: Final = 0.5  # of 1: of 10,000 crops and small rotations none scored less


def _rows(start: float, length: float) -> Array:
    """Cosines over a part of an axis, sampled where the pixels lie."""
    position = ((np.arange(COARSE) + 0.5) / COARSE - start) / length
    k = np.arange(_LOW)[:, None]
    inside = (position >= 0) & (position <= 1)
    return (np.cos(np.pi * k * position) * inside).astype(np.float32)


_BOTH: Final = np.concatenate([_rows(0.0, 1.0), _rows((1 - _MIDDLE) / 2, _MIDDLE)])  # 16 x 16


def described(coarse: Array) -> Array:
    """Takes n x 16 x 16 grey pictures to n x 2 x 63: of the whole and of the middle."""
    centred = coarse - coarse.mean(axis=(1, 2), keepdims=True)
    terms = _BOTH @ centred @ _BOTH.T
    whole, middle = terms[:, :_LOW, :_LOW], terms[:, _LOW:, _LOW:]
    both = np.stack([whole, middle], axis=1).reshape(len(coarse), 2, -1)[:, :, 1:]
    lengths = np.sqrt(np.einsum("npt,npt->np", both, both))
    numbers: Array = both / np.maximum(lengths, 1e-6)[:, :, None]
    return numbers


class Shelf:
    """Ids with their coarse pictures and descriptors; ids on it are distinct."""

    def __init__(self) -> None:
        self._count = 0
        self._ids = np.empty(16, dtype=np.int64)
        self._coarse = np.empty((16, COARSE, COARSE), dtype=np.uint8)
        self._described = np.empty((16, 2, _NUMBERS), dtype=np.float16)

    def __len__(self) -> int:
        return self._count

    def add(self, ids: list[int], coarse: Array) -> None:
        """`ids` (n) with their pictures shrunk to n x 16 x 16."""
        self._reserve(self._count + len(ids))
        rows = slice(self._count, self._count + len(ids))
        self._ids[rows] = ids
        self._coarse[rows] = np.rint(coarse)
        self._described[rows] = described(coarse)
        self._count += len(ids)

    def _reserve(self, count: int) -> None:
        size = len(self._ids)
        if count <= size:
            return
        more = max(count, size + size // 2) - size  # half as much again: a shelf is often short
        for name in ("_ids", "_coarse", "_described"):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.empty((more, *old.shape[1:]), old.dtype)]))

    def remove(self, id: int) -> None:
        """The last one takes the free row; an unknown id is no error."""
        found = np.flatnonzero(self._ids[: self._count] == id)
        if not found.size:
            return
        row, last = int(found[0]), self._count - 1
        for rows in (self._ids, self._coarse, self._described):
            rows[row] = rows[last]
        self._count = last

    def nearest(self, coarse: Array, count: int) -> tuple[list[int], Array]:
        """At most `count` ids, the most similar first, and their pictures (n x 16 x 16)."""
        known = self._described[: self._count].astype(np.float32)
        whole, inner = described(coarse[None])[0]
        scores = known.reshape(-1, _NUMBERS) @ whole  # of their whole, of their middle, in turn
        best = np.maximum(scores[::2], scores[1::2])
        best = np.maximum(best, known[:, 0] @ inner)
        rows = np.flatnonzero(best >= _LEAST)
        if len(rows) > count:
            rows = rows[np.argpartition(-best[rows], count)[:count]]
        rows = rows[np.argsort(-best[rows], kind="stable")]
        return self._ids[rows].tolist(), self._coarse[rows].astype(np.float32)
