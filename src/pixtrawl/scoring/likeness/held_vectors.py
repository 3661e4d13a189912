"""Vectors of the images of one data set, made once, a byte a number, and kept in a temporary file.

Reading the looks of 100,000 images from the catalog is half a gigabyte. As signed bytes with a
factor for each row they are 39 MB (embeddings of 512 numbers: 51), and cosines are exact to about
0.001. A file that is read in blocks takes no memory of this process, and the system has it in its
cache.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from pixtrawl.scoring.likeness.spaces import Space
from pixtrawl.scoring.likeness.spilled_rows import SpilledRows
from pixtrawl.scoring.models.interface import unit

__all__ = ["HeldVectors", "absent"]

_FEW: Final = 4  # up to so many examples, the nearest of them counts; of more, their mean

Array = np.ndarray[Any, Any]


def absent(known: Array, ids: Sequence[int]) -> Array:
    """Return those of the ids that are not among the known ones, both in ascending order."""
    wanted = np.sort(np.asarray(ids, dtype=np.int64))
    fresh = np.ones(len(wanted), bool)
    fresh[1:] = wanted[1:] != wanted[:-1]
    if len(known):
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        fresh &= known[at] != wanted
    found: Array = wanted[fresh]
    return found


class HeldVectors:
    """The vectors of one space, in the order in which they were read; not thread-safe."""

    def __init__(self, space: Space) -> None:
        """Hold nothing yet."""
        self.space = space
        self._ids: Array = np.zeros(0, np.int64)  # ascending
        self._places: Array = np.zeros(0, np.int64)  # of the row of each id, over all blocks
        self._rows = SpilledRows()
        self._factors: list[Array] = []  # of each row
        self._tried: Array = np.zeros(0, np.int64)  # ascending; those without a vector, too

    def missing(self, ids: Sequence[int]) -> Array:
        """Return those of these images that were not read yet, in ascending order."""
        return absent(self._tried, ids)

    def update(self, db: sqlite3.Connection, ids: Sequence[int]) -> None:
        """Read the vectors of those of these images that are not known yet and have one.

        Raise StorageError where the temporary file cannot be written.
        """
        new = self.missing(ids)
        if not len(new):
            return
        known = [self._ids]
        for there, vectors in self.space.blocks(db, new.tolist()):
            factor = np.maximum(np.abs(vectors).max(axis=1), 1e-9) / 127
            known.append(np.array(there, np.int64))
            self._rows.add(np.rint(vectors / factor[:, None]).astype(np.int8))
            self._factors.append(factor.astype(np.float32))
        places = np.arange(len(self._ids), sum(map(len, known)))
        every, places = np.concatenate(known), np.concatenate([self._places, places])
        order = np.argsort(every, kind="stable")
        self._ids, self._places = every[order], places[order]
        self._tried = np.sort(np.concatenate([self._tried, new]))

    def order(
        self, db: sqlite3.Connection, ids: Sequence[int], examples: Sequence[int]
    ) -> list[int]:
        """Return those of `ids` whose vector is held, the most alike to the examples first.

        The result is empty where none of the examples has a vector.
        """
        _, given = self.space.vectors(db, examples)
        if not len(given):
            return []
        if len(given) > _FEW:
            given = unit(given.mean(axis=0, keepdims=True))
        there, cosines = self._compared(ids, given)
        cosines[np.isin(there, np.asarray(examples))] = 2.0  # the examples themselves first
        return _ordered(there, cosines)

    def order_to(self, ids: Sequence[int], vector: Array) -> list[int]:
        """Return those of `ids` whose vector is held, the most alike to one of length 1 first."""
        return _ordered(*self._compared(ids, vector[None, :].astype(np.float32)))

    def _compared(self, ids: Sequence[int], given: Array) -> tuple[Array, Array]:
        """Return those of the images that have a vector, and their largest cosines."""
        if not len(self._ids):
            return self._ids, np.zeros(0, np.float32)
        asked = np.asarray(ids, dtype=np.int64)
        at = np.searchsorted(self._ids, asked)
        at[at == len(self._ids)] = 0
        has = self._ids[at] == asked
        return asked[has], self._cosines(given)[self._places[at[has]]]

    def _cosines(self, given: Array) -> Array:
        """Return the largest cosine of each held row with the examples, by place."""
        # not `@`: threads of BLAS, where it has some, wait for each other on a busy machine
        parts = [
            np.einsum("ij,kj->ik", rows.astype(np.float32), given).max(axis=1)
            for rows in self._rows.blocks()
        ]
        self._factors = [np.concatenate(self._factors)]
        found: Array = np.concatenate(parts) * self._factors[0]
        return found

    def close(self) -> None:
        """Remove the temporary file."""
        self._rows.close()


def _ordered(ids: Array, cosines: Array) -> list[int]:
    """Return the ids by falling cosine; equal ones in the order given."""
    best: list[int] = ids[np.argsort(-cosines, kind="stable")].tolist()
    return best
