"""Descriptor index of one label: selects the few images that are worth aligning.

The descriptor is the low 8x8 block of the DCT without its constant, weighted slightly towards
detail, of length 1. A query has 19 variants: the picture, nine windows of 90 % (the kept image may
be a crop), and the picture placed in nine windows of a larger one (it may be a crop itself). Terms
take two bytes: 136 bytes per image with its id, in cells about 170. One matrix product compares all
of them; in longer labels eight of the variants, the guides, choose the cells to look into and the
rows in them that all variants are compared with. Coarse pictures are cached for the newest images
only.
"""

from __future__ import annotations

from itertools import islice, product
from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.crop_windows import COARSE
from pixtrawl.dedup.overlay.turned import turned
from pixtrawl.dedup.search.growing_cells import GrowingCells
from pixtrawl.dedup.search.inverted_file import unit_rows

__all__ = ["LEAST", "DescriptorIndex", "window_descriptors"]

Array = np.ndarray[Any, Any]

_LOW: Final = 8
_TERMS: Final = _LOW * _LOW
_PART: Final = 0.9
_PLACES: Final = (0.0, 0.05, 0.1)
_WEIGHT: Final = 0.5  # exponent of the frequency; 0 and 1 rank the original of a crop lower
LEAST: Final = 0.62  # cosine: 99 of 100 crops of 10 % have 0.69 or more
_LEAST_DEEP: Final = 0.7  # the same for deep crops, of which 9 in 10 have as much
# Variants that lie far enough apart to stand for all: the picture, three windows of it, and four
# larger pictures. Eight, since a product with seven or nine costs more (the width of a register).
_GUIDES: Final = (0, 1, 3, 8, 11, 13, 15, 17)
# Cosine of the best guide: 99.95 % of the rows that reach `LEAST` have as much. They are other
# pictures of one thing; of 5,996 crops and their originals, none had less than 0.56.
_GUIDED: Final = 0.4
_SCANNED: Final = 2_048  # rows up to which all are compared
_CACHED: Final = 4_096  # coarse pictures of all labels together: 2 MB
# Quantisation of a term. With 127, in one byte, the cosine is off by 0.002, and 16 in 1,000 fewer
# originals are found among hundreds of pictures of one thing; with these, none are lost.
_STEPS: Final = 32_767


def _cut(start: float, length: float) -> Array:
    """Return the DCT rows over a part of an axis, zero outside."""
    position = ((np.arange(COARSE) + 0.5) / COARSE - start) / length
    k = np.arange(_LOW)[:, None]
    inside = (position >= 0) & (position <= 1)
    return (np.cos(np.pi * k * position) * inside / length).astype(np.float32)


def _spread(start: float, length: float) -> Array:
    """Return the DCT rows over an axis for a picture that fills a part of it."""
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
)  # 56 x 16: one product for all, as numpy calls cost more than the arithmetic
_WEIGHTS: Final = (np.hypot(*np.mgrid[:_LOW, :_LOW]) ** _WEIGHT).astype(np.float32)


def _unit(terms: Array) -> Array:
    """Turn n x 8 x 8 terms into n rows of length 1; the constant's weight is 0."""
    rows = (terms * _WEIGHTS).reshape(-1, _TERMS)
    return unit_rows(rows)


def _query_variants(coarse: Array) -> Array:
    """Return the 19 x 64 descriptors of the picture, its windows, and it as a window."""
    centred = coarse - np.add.reduce(coarse, axis=None) / coarse.size  # faster than mean()
    return _unit((_ALL @ centred @ _ALL.T).ravel()[_BLOCK_INDICES])


def window_descriptors(coarse: Array) -> Array:
    """Return the descriptors (n x 10 x 64) of n x 16 x 16 pictures and nine windows of each."""
    centred = coarse - coarse.mean(axis=(1, 2), keepdims=True)
    terms = (_CUTS @ centred @ _CUTS.T).reshape(len(coarse), -1)
    picked = terms[:, _CUT_INDICES].reshape(-1, _LOW, _LOW)
    return _unit(picked).reshape(len(coarse), -1, _TERMS)


