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
_AT_ONCE: Final = 256  # hashes that are looked up together: their probes fit the CPU cache


class _Plan(Struct, frozen=True):
    """How hashes are cut into bands."""

    bands: int
    width: int  # bits of a band
    masks: Array  # bits to flip; the first mask flips none


def _plan(bands: int, width: int, flips: int) -> _Plan:
    single = [1 << bit for bit in range(width)]
    masks = [0, *single]
    if flips == 2:
        masks += [a | b for at, a in enumerate(single) for b in single[:at]]
    return _Plan(bands, width, np.array(masks, dtype=np.int64))


_NARROW: Final = _plan(16, 16, 1)
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
        begins, amounts = self._probed(wanted[None])
        hit = amounts.nonzero()[0]
        return self._expanded(begins[hit], amounts[hit])

    def rows_of_many(self, wanted: Array, most: int) -> Iterator[tuple[Array, Array]]:
        """Yield (which of n x 4 `wanted`, row) as two arrays, of about `most` pairs at a time."""
        for first in range(0, len(wanted), _AT_ONCE):
            begins, amounts = self._probed(wanted[first : first + _AT_ONCE])
            hit = amounts.nonzero()[0]
            begins, amounts, which = begins[hit], amounts[hit], first + hit // self._probes
            parts = np.cumsum(amounts) // most
            for at in np.split(np.arange(len(hit)), np.flatnonzero(np.diff(parts)) + 1):
                yield np.repeat(which[at], amounts[at]), self._expanded(begins[at], amounts[at])

    @property
    def _probes(self) -> int:
        """Probes of one hash."""
        return self._plan.bands * len(self._plan.masks)

    def _probed(self, wanted: Array) -> tuple[Array, Array]:
        """Return where the probes of n x 4 words begin in the order, and their numbers of rows."""
        plan = self._plan
        bands = [_band(wanted, band, plan.width) for band in range(plan.bands)]
        probes = np.stack(bands, axis=1)[:, :, None].astype(np.int64) ^ plan.masks
        probes += (np.arange(plan.bands) * (2**plan.width + 1))[:, None]
        flat = self._starts.reshape(-1)
        starts = flat[probes]
        amounts = (flat[probes + 1] - starts).astype(np.int64)
        begins = starts.astype(np.int64) + (np.arange(plan.bands) * self.size)[:, None]
        return begins.ravel(), amounts.ravel()

    def _expanded(self, begins: Array, amounts: Array) -> Array:
        ends = np.cumsum(amounts)
        total = int(ends[-1]) if len(ends) else 0
        places = np.repeat(begins - ends + amounts, amounts) + np.arange(total)
        found: Array = self._order.reshape(-1)[places].astype(np.int64) + self.first
        return found


def _band(hashes: Array, band: int, width: int) -> Array:
    """Return the values of one band of n x 4 words, as integers below 2**width."""
    if width == 16:
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
