"""The images of one label by a coarse descriptor: which few are worth a second look?

The descriptor is the 8x8 corner of the DCT without its constant, a little weighted towards detail,
of length 1. Asked are the picture, nine windows of it of 90 % (the known one may be a crop), and
the picture laid into nine windows of a larger one (it may be a crop itself). A term is kept in two
bytes: 136 bytes an image with its id, and one product asks all of them. The coarse pictures
themselves are remembered of the newest images only.
"""

from __future__ import annotations

from itertools import islice, product
from typing import Any, Final

import numpy as np

from pixtrawl.dedup.cells import Cells, directions
from pixtrawl.dedup.windows import COARSE

__all__ = ["Shelf"]

Array = np.ndarray[Any, Any]

_LOW: Final = 8
_TERMS: Final = _LOW * _LOW
_PART: Final = 0.9
_PLACES: Final = (0.0, 0.05, 0.1)
_WEIGHT: Final = 0.5  # power of frequency; 0 and 1 rank the original of a crop lower
_LEAST: Final = 0.62  # of 1: 99 of 100 crops of a tenth have 0.69 or more
_LOOKED_THROUGH: Final = 2_048  # rows that are not worth cells
_RATIO: Final = 4
_NOBODY: Final = -1
_REMEMBERED: Final = 4_096  # coarse pictures of all shelves together: 2 MB
# Of a term. With 127, in one byte, likeness is off by 0.002, and the shelf names 16 in 1,000 fewer
# originals where there are hundreds of pictures of one thing; with these, none.
_STEPS: Final = 32_767


def _cut(start: float, length: float) -> Array:
    """Cosines over a part of an axis, nothing outside."""
    position = ((np.arange(COARSE) + 0.5) / COARSE - start) / length
    k = np.arange(_LOW)[:, None]
    inside = (position >= 0) & (position <= 1)
    return (np.cos(np.pi * k * position) * inside / length).astype(np.float32)


def _spread(start: float, length: float) -> Array:
    """Cosines over an axis, of a picture that fills a part of it."""
    position = start + length * (np.arange(COARSE) + 0.5) / COARSE
    k = np.arange(_LOW)[:, None]
    return (np.cos(np.pi * k * position) * length).astype(np.float32)


_WHOLE: Final = _cut(0.0, 1.0)
_ALL: Final = np.concatenate(
    [
        _WHOLE,
        *(_cut(start, _PART) for start in _PLACES),
        *(_spread(start, _PART) for start in _PLACES),
    ]
)  # 56 x 16: one product for all, since the calls cost more than the numbers
_WEIGHTS: Final = (np.hypot(*np.mgrid[:_LOW, :_LOW]) ** _WEIGHT).astype(np.float32)


def _unit(terms: Array) -> Array:
    """From n x 8 x 8 terms to n rows of length 1; the constant's weight is 0."""
    rows = (terms * _WEIGHTS).reshape(-1, _TERMS)
    return directions(rows)


def _asked(coarse: Array) -> Array:
    """19 x 64: the whole, its windows, and what it would be a window of."""
    centred = coarse - np.add.reduce(coarse, axis=None) / coarse.size  # mean() is Python inside
    return _unit((_ALL @ centred @ _ALL.T).ravel()[_PICKED])


def _picked() -> Array:
    """Where in the product of all rows with all rows the terms of the 19 lie: 19 x 8 x 8."""
    terms = np.arange(_LOW)
    cuts = [_LOW * (1 + at) for at in range(len(_PLACES))]
    spreads = [_LOW * (1 + len(_PLACES) + at) for at in range(len(_PLACES))]
    pairs = [(0, 0), *product(cuts, repeat=2), *product(spreads, repeat=2)]
    return np.stack([(y + terms)[:, None] * len(_ALL) + x + terms for y, x in pairs])


_PICKED: Final = _picked()


