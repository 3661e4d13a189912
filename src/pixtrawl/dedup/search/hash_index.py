"""Index of 256-bit hashes for search by Hamming distance.

Rows are append-only, as in a log-structured merge tree. The newest form a tail that is scanned; a
long tail becomes a sorted table (`multi_index_table`), and tables of similar size are merged, so
that there are few of them and each row is sorted about a dozen times on the way to a million.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from pixtrawl.dedup.search.multi_index_table import MultiIndexTable

__all__ = ["HashIndex", "hamming", "words_of"]

Array = np.ndarray[Any, Any]

_WORDS: Final = 4  # of 64 bits
_TAIL: Final = 4_096  # rows that a scan covers in the time of a table's probes (about 50 us)
_AT_ONCE: Final = 2**18  # rows that are compared together
_SPREAD_AT_ONCE: Final = 4_096  # hashes whose bits are spread together: a megabyte
# Bits of one row of DCT terms depend on each other, and as a band they would have few values: each
# band takes one bit of every row and column instead. On smooth pictures a look-up compares a sixth
# of the rows; distances stay what they are.
_DIAGONAL: Final = (np.arange(16)[:, None] + np.arange(16)) % 16
_SPREAD: Final = (16 * np.arange(16) + _DIAGONAL).ravel()
_RATIO: Final = 4  # merge with the table before it when that is at most so many times larger


class HashIndex:
    """(id, 32-byte hash) pairs; an id may have several hashes."""

    def __init__(self) -> None:
        self._hashes = np.empty((64, _WORDS), dtype=np.uint64)
        self._ids = np.empty(64, dtype=np.int64)
        self._count = 0
        self._tables: list[MultiIndexTable] = []
        # id -> its rows before this row number are removed; rows of a re-added id come after it.
        self._removed: dict[int, int] = {}

    @classmethod
    def build(cls, ids: Array, hashes: Array) -> HashIndex:
        """Build from `ids` (n, int64) and `hashes` (n x 32, uint8); a million take a second."""
        index = cls()
        index.extend(ids, hashes)
        return index

    def __len__(self) -> int:
        """Return the number of hashes; takes linear time once any were removed."""
        gone = np.isin(self._ids[: self._count], list(self._removed))
        return self._count - sum(self._is_gone(int(row)) for row in np.flatnonzero(gone))

    @property
    def memory_bytes(self) -> int:
        """Approximate memory use."""
        return int(
            self._hashes.nbytes + self._ids.nbytes + sum(t.memory_bytes for t in self._tables)
        )

    def add(self, id: int, hashes: bytes | list[bytes]) -> None:
        """Add one id with its hash or hashes; the same hash twice is kept once."""
        for value in {hashes} if isinstance(hashes, bytes) else set(hashes):
            self._reserve(self._count + 1)
            self._hashes[self._count] = _spread(np.frombuffer(value, dtype=np.uint8))
            self._ids[self._count] = id
            self._count += 1
        self._index_tail()

    def extend(self, ids: Array | list[int], hashes: Array | list[bytes]) -> None:
        """Add many: n ids and one hash of each, n x 32 bytes in an array or n pieces of 32."""
        if isinstance(hashes, list):
            hashes = np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(-1, 8 * _WORDS)
        rows = slice(self._count, self._count + len(ids))
        self._reserve(rows.stop)
        self._hashes[rows] = words_of(hashes)
        self._ids[rows] = ids
        self._count = rows.stop
        self._index_tail()

    def remove(self, id: int) -> None:
        """Remove all hashes of an id; an unknown id is ignored."""
        self._removed[id] = self._count

    def query(self, hash: bytes, radius: int) -> list[tuple[int, int]]:
        """Return (id, distance) within `radius` bits, the nearest first, each id once."""
        wanted = _spread(np.frombuffer(hash, dtype=np.uint8))
        tail = self._tabled()
        near: list[tuple[int, int]] = []
        for table in self._tables:
            rows = table.rows(wanted)
            distances = hamming(self._hashes.take(rows, axis=0), wanted)
            close = np.flatnonzero(distances <= radius)
            near += zip(distances[close].tolist(), rows[close].tolist(), strict=True)
        distances = hamming(self._hashes[tail : self._count], wanted)
        close = np.flatnonzero(distances <= radius)
        near += zip(distances[close].tolist(), (close + tail).tolist(), strict=True)
        best: dict[int, int] = {}
        for distance, row in sorted(near):
            if not self._is_gone(row):
                best.setdefault(int(self._ids[row]), distance)
        return list(best.items())

    def nearest_of(
        self, hashes: Array, radius: int, wanted_id: Callable[[int], bool] = lambda id: True
    ) -> tuple[int, int, int] | None:
        """Return (which of n x 32 bytes, id, distance) of the nearest hash within `radius` bits."""
        wanted = _spread(hashes)
        tail = self._tabled()
        hits: list[tuple[int, int, int]] = []  # distance, row, which
        for which, hash in enumerate(wanted):
            distances = hamming(self._hashes[tail : self._count], hash)
            close = (distances <= radius).nonzero()[0].tolist()
            hits += [(int(distances[at]), tail + at, which) for at in close]
        for table in self._tables:
            for asked, rows in table.rows_of_many(wanted, _AT_ONCE):
                distances = hamming(self._hashes.take(rows, axis=0), wanted.take(asked, axis=0))
                close = (distances <= radius).nonzero()[0].tolist()
                hits += [(int(distances[at]), int(rows[at]), int(asked[at])) for at in close]
        for distance, row, which in sorted(hits):
            id = int(self._ids[row])
            if not self._is_gone(row) and wanted_id(id):
                return which, id, distance
        return None

    def _is_gone(self, row: int) -> bool:
        return row < self._removed.get(int(self._ids[row]), 0)

    def _tabled(self) -> int:
        """Return the number of rows in tables; those after them form the tail."""
        return self._tables[-1].first + self._tables[-1].size if self._tables else 0

    def _index_tail(self) -> None:
        """Make a table of a long tail, merged with the tables before it of similar size."""
        first = self._tabled()
        if self._count - first <= _TAIL:
            return
        while self._tables and self._tables[-1].size <= _RATIO * (self._count - first):
            first = self._tables.pop().first
        self._tables.append(MultiIndexTable(first, self._hashes[first : self._count]))

    def _reserve(self, count: int) -> None:
        size = len(self._ids)
        if count <= size:
            return
        more = max(count, size + size // 2) - size
        for name in ("_hashes", "_ids"):
            old = getattr(self, name)
            new = np.empty((size + more, *old.shape[1:]), old.dtype)
            new[:size] = old  # what is not written yet takes no memory
            setattr(self, name, new)


def words_of(hashes: Array) -> Array:
    """Return n x 32 bytes as n x 4 words of 64 bits, their bits spread over the bands."""
    words = np.empty((len(hashes), _WORDS), dtype=np.uint64)
    for at in range(0, len(hashes), _SPREAD_AT_ONCE):
        words[at : at + _SPREAD_AT_ONCE] = _spread(hashes[at : at + _SPREAD_AT_ONCE])
    return words


def _spread(hashes: Array) -> Array:
    """Return what `words_of` does, of one hash or of few."""
    spread = np.take(np.unpackbits(hashes, axis=-1), _SPREAD, axis=-1)
    return np.packbits(spread, axis=-1).view(np.uint64)


def hamming(hashes: Array, wanted: Array) -> Array:
    """Return the distances 0..256 of n x 4 words from 4 words or n x 4.

    Word by word: that takes a quarter of the time of sum(axis=1).
    """
    total = np.bitwise_count(hashes[:, 0] ^ wanted[..., 0]).astype(np.uint16)
    for word in range(1, _WORDS):
        total += np.bitwise_count(hashes[:, word] ^ wanted[..., word])
    return total
