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
    """The vectors of one space; not thread-safe.

    They lie in blocks in the order in which they were read: none is copied when others come.
    """

    def __init__(self, space: Space) -> None:
        """Hold nothing yet."""
        self.space = space
        self._ids: Array = np.zeros(0, np.int64)  # ascending
        self._places: Array = np.zeros(0, np.int64)  # of the row of each id, over all blocks
        self._blocks: list[tuple[Array, Array]] = []  # rows, and the factor of each
        self._tried: Array = np.zeros(0, np.int64)  # ascending; those without a vector, too

    @property
    def size_bytes(self) -> int:
        """The memory that the vectors take."""
        return sum(int(rows.nbytes) for rows, _ in self._blocks)

    def missing(self, ids: Sequence[int]) -> Array:
        """Return those of these images that were not read yet, in ascending order."""
        return absent(self._tried, ids)

    def update(self, db: sqlite3.Connection, ids: Sequence[int]) -> None:
        """Read the vectors of those of these images that are not known yet and have one."""
        new = self.missing(ids)
        if not len(new):
            return
        known = [self._ids]
        for there, vectors in self.space.blocks(db, new.tolist()):
            factor = np.maximum(np.abs(vectors).max(axis=1), 1e-9) / 127
            known.append(np.array(there, np.int64))
            rows = np.rint(vectors / factor[:, None]).astype(np.int8)
            self._blocks.append((rows, factor.astype(np.float32)))
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
        parts = []
        for rows, factors in self._blocks:
            # not `@`: threads of BLAS wait for each other where other work has the processors
            products = np.einsum("ij,kj->ik", rows.astype(np.float32), given)
            parts.append(products.max(axis=1) * factors)
        return np.concatenate(parts)


def _ordered(ids: Array, cosines: Array) -> list[int]:
    """Return the ids by falling cosine; equal ones in the order given."""
    best: list[int] = ids[np.argsort(-cosines, kind="stable")].tolist()
    return best
