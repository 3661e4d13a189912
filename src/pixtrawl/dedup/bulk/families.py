"""Connected components of many pairs, found as the pairs arrive (union-find in numpy)."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Families"]

Array = np.ndarray[Any, Any]


class Families:
    """The numbers 0 .. n-1, joined to families; the lowest number of a family is its name."""

    def __init__(self, count: int) -> None:
        self._parents = np.arange(count, dtype=np.int64)

    def of(self, numbers: Array) -> Array:
        """Return the family of each number."""
        names = self._parents[numbers]
        while True:
            above = self._parents[names]
            if np.array_equal(above, names):
                break
            names = above
        self._parents[numbers] = names
        return names

    def join(self, ones: Array, others: Array) -> None:
        """Join each of `ones` with its counterpart in `others`."""
        while True:
            first, second = self.of(ones), self.of(others)
            apart = (first != second).nonzero()[0]
            if not apart.size:
                return
            ones, others = first[apart], second[apart]
            # Several may hang the same family under different ones: the lowest wins this round.
            np.minimum.at(self._parents, np.maximum(ones, others), np.minimum(ones, others))