def _block_indices() -> Array:
    """Return flat indices into (56 x 56) of the 8 x 8 DCT blocks of the 19 query variants."""
    terms = np.arange(_LOW)
    cuts = [_LOW * (1 + at) for at in range(len(_PLACES))]
    spreads = [_LOW * (1 + len(_PLACES) + at) for at in range(len(_PLACES))]
    pairs = [(0, 0), *product(cuts, repeat=2), *product(spreads, repeat=2)]
    return np.stack([(y + terms)[:, None] * len(_ALL) + x + terms for y, x in pairs])


_BLOCK_INDICES: Final = _block_indices()
_CUTS: Final = _ALL[: _LOW * (1 + len(_PLACES))]
_CUT_BLOCKS: Final = _BLOCK_INDICES[: 1 + len(_PLACES) ** 2]
_CUT_INDICES: Final = _CUT_BLOCKS // len(_ALL) * len(_CUTS) + _CUT_BLOCKS % len(_ALL)


def _deep() -> tuple[Array, Array]:
    """Return the DCT rows of deep cuts and spreads, and indices of the blocks; the whole is first.

    The parts are four fifths of each axis in three places, and two thirds or the middle of one
    axis.
    """
    both = [(0.0, 1.0), (0.0, 0.8), (0.1, 0.8), (0.2, 0.8)]
    one = [(0.0, 0.67), (0.165, 0.67), (0.33, 0.67), (0.31, 0.38)]
    parts = [*both, *one]
    pairs = list(product(range(4), repeat=2))
    pairs += [(4 + at, 0) for at in range(4)] + [(0, 4 + at) for at in range(4)]
    rows = np.concatenate([*(_cut(*part) for part in parts), *(_spread(*part) for part in parts)])
    terms = np.arange(_LOW)
    blocks = [
        (_LOW * (y + first) + terms)[:, None] * len(rows) + _LOW * (x + first) + terms
        for first in (0, len(parts))
        for y, x in pairs
    ]
    return rows, np.stack(blocks)


_DEEP_ROWS, _DEEP_BLOCKS = _deep()


