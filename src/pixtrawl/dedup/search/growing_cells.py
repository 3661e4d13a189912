"""Cells of similar vectors that grow one vector at a time: approximate nearest neighbours.

An inverted file without rebuilding: a new vector goes into the cell whose centre is nearest, and a
full cell is split in two by 2-means. Cells hold a bounded number of vectors and a query probes a
bounded number of cells, so that a query compares as many vectors among 300,000 as among 30,000;
only the product with the centres grows. Recall follows the number of cells probed far more than
their size: small ones halve the vectors compared, and cost more centres. Figures:
docs/near-duplicates.md.

Xu et al., "SPFresh: incremental in-place update for billion-scale vector search" (2023), splits
cells in the same way, and also moves vectors between neighbours, which is not needed here.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.dedup.search.inverted_file import centres_of, unit_rows

__all__ = ["GrowingCells"]

Array = np.ndarray[Any, Any]

_CELL_ROOM: Final = 64  # vectors of a cell at the most
_LEAST_PART: Final = 4  # a split leaves at least 1 / 4 of the vectors on either side
_STEP: Final = 8  # vectors by which the room of a cell grows
_ROUNDS: Final = 4
_PROBED: Final = (64, 112)  # cells of a query: a quarter of them, within these bounds
_PROBED_PART: Final = 4
_AT_ONCE: Final = 64  # vectors that are assigned together
_NO_ID: Final = -1


class GrowingCells:
    """Vectors of `d` numbers under ids (not -1), all of about one length, in cells."""

    def __init__(self, ids: Array, vectors: Array) -> None:
        """`vectors` (n x d, int16) are the first; the cells' first centres are theirs."""
        centres = centres_of(vectors, max(1, min(len(vectors), round(2 * len(vectors) ** 0.5))))
        # Of equal vectors many centres come out equal: a cell that stays empty would be probed.
        centres = centres[np.unique((vectors.astype(np.float32) @ centres.T).argmax(axis=1))]
        self._count = 0
        self._cells = 0
        self._centres = np.empty((0, vectors.shape[1]), dtype=np.float32)
        self._ids = np.empty((0, _CELL_ROOM), dtype=np.int64)
        self._sizes = np.empty(0, dtype=np.int64)
        self._vectors: list[Array] = []  # of each cell, with room for more
        for centre in centres:
            self._append(centre, np.empty(0, dtype=np.int64), vectors[:0])
        self.add(ids, vectors)

    def __len__(self) -> int:
        return self._count

    def add(self, ids: Array, vectors: Array) -> None:
        """Add n ids with their vectors (n x d, int16)."""
        for at in range(0, len(ids), _AT_ONCE):
            self._add_some(ids[at : at + _AT_ONCE], vectors[at : at + _AT_ONCE])
        self._count += len(ids)

    def remove(self, id: int) -> bool:
        """Remove an id; return whether it was there."""
        cells, places = (self._ids[: self._cells] == id).nonzero()
        if not cells.size:
            return False
        cell, place = int(cells[0]), int(places[0])
        last = int(self._sizes[cell]) - 1
        for rows in (self._ids[cell], self._vectors[cell]):
            rows[place] = rows[last]
        self._ids[cell, last] = _NO_ID
        self._sizes[cell] = last
        self._count -= 1
        return True

    def probed(self, asked: Array) -> tuple[Array, Array]:
        """Return the cells nearest to any of m x d queries, and all their vectors (n x d)."""
        nearness = np.maximum.reduce(asked @ self._centres[: self._cells].T, axis=0)
        count = min(_PROBED[1], max(_PROBED[0], self._cells // _PROBED_PART))
        if count < self._cells:
            cells = np.argpartition(-nearness, count)[:count]
        else:
            cells = np.arange(self._cells)
        sizes = self._sizes[cells].tolist()
        parts = [self._vectors[cell][:size] for cell, size in zip(cells, sizes, strict=True)]
        return cells, np.concatenate(parts)

    def ids_of(self, cells: Array, rows: Array) -> Array:
        """Return the ids of some rows of the vectors that `probed` returned with `cells`."""
        ends = np.cumsum(self._sizes[cells])
        at = np.searchsorted(ends, rows, side="right")
        found: Array = self._ids[cells[at], rows - ends[at] + self._sizes[cells[at]]]
        return found

    def _add_some(self, ids: Array, vectors: Array) -> None:
        wide = vectors.astype(np.float32)
        nearest = (wide @ self._centres[: self._cells].T).argmax(axis=1)
        for at in range(len(ids)):
            cell = int(nearest[at])
            if self._sizes[cell] == _CELL_ROOM:
                other = self._split(cell)
                waiting = at + (nearest[at:] == cell).nonzero()[0]
                towards_other = wide[waiting] @ (self._centres[other] - self._centres[cell]) > 0
                nearest[waiting[towards_other]] = other
                cell = int(nearest[at])
            size = int(self._sizes[cell])
            if size == len(self._vectors[cell]):
                self._vectors[cell] = _with_room(self._vectors[cell], size + 1)
            self._vectors[cell][size] = vectors[at]
            self._ids[cell, size] = ids[at]
            self._sizes[cell] = size + 1

    def _split(self, cell: int) -> int:
        """Move a part of a full cell into a new one; return the new cell."""
        vectors, ids = self._vectors[cell][:_CELL_ROOM], self._ids[cell].copy()
        wide = vectors.astype(np.float32)
        one = wide[(wide @ self._centres[cell]).argmin()]
        other = wide[(wide @ one).argmin()]
        order, cut = _parted(wide, one, other)
        for _ in range(_ROUNDS):
            one, other = unit_rows(np.stack([wide[order[:cut]].sum(0), wide[order[cut:]].sum(0)]))
            order, cut = _parted(wide, one, other)
        self._put(cell, one, ids[order[:cut]], vectors[order[:cut]])
        self._append(other, ids[order[cut:]], vectors[order[cut:]])
        return self._cells - 1

    def _append(self, centre: Array, ids: Array, vectors: Array) -> None:
        room = len(self._centres)
        if self._cells == room:
            for name in ("_centres", "_ids", "_sizes"):
                old = getattr(self, name)
                new = np.empty((room + room // 2 + 16, *old.shape[1:]), old.dtype)
                new[:room] = old
                setattr(self, name, new)
        self._vectors.append(vectors)
        self._cells += 1
        self._put(self._cells - 1, centre, ids, vectors)

    def _put(self, cell: int, centre: Array, ids: Array, vectors: Array) -> None:
        """Make these vectors the only ones of a cell."""
        self._centres[cell], self._sizes[cell] = centre, len(ids)
        self._ids[cell] = _NO_ID
        self._ids[cell, : len(ids)] = ids
        self._vectors[cell] = _with_room(vectors, len(ids))


def _parted(vectors: Array, one: Array, other: Array) -> tuple[Array, int]:
    """Split vectors by the nearer of two centres; return their order and the first part's size.

    Each part gets at least 1 / `_LEAST_PART` of them, so that equal vectors are split, too.
    """
    sides = vectors @ (one - other)
    least = len(vectors) // _LEAST_PART
    cut = min(max(int(np.count_nonzero(sides > 0)), least), len(vectors) - least)
    return np.argsort(-sides, kind="stable"), cut


def _with_room(vectors: Array, count: int) -> Array:
    """Copy a cell's vectors into an array with room for `count` and somewhat more."""
    rows = min(_CELL_ROOM, -(-count // _STEP) * _STEP)
    new = np.empty((rows, vectors.shape[1]), vectors.dtype)
    new[: len(vectors)] = vectors
    return new
