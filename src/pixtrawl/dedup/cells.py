"""Which of many directions lie near one of these? Vectors of like length sorted into cells.

An inverted file: centres are found by a few rounds of k-means over a sample, every row belongs to
the centre nearest to it, and a query looks into the cells whose centres are the nearest to any of
its vectors. With twice as many centres as the square root of the rows, and as many cells looked
into whatever their number, a query's cost grows with the root of the rows, too. What it misses:
docs/near-duplicates.md.

Sivic and Zisserman, "Video Google" (2003); Jegou et al., "Product quantization for nearest neighbor
search" (2011), section IV.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

__all__ = ["Cells", "directions"]

Array = np.ndarray[Any, Any]

_LOOKED_INTO: Final = 32  # cells: 995 of 1,000 of what looking through 85,000 rows finds
_ROUNDS: Final = 4
_SAMPLE: Final = 32  # rows a centre is found from
_AT_ONCE: Final = 8_192  # rows: their products with all centres stay small
_SEED: Final = 5


class Cells:
    """Over `described` (n x d, of like length, of any type of numbers), which is not kept."""

    def __init__(self, described: Array) -> None:
        self.size = len(described)
        self._centres = _centres(described, max(1, round(2 * self.size**0.5)))
        cells = _nearest(described, self._centres)
        # Where each cell's rows begin, once the rows lie in this order.
        self.order = np.argsort(cells, kind="stable")
        counts = np.bincount(cells, minlength=len(self._centres))
        self._starts = np.concatenate([[0], np.cumsum(counts)])

    @property
    def memory_bytes(self) -> int:
        return int(self._centres.nbytes + self._starts.nbytes)

    def rows(self, asked: Array) -> list[tuple[int, int]]:
        """Stretches (first, end) of the rows in order, near any of `asked` (m x d)."""
        nearness = (asked @ self._centres.T).max(axis=0)
        if len(nearness) > _LOOKED_INTO:
            chosen = np.sort(np.argpartition(-nearness, _LOOKED_INTO)[:_LOOKED_INTO])
        else:
            chosen = np.arange(len(nearness))
        return list(zip(self._starts[chosen].tolist(), self._starts[chosen + 1].tolist(),
                        strict=True))  # fmt: skip


def _centres(described: Array, count: int) -> Array:
    """The same for the same rows: a run that is repeated finds the same duplicates."""
    rng = np.random.default_rng(_SEED)
    sample = described
    if len(described) > _SAMPLE * count:
        sample = described[np.sort(rng.choice(len(described), _SAMPLE * count, replace=False))]
    sample = sample.astype(np.float32)
    centres = directions(sample[rng.choice(len(sample), count, replace=False)])
    for _ in range(_ROUNDS):
        cells = _nearest(sample, centres)
        order = np.argsort(cells, kind="stable")
        filled, starts = np.unique(cells[order], return_index=True)
        centres[filled] = directions(np.add.reduceat(sample[order], starts, axis=0))
    return centres


def directions(rows: Array) -> Array:
    """The same rows, of length 1."""
    lengths = np.sqrt(np.vecdot(rows, rows))  # half the time of einsum
    units: Array = rows / np.maximum(lengths, 1e-6)[:, None]
    return units


def _nearest(described: Array, centres: Array) -> Array:
    """For each row the number of its centre."""
    turned = np.ascontiguousarray(centres.T)
    return np.concatenate(
        [
            (described[at : at + _AT_ONCE].astype(np.float32) @ turned).argmax(axis=1)
            for at in range(0, len(described), _AT_ONCE)
        ]
    )