class Shelf:
    """Ids with the descriptors of their pictures; ids on it are distinct.

    The newest are a tail that is looked through; a long tail is sorted into cells, and stretches
    of cells of like size are sorted anew together, as in `index.HashIndex`.
    """

    def __init__(self, pictures: dict[int, Array] | None = None) -> None:
        """`pictures` are the remembered ones of all shelves that share their ids."""
        self._count = 0
        self._gone = 0  # of them, removed
        self._ids = np.empty(16, dtype=np.int64)
        # A column each: the product that asks them takes 60 % of what it takes with rows.
        self._described = np.empty((_TERMS, 16), dtype=np.int16)
        self._sorted: list[tuple[int, Cells]] = []  # first row, cells
        self._pictures = {} if pictures is None else pictures  # the oldest first

    def __len__(self) -> int:
        return self._count - self._gone

    def add(self, ids: list[int], coarse: Array) -> None:
        """`ids` (n) with their pictures shrunk to n x 16 x 16."""
        self._reserve(self._count + len(ids))
        rows = slice(self._count, self._count + len(ids))
        self._ids[rows] = ids
        self._described[:, rows] = np.rint(_STEPS * _unit(_WHOLE @ coarse @ _WHOLE.T)).T
        self._count += len(ids)
        self._settle()
        self._pictures.update(zip(ids, (coarse + 0.5).astype(np.uint8), strict=True))  # rounded
        for id in list(islice(self._pictures, max(0, len(self._pictures) - _REMEMBERED))):
            del self._pictures[id]

    def picture(self, id: int) -> Array | None:
        """The 16 x 16 of an image, if it is remembered."""
        return self._pictures.get(id)

    def _reserve(self, count: int) -> None:
        size = len(self._ids)
        if count <= size:
            return
        more = max(count, size + size // 2) - size  # half as much again: a shelf is often short
        for name in ("_ids", "_described"):
            old = getattr(self, name)
            space = np.empty((*old.shape[:-1], more), old.dtype)
            setattr(self, name, np.concatenate([old, space], axis=-1))

    @property
    def _tail(self) -> int:
        """The first row that is in no cell."""
        return self._sorted[-1][0] + self._sorted[-1][1].size if self._sorted else 0

    def _settle(self) -> None:
        """Sort a long tail into cells, together with stretches before it that are not longer."""
        first = self._tail
        if self._count - first <= _LOOKED_THROUGH:
            return
        while self._sorted and self._sorted[-1][1].size <= _RATIO * (self._count - first):
            first = self._sorted.pop()[0]
        rows = slice(first, self._count)
        cells = Cells(np.ascontiguousarray(self._described[:, rows].T))
        self._sorted.append((first, cells))
        for column in (self._ids, self._described.T):
            column[rows] = column[rows][cells.order]

    def remove(self, id: int) -> None:
        """In the tail the last one takes the free row; an unknown id is no error."""
        self._pictures.pop(id, None)
        found = np.flatnonzero(self._ids[: self._count] == id)
        if not found.size:
            return
        row, last = int(found[0]), self._count - 1
        if row < self._tail:
            self._ids[row] = _NOBODY
            self._described[:, row] = 0  # like nothing
            self._gone += 1
            return
        for rows in (self._ids, self._described.T):
            rows[row] = rows[last]
        self._count = last

    def nearest(self, coarse: Array, count: int) -> list[int]:
        """At most `count` ids, the most similar first."""
        asked = _asked(coarse)
        stretches = [
            (first + begin, first + end)
            for first, cells in self._sorted
            for begin, end in cells.rows(asked)
        ]
        stretches.append((self._tail, self._count))
        near: list[tuple[Array, Array]] = []
        for a, b in stretches:
            likeness = (asked @ self._described[:, a:b].astype(np.float32)).max(axis=0)
            found = (likeness >= _LEAST * _STEPS).nonzero()[0]
            if found.size:
                near.append((likeness[found], found + a))
        if not near:  # as mostly
            return []
        best, rows = (np.concatenate(parts) for parts in zip(*near, strict=True))
        if len(rows) > count:
            chosen = np.argpartition(-best, count)[:count]
            best, rows = best[chosen], rows[chosen]
        found_ids: list[int] = self._ids[rows[np.argsort(-best, kind="stable")]].tolist()
        return found_ids
