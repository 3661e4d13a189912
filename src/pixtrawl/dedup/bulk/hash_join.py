"""Pairs of similar hashes among many: a join that looks all of them up together.

A single look-up costs 0.1-0.2 ms, nearly all of it calls of numpy; 256 at a time cost a tenth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from pixtrawl.dedup.search.hash_index import hamming, words_of
from pixtrawl.dedup.search.multi_index_table import MultiIndexTable

__all__ = ["HashJoin"]

Array = np.ndarray[Any, Any]

_PAIRS: Final = 2**20  # compared at a time: 100 MB


class HashJoin:
    """Hashes (n x 32 bytes) with the number of their image each."""

    def __init__(self, numbers: Array, hashes: Array) -> None:
        self._numbers = numbers
        self._words = words_of(hashes)
        self._table = MultiIndexTable(0, self._words)

    def pairs(self, numbers: Array, hashes: Array, radius: int) -> Iterator[tuple[Array, Array]]:
        """Yield (image asked for, image within `radius` bits) as two arrays; some pairs repeat."""
        asked = words_of(hashes)
        for which, rows in self._table.rows_of_many(asked, _PAIRS):
            close = (hamming(self._words[rows], asked[which]) <= radius).nonzero()[0]
            if close.size:
                yield numbers[which[close]], self._numbers[rows[close]]
