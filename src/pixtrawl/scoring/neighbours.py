"""Nearest neighbours by cosine, exact, in blocks of rows."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.scoring.model import Vectors

__all__ = ["nearest"]

_CELLS: Final = 16_000_000  # of a block of cosines: 64 MB

Indices = np.ndarray[Any, np.dtype[np.int64]]


def nearest(vectors: Vectors, count: int) -> tuple[Indices, Vectors]:
    """Return for each row the indices of its `count` nearest others, the nearest first, and their
    cosines; fewer where there are not so many rows.
    """
    total = len(vectors)
    count = min(count, total - 1)
    indices = np.zeros((total, count), np.int64)
    cosines = np.zeros((total, count), np.float32)
    if not count:
        return indices, cosines
    step = max(1, _CELLS // total)
    for start in range(0, total, step):
        block = vectors[start : start + step] @ vectors.T
        rows = np.arange(len(block))
        block[rows, start + rows] = -2.0
        best = np.argpartition(-block, count - 1, axis=1)[:, :count]
        found = np.take_along_axis(block, best, axis=1)
        order = np.argsort(-found, axis=1, kind="stable")
        indices[start : start + step] = np.take_along_axis(best, order, axis=1)
        cosines[start : start + step] = np.take_along_axis(found, order, axis=1)
    return indices, cosines
