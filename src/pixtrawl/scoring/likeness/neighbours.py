"""Nearest neighbours by cosine: exact for some thousands of rows, by near cells beyond.

Comparing 100,000 rows with each other is 10 thousand million cosines, minutes of work. Beyond a
bound each row is therefore compared with the rows of the cells around it (an inverted file), which
finds nearly all of the neighbours with a fiftieth of the work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from pixtrawl.scoring.models.interface import Vectors

__all__ = ["EXACT", "near_neighbours", "nearest"]

EXACT: Final = 12_000  # rows up to which every pair is compared
_CELLS: Final = 1_000_000  # of a block of cosines: 4 MB, and twice that for finding the best
_LEARNT: Final = 40  # rows for each centroid to be moved by
_ROUNDS: Final = 4
_ROWS_OF_CELL: Final = 200
_PROBED: Final = 10  # cells around that of a row

Indices = np.ndarray[Any, np.dtype[np.int32]]


def nearest(
    vectors: Vectors, count: int, on_progress: Callable[[float], None] = lambda done: None
) -> tuple[Indices, Vectors]:
    """Return for each row the indices of its `count` nearest others, the nearest first, and their
    cosines; fewer where there are not so many rows.
    """
    vectors = np.asarray(vectors, dtype=np.float32)
    total = len(vectors)
    count = min(count, total - 1)
    indices = np.zeros((total, count), np.int32)
    cosines = np.zeros((total, count), np.float32)
    if not count:
        return indices, cosines
    everything = np.arange(total, dtype=np.int32)
    step = max(1, _CELLS // total)
    for start in range(0, total, step):
        on_progress(start / total)
        rows = slice(start, start + step)
        indices[rows], cosines[rows] = _best(vectors[rows], vectors, everything, start, count)
    return indices, cosines


def near_neighbours(
    vectors: Vectors, count: int, on_progress: Callable[[float], None] = lambda done: None
) -> tuple[Indices, Vectors]:
    """As `nearest`, but beyond `EXACT` rows only rows of near cells are compared (16 bits will do).

    `on_progress` is called with the share that is done; it may raise, to end the work.
    """
    total = len(vectors)
    if total <= EXACT:
        return nearest(vectors, count, on_progress)
    cells, around = _cells(vectors, lambda done: on_progress(0.2 * done))
    order = np.argsort(cells, kind="stable").astype(np.int32)
    ends = np.cumsum(np.bincount(cells, minlength=len(around)))
    indices = np.zeros((total, count), np.int32)
    cosines = np.zeros((total, count), np.float32)
    for cell, near in enumerate(around):
        on_progress(0.2 + 0.8 * cell / len(around))
        rows = order[ends[cell - 1] if cell else 0 : ends[cell]]
        if not len(rows):
            continue
        parts, size = [], 0
        for at, one in enumerate(near):  # its own first, until there are enough to choose from
            part = order[ends[one - 1] if one else 0 : ends[one]]
            parts.append(part)
            size += len(part)
            if at >= _PROBED and size > 4 * count:
                break
        among = np.concatenate(parts)
        others = np.asarray(vectors[among], dtype=np.float32)
        step = max(1, _CELLS // len(among))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            indices[some], cosines[some] = _best(
                others[start : start + len(some)], others, among, start, count
            )
    return indices, cosines


def _best(
    rows: Vectors, others: Vectors, among: Indices, start: int, count: int
) -> tuple[Indices, Vectors]:
    """Return which `count` of `among` (whose vectors are `others`) are nearest to each of the rows,
    which are those of `others` from `start` on, and are not their own neighbours.
    """
    block = rows @ others.T
    own = np.arange(len(rows))
    block[own, start + own] = -2.0
    last = block.shape[1] - count
    best = np.argpartition(block, last, axis=1)[:, last:]
    found = np.take_along_axis(block, best, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    return among[np.take_along_axis(best, order, axis=1)], np.take_along_axis(found, order, axis=1)


def _cells(vectors: Vectors, on_progress: Callable[[float], None]) -> tuple[Indices, Indices]:
    """Return the cell of each row, and for each cell all cells, the nearest first (k-means)."""
    count = max(2, len(vectors) // _ROWS_OF_CELL)
    chance = np.random.default_rng(0)  # the same cells each time
    drawn = np.sort(chance.permutation(len(vectors))[: count * _LEARNT])
    sample = np.asarray(vectors[drawn], dtype=np.float32)
    centroids = sample[np.sort(chance.permutation(len(sample))[:count])].copy()
    for round_ in range(_ROUNDS):
        on_progress(round_ / (_ROUNDS + 1))
        own = _nearest_centroids(sample, centroids)
        moved, sums = _sums(sample, own)
        centroids[moved] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    on_progress(_ROUNDS / (_ROUNDS + 1))
    likeness = centroids @ centroids.T
    np.fill_diagonal(likeness, 2)  # its own cell first
    around = np.argsort(-likeness, axis=1, kind="stable").astype(np.int32)
    return _nearest_centroids(vectors, centroids), around


def _sums(rows: Vectors, own: Indices) -> tuple[Indices, Vectors]:
    """Return the cells that have rows, and the sum of the rows of each."""
    order = np.argsort(own, kind="stable")
    cells, starts = np.unique(own[order], return_index=True)
    return cells, np.add.reduceat(rows[order], starts, axis=0)


def _nearest_centroids(vectors: Vectors, centroids: Vectors) -> Indices:
    step = max(1, _CELLS // len(centroids))
    parts = [
        (np.asarray(vectors[start : start + step], dtype=np.float32) @ centroids.T)
        .argmax(axis=1)
        .astype(np.int32)
        for start in range(0, len(vectors), step)
    ]
    return np.concatenate(parts)
