"""Multi-index hashing over 256-bit hashes: which known ones lie within a few bits of this one?

A hash is cut into 16 bands of 16 bits. Two hashes of at most 31 different bits agree in some band
up to one bit (16 bands with two each would make 32), so that looking up each band's value and its
16 one-bit neighbours misses nothing; at 40 bits 0.1 % are missed, at 48 two in a hundred. New
entries wait in a tail that is simply scanned, and small sets are nothing but a tail.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

__all__ = ["HashIndex"]

Array = np.ndarray[Any, Any]

_BANDS: Final = 16
_WORDS: Final = 4  # of 64 bits
_SCAN: Final = 10_000  # a plain scan of so many costs no more than the probes do: 0.17 ms
_FLIPS: Final = np.concatenate([[0], 1 << np.arange(16)]).astype(np.uint16)
_BAND_NUMBERS: Final = np.arange(_BANDS)[:, None]


class HashIndex:
    """(id, 32-byte hash) pairs; an id may have several hashes."""

    def __init__(self) -> None:
        self._hashes = np.empty((64, _WORDS), dtype=np.uint64)
        self._ids = np.empty(64, dtype=np.int64)
        self._gone = np.zeros(64, dtype=bool)
        self._count = 0
        self._tabled = 0  # the first so many are in the tables
        self._starts: Array | None = None
        self._orders: list[Array] = []

    @classmethod
    def build(cls, ids: Array, hashes: Array) -> HashIndex:
        """From `ids` (n, int64) and `hashes` (n x 32, uint8) at once; a million take 1.5 s."""
        index = cls()
        index._hashes = np.ascontiguousarray(hashes, dtype=np.uint8).view(np.uint64).copy()
        index._ids = np.array(ids, dtype=np.int64)
        index._gone = np.zeros(len(index._ids), dtype=bool)
        index._count = len(index._ids)
        if index._count > _SCAN:
            index._tabulate()
        return index

    def __len__(self) -> int:
        return self._count - int(np.count_nonzero(self._gone[: self._count]))

    def add(self, id: int, hashes: bytes | list[bytes]) -> None:
        """Add one id with its hash or hashes; the same hash twice is kept once."""
        for value in {hashes} if isinstance(hashes, bytes) else set(hashes):
            if self._count == len(self._ids):
                self._grow()
            self._hashes[self._count] = np.frombuffer(value, dtype=np.uint64)
            self._ids[self._count] = id
            self._gone[self._count] = False
            self._count += 1
        if self._count - self._tabled > max(_SCAN, self._tabled // 32):
            self._tabulate()

    def remove(self, id: int) -> None:
        """Forget all hashes of an id; unknown ones are no error."""
        self._gone[: self._count] |= self._ids[: self._count] == id

    def query(self, hash: bytes, radius: int) -> list[tuple[int, int]]:
        """(id, distance) of what lies within `radius` bits, the nearest first, each id once."""
        wanted = np.frombuffer(hash, dtype=np.uint64)
        rows = np.arange(self._tabled, self._count)
        if self._starts is not None:
            rows = np.concatenate([self._probe(wanted), rows])
        distances = np.bitwise_count(self._hashes[rows] ^ wanted).sum(axis=1, dtype=np.int64)
        near = np.flatnonzero((distances <= radius) & ~self._gone[rows])
        best: dict[int, int] = {}
        for at in near[np.argsort(distances[near], kind="stable")]:
            best.setdefault(int(self._ids[rows[at]]), int(distances[at]))
        return list(best.items())

    def _probe(self, wanted: Array) -> Array:
        """Rows that share a band with `wanted`, up to one bit."""
        assert self._starts is not None
        probes = (wanted.view(np.uint16)[:, None] ^ _FLIPS).astype(np.int64)
        first = self._starts[_BAND_NUMBERS, probes]
        counts = self._starts[_BAND_NUMBERS, probes + 1] - first
        parts = []
        for band in range(_BANDS):
            amounts = counts[band]
            total = int(amounts.sum())
            if total:
                shift = np.repeat(first[band] - np.cumsum(amounts) + amounts, amounts)
                parts.append(self._orders[band][shift + np.arange(total)])
        return np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)

    def _grow(self) -> None:
        size = max(64, 2 * len(self._ids))
        for name in ("_hashes", "_ids", "_gone"):
            old = getattr(self, name)
            new = np.zeros((size, *old.shape[1:]), dtype=old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    def _tabulate(self) -> None:
        """Sort every band; the stable sort of 16-bit numbers is a radix sort."""
        bands = self._hashes[: self._count].view(np.uint16)
        starts = np.zeros((_BANDS, 2**16 + 1), dtype=np.int64)
        self._orders = []
        for band in range(_BANDS):
            values = np.ascontiguousarray(bands[:, band])
            self._orders.append(np.argsort(values, kind="stable").astype(np.uint32))
            starts[band, 1:] = np.cumsum(np.bincount(values, minlength=2**16))
        self._starts = starts
        self._tabled = self._count
