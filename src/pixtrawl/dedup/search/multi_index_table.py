"""Multi-index hashing: a sorted table of 256-bit hashes for rows that agree in some band.

A hash is cut into bands, and rows are sorted by each band's value; a query looks up each band's
value and those that differ from it in a few bits (Norouzi et al., "Fast search in Hamming space
with multi-index hashing", 2012).

| rows | bands | flips | exact up to (bits) | misses at 40 bits | at 48 bits |
| --- | --- | --- | --- | --- | --- |
| up to 3 million | 16 of 16 bits | 1 | 31 | 0.1 % | 2 % |
| more | 11 of 22 bits | 2 | 32 | 1 % | 5 % |

(31 flips cannot put two into each of 16 bands, nor 32 three into each of 11.) The width depends on
the number of rows, to bound the rows per value: at ten million rows 16 bits mean 41,000 comparisons
per query, 22 bits 6,700.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from msgspec import Struct

__all__ = ["MultiIndexTable"]

Array = np.ndarray[Any, Any]

_WORD: Final = 64
_SHORT: Final = 16
_AT_ONCE: Final = 256  # hashes that are looked up together: their probes fit the CPU cache


class _Plan(Struct, frozen=True):
    """How hashes are cut into bands."""

    bands: int
    width: int  # bits of a band
    masks: Array  # bits to flip; the first mask flips none
    firsts: Array  # for each probe of a hash, where its band begins among the starts

    def values_of(self, hashes: Array) -> Array:
        """Return the values of all bands of n x 4 words, as n x bands integers."""
        if self.width == _SHORT:
            return hashes.view(np.uint16).astype(np.int64)
        return np.stack([_band(hashes, band, self.width) for band in range(self.bands)], axis=1)


def _plan(bands: int, width: int, flips: int) -> _Plan:
    single = [1 << bit for bit in range(width)]
    masks = [0, *single]
    if flips == 2:
        masks += [a | b for at, a in enumerate(single) for b in single[:at]]
    firsts = np.repeat(np.arange(bands) * (2**width + 1), len(masks))
    return _Plan(bands, width, np.array(masks, dtype=np.int64), firsts)


_NARROW: Final = _plan(16, _SHORT, 1)
_WIDE: Final = _plan(11, 22, 2)
_MANY: Final = 3_000_000


class MultiIndexTable:
    """A table over the rows `first` .. `first + len(hashes)` of an index."""

    def __init__(self, first: int, hashes: Array, *, many: int = _MANY) -> None:
        """`hashes` is n x 4 words of 64 bits; it is not kept."""
        self.first = first
        self.size = len(hashes)
        self._plan = plan = _NARROW if self.size <= many else _WIDE
        kind = np.uint16 if self.size < 2**16 else np.uint32  # of row offsets
        # Starts of all values of all bands in one array: one look-up for all of them.
        self._starts = np.zeros((plan.bands, 2**plan.width + 1), dtype=kind)
        self._order = np.empty((plan.bands, self.size), dtype=kind)
        for band in range(plan.bands):
            values = _band(hashes, band, plan.width)
            self._order[band] = _sorted_rows(values)
            counts = np.bincount(values, minlength=2**plan.width)
            np.cumsum(counts, out=self._starts[band, 1:])

    @property
    def memory_bytes(self) -> int:
        return int(self._starts.nbytes + self._order.nbytes)

    def rows(self, wanted: Array) -> Array:
        """Return the rows that share a band with `wanted`, up to the flips; some repeat."""
        _, begins, amounts = self._probed(wanted[None])
        return self._expanded(begins, amounts)

    def rows_of_many(self, wanted: Array, most: int) -> Iterator[tuple[Array, Array]]:
        """Yield (which of n x 4 `wanted`, row) as two arrays, of about `most` pairs at a time."""
        for first in range(0, len(wanted), _AT_ONCE):
            which, begins, amounts = self._probed(wanted[first : first + _AT_ONCE])
            which += first
            parts = np.cumsum(amounts) // most
            for at in np.split(np.arange(len(which)), np.flatnonzero(np.diff(parts)) + 1):
                yield np.repeat(which[at], amounts[at]), self._expanded(begins[at], amounts[at])

    def _probed(self, wanted: Array) -> tuple[Array, Array, Array]:
        """Return the probes of n x 4 words that hit rows.

        Of each: which of the n it is of, where its rows begin in the order, and how many they are.
        """
        plan = self._plan
        probes = (plan.values_of(wanted)[:, :, None] ^ plan.masks).reshape(len(wanted), -1)
        probes += plan.firsts
        flat = self._starts.reshape(-1)  # `take` costs half of an index here, and a fifth for rows
        starts = flat.take(probes.ravel())
        amounts = flat.take(probes.ravel() + 1) - starts
        hit = amounts.nonzero()[0]
        band = hit // len(plan.masks) % plan.bands
        begins = starts.take(hit) + band * self.size
        return hit // len(plan.firsts), begins, amounts.take(hit).astype(np.int64)

    def _expanded(self, begins: Array, amounts: Array) -> Array:
        ends = np.cumsum(amounts)
        total = int(ends[-1]) if len(ends) else 0
        places = np.repeat(begins - ends + amounts, amounts)
        places += np.arange(total)
        found: Array = np.add(self._order.reshape(-1).take(places), self.first, dtype=np.int64)
        return found


def _band(hashes: Array, band: int, width: int) -> Array:
    """Return the values of one band of n x 4 words, as integers below 2**width."""
    if width == _SHORT:
        return np.ascontiguousarray(hashes.view(np.uint16)[:, band])
    word, shift = divmod(band * width, _WORD)
    values = hashes[:, word] >> np.uint64(shift)
    if shift + width > _WORD:
        values = values | (hashes[:, word + 1] << np.uint64(_WORD - shift))
    return (values & np.uint64(2**width - 1)).astype(np.int64)


def _sorted_rows(values: Array) -> Array:
    """Sort stably: 16-bit values by numpy's radix sort, wider ones in two such passes."""
    if values.dtype == np.uint16:
        return np.argsort(values, kind="stable").astype(np.uint32)
    low = np.argsort((values & 0xFFFF).astype(np.uint16), kind="stable")
    high = (values[low] >> 16).astype(np.uint16)
    return low[np.argsort(high, kind="stable")].astype(np.uint32)
