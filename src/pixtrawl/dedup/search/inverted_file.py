"""Inverted file (IVF) for approximate nearest neighbours among vectors of equal length.

A few rounds of k-means over a sample give the centres; every row belongs to the cell of its nearest
centre, and a query probes the cells whose centres are nearest to any of its vectors. With 2 sqrt(n)
centres and a fixed number of probes, the cost of a query grows with sqrt(n). Recall:
docs/near-duplicates.md.

Sivic and Zisserman, "Video Google" (2003); Jegou et al., "Product quantization for nearest neighbor
search" (2011), section IV.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

__all__ = ["InvertedFile", "centres_of", "unit_rows"]

Array = np.ndarray[Any, Any]

_ROUNDS: Final = 4
_SAMPLE: Final = 32  # training rows per centre
_AT_ONCE: Final = 2**20  # numbers in the result of a product: 4 MB, near the processor's cache
_SEED: Final = 5


class InvertedFile:
    """An index of `vectors` (n x d, of equal length, any number type), which it does not keep."""

    def __init__(self, vectors: Array) -> None:
        self.size = len(vectors)
        self._centres = centres_of(vectors, max(1, min(self.size, round(2 * self.size**0.5))))
        cells = _nearest(vectors, self._centres)
        # The caller reorders its rows by `order`; `_starts` then has the first row of each cell.
        self.order = np.argsort(cells, kind="stable")
        counts = np.bincount(cells, minlength=len(self._centres))
        self._starts = np.concatenate([[0], np.cumsum(counts)])

    @property
    def memory_bytes(self) -> int:
        return int(self._centres.nbytes + self._starts.nbytes)

    def probes(self, asked: Array, count: int) -> Iterator[tuple[tuple[int, int], Array]]:
        """Yield (first row, end) of each cell with the numbers of the queries that probe it.

        Of n x m x d query vectors, each of the n queries probes the `count` cells nearest to any
        of its m vectors.
        """
        nearness = (asked @ self._centres.T).max(axis=1)
        if nearness.shape[1] > count:
            chosen = np.argpartition(-nearness, count - 1, axis=1)[:, :count]
        else:
            chosen = np.tile(np.arange(nearness.shape[1]), (len(asked), 1))
        which = np.repeat(np.arange(len(asked)), chosen.shape[1])
        order = np.argsort(chosen.ravel(), kind="stable")
        filled, starts = np.unique(chosen.ravel()[order], return_index=True)
        for cell, queries in zip(filled.tolist(), np.split(which[order], starts[1:]), strict=True):
            begin, end = int(self._starts[cell]), int(self._starts[cell + 1])
            if begin < end:
                yield (begin, end), queries


def centres_of(vectors: Array, count: int) -> Array:
    """Return `count` k-means centres. Seeded: a repeated run finds the same duplicates."""
    rng = np.random.default_rng(_SEED)
    sample = vectors
    if len(vectors) > _SAMPLE * count:
        sample = vectors[np.sort(rng.choice(len(vectors), _SAMPLE * count, replace=False))]
    sample = np.ascontiguousarray(sample, dtype=np.float32)
    centres = unit_rows(sample[rng.choice(len(sample), count, replace=False)])
    for _ in range(_ROUNDS):
        cells = _nearest(sample, centres)
        order = np.argsort(cells, kind="stable")
        filled, starts = np.unique(cells[order], return_index=True)
        centres[filled] = unit_rows(np.add.reduceat(sample[order], starts, axis=0))
    return centres


def unit_rows(rows: Array) -> Array:
    """Return the rows scaled to length 1."""
    lengths = np.sqrt(np.vecdot(rows, rows))  # half the time of einsum
    units: Array = rows / np.maximum(lengths, 1e-6)[:, None]
    return units


def _nearest(vectors: Array, centres: Array) -> Array:
    """Return the index of each row's nearest centre."""
    turned = np.ascontiguousarray(centres.T)
    rows = max(1, _AT_ONCE // len(centres))
    return np.concatenate(
        [
            (vectors[at : at + rows].astype(np.float32) @ turned).argmax(axis=1)
            for at in range(0, len(vectors), rows)
        ]
    )
