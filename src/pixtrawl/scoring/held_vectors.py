"""Vectors of the images of one data set, held in memory: a byte a number, and made once.

Reading the looks of 100,000 images from the catalog is half a gigabyte. As signed bytes with a
factor for each row they are 39 MB, and cosines are exact to about 0.001.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from pixtrawl.scoring.model import unit
from pixtrawl.scoring.spaces import Space

__all__ = ["HeldVectors"]

_BLOCK: Final = 2048  # rows at a time
_FEW: Final = 4  # up to so many examples, the nearest of them counts; of more, their mean

Array = np.ndarray[Any, Any]


class HeldVectors:
    """The vectors of one space; not thread-safe."""

    def __init__(self, space: Space) -> None:
        """Hold nothing yet."""
        self.space = space
        self._ids: Array = np.zeros(0, np.int64)  # ascending
        self._rows: Array = np.zeros((0, 0), np.int8)
        self._factors: Array = np.zeros(0, np.float32)

    @property
    def size_bytes(self) -> int:
        """The memory that the vectors take."""
        return int(self._rows.nbytes)

    def update(self, db: sqlite3.Connection, ids: Sequence[int]) -> None:
        """Read the vectors of those of these images that are not known yet and have one."""
        wanted = np.unique(np.asarray(ids, dtype=np.int64))
        new = wanted[~np.isin(wanted, self._ids, assume_unique=True)]
        known, rows, factors = [self._ids], [self._rows], [self._factors]
        for there, vectors in self.space.blocks(db, new.tolist()):
            factor = np.maximum(np.abs(vectors).max(axis=1), 1e-9) / 127
            known.append(np.array(there, np.int64))
            rows.append(np.rint(vectors / factor[:, None]).astype(np.int8))
            factors.append(factor.astype(np.float32))
        if len(known) > 1:
            first = 0 if len(self._ids) else 1
            every = np.concatenate(known)
            order = np.argsort(every, kind="stable")
            self._ids = every[order]
            self._rows = np.concatenate(rows[first:])[order]
            self._factors = np.concatenate(factors)[order]

    def order(
        self, db: sqlite3.Connection, ids: Sequence[int], examples: Sequence[int]
    ) -> list[int]:
        """Return those of `ids` that have a vector, the most alike to the examples first.

        The result is empty where none of the examples has a vector.
        """
        _, given = self.space.vectors(db, examples)
        if not len(given):
            return []
        if len(given) > _FEW:
            given = unit(given.mean(axis=0, keepdims=True))
        there, cosines = self._compared(db, ids, given)
        cosines[np.isin(there, np.asarray(examples))] = 2.0  # the examples themselves first
        return _ordered(there, cosines)

    def order_to(self, db: sqlite3.Connection, ids: Sequence[int], vector: Array) -> list[int]:
        """Return those of `ids` that have a vector, the most alike to one of length 1 first."""
        return _ordered(*self._compared(db, ids, vector[None, :].astype(np.float32)))

    def _compared(
        self, db: sqlite3.Connection, ids: Sequence[int], given: Array
    ) -> tuple[Array, Array]:
        """Return those of the images that have a vector, and their largest cosines."""
        self.update(db, ids)
        if not len(self._ids):
            return self._ids, np.zeros(0, np.float32)
        asked = np.asarray(ids, dtype=np.int64)
        at = np.searchsorted(self._ids, asked)
        at[at == len(self._ids)] = 0
        has = self._ids[at] == asked
        return asked[has], self._cosines(given)[at[has]]

    def _cosines(self, given: Array) -> Array:
        """Return the largest cosine of each held row with the examples, in slices: no row is copied
        but to be made a float.
        """
        found = np.empty(len(self._ids), np.float32)
        for start in range(0, len(found), _BLOCK):
            part = slice(start, start + _BLOCK)
            # not `@`: threads of BLAS wait for each other where other work has the processors
            products = np.einsum("ij,kj->ik", self._rows[part].astype(np.float32), given)
            found[part] = products.max(axis=1) * self._factors[part]
        return found


def _ordered(ids: Array, cosines: Array) -> list[int]:
    best: list[int] = ids[np.lexsort((ids, -cosines))].tolist()
    return best