class DescriptorIndex:
    """Distinct ids with the descriptors of their pictures.

    Up to 2,048 rows are scanned; more are moved into cells, of which a query probes some.
    """

    def __init__(self, pictures: dict[int, Array] | None = None) -> None:
        """`pictures` is the cache of coarse pictures shared by the indexes of all labels."""
        self._count = 0  # rows that are scanned
        self._ids = np.empty(16, dtype=np.int64)
        # One column per image: the product takes 60 % of the time it takes with rows.
        self._descriptors = np.empty((_TERMS, 16), dtype=np.int16)
        self._cells: GrowingCells | None = None
        self._pictures = {} if pictures is None else pictures  # oldest first

    def __len__(self) -> int:
        return self._count if self._cells is None else len(self._cells)

    def add(self, ids: list[int], coarse: Array) -> None:
        """Add n `ids` with their pictures shrunk to n x 16 x 16."""
        descriptors = np.rint(_STEPS * _unit(_WHOLE @ coarse @ _WHOLE.T)).astype(np.int16)
        if self._cells is None:
            self._reserve(self._count + len(ids))
            rows = slice(self._count, self._count + len(ids))
            self._ids[rows] = ids
            self._descriptors[:, rows] = descriptors.T
            self._count += len(ids)
            self._move_into_cells()
        else:
            self._cells.add(np.array(ids), descriptors)
        self._pictures.update(zip(ids, (coarse + 0.5).astype(np.uint8), strict=True))  # rounded
        for id in list(islice(self._pictures, max(0, len(self._pictures) - _CACHED))):
            del self._pictures[id]

    def picture(self, id: int) -> Array | None:
        """Return the 16 x 16 picture of an image, if it is cached."""
        return self._pictures.get(id)

    def _reserve(self, count: int) -> None:
        size = len(self._ids)
        if count <= size:
            return
        more = max(count, size + size // 4) - size  # a quarter: thousands of labels grow at once
        for name in ("_ids", "_descriptors"):
            old = getattr(self, name)
            new = np.empty((*old.shape[:-1], size + more), old.dtype)
            new[..., :size] = old  # what is not written yet takes no memory
            setattr(self, name, new)

    def _move_into_cells(self) -> None:
        """Move the rows into cells once there are too many to scan; the first give the centres."""
        if self._count <= _SCANNED:
            return
        ids, rows = self._ids[: self._count], self._descriptors[:, : self._count].T
        self._cells = GrowingCells(ids[:_SCANNED], np.ascontiguousarray(rows[:_SCANNED]))
        self._cells.add(ids[_SCANNED:], np.ascontiguousarray(rows[_SCANNED:]))
        self._count = 0
        self._ids, self._descriptors = self._ids[:0].copy(), self._descriptors[:, :0].copy()

    def remove(self, id: int) -> None:
        """Remove an id; an unknown one is ignored."""
        self._pictures.pop(id, None)
        if self._cells is not None:
            self._cells.remove(id)
            return
        found = np.flatnonzero(self._ids[: self._count] == id)
        if found.size:
            row, self._count = int(found[0]), self._count - 1
            for rows in (self._ids, self._descriptors.T):
                rows[row] = rows[self._count]  # the last row takes its place

    def _scanned(self) -> Array:
        """Return the columns (64 x n) of a label short enough to be scanned."""
        return self._descriptors[:, : self._count]

    def turned_near(self, coarse: Array) -> list[int]:
        """Return the orientations (1-7) of a picture that some image resembles as a whole."""
        turns = np.stack([turned(coarse, way) for way in range(1, 8)])
        centred = turns - turns.mean(axis=(1, 2), keepdims=True)
        asked = _unit(_WHOLE @ centred @ _WHOLE.T)
        columns = self._scanned() if self._cells is None else self._cells.probed(asked)[1].T
        likeness = asked @ columns.astype(np.float32)
        near = likeness.max(axis=1, initial=0) >= LEAST * _STEPS
        return [1 + int(way) for way in near.nonzero()[0]]

    def nearest(self, coarse: Array, count: int) -> list[int]:
        """Return at most `count` ids, the most similar first."""
        asked = _query_variants(coarse)
        if self._cells is not None:
            return self._nearest_in(self._cells, asked, count)
        best = np.maximum.reduce(asked @ self._scanned().astype(np.float32), axis=0)
        rows = (best >= LEAST * _STEPS).nonzero()[0]
        if not rows.size:  # the usual case
            return []
        found_ids: list[int] = self._ids[rows[_highest(best[rows], count)]].tolist()
        return found_ids

    def _nearest_in(self, cells: GrowingCells, asked: Array, count: int) -> list[int]:
        """Return what `nearest` does, of rows that some guide resembles."""
        guides = asked[_GUIDES, :]
        probed, vectors = cells.probed(guides)
        rows = vectors.astype(np.float32)
        resembles = rows @ guides.T >= _GUIDED * _STEPS
        likely = resembles.view(np.uint64).ravel().nonzero()[0]  # eight truth values are a word
        best = np.maximum.reduce(asked @ rows.take(likely, axis=0).T, axis=0)
        near = (best >= LEAST * _STEPS).nonzero()[0]
        if not near.size:  # the usual case
            return []
        near = near[_highest(best[near], count)]
        found_ids: list[int] = cells.ids_of(probed, likely[near]).tolist()
        return found_ids

    def nearest_deep(self, coarse: Array, count: int) -> list[int]:
        """Return at most `count` ids of likely deep crops, padded or marked copies, best first.

        Only where all rows are scanned: in longer labels this would take milliseconds.
        """
        if self._cells is not None:
            return []
        centred = coarse - np.add.reduce(coarse, axis=None) / coarse.size
        asked = _unit((_DEEP_ROWS @ centred @ _DEEP_ROWS.T).ravel()[_DEEP_BLOCKS])
        likeness = asked @ self._scanned().astype(np.float32)
        best = likeness.max(axis=0)
        rows = (best >= _LEAST_DEEP * _STEPS).nonzero()[0]
        rows = rows[_highest(best[rows], count)]
        found_ids: list[int] = self._ids[rows].tolist()
        return found_ids


def _highest(values: Array, count: int) -> Array:
    """Return the indices of the `count` highest values, highest first."""
    at = np.argpartition(-values, count)[:count] if len(values) > count else np.arange(len(values))
    ordered: Array = at[np.argsort(-values[at], kind="stable")]
    return ordered
