"""Pairs of which one picture is a crop of the other, among many: the second look, in bulk.

Each picture asks for its windows, so that a pair is found from the side of the larger one. Of the
cells of an inverted file, those near to any window are compared, cell by cell: the queries of a
block that probe one cell make one matrix product. A second pass asks for windows of the mirror
image, further ones for those of the other orientations, of pictures that resemble something so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from pixtrawl.dedup.bulk.families import Families
from pixtrawl.dedup.overlay.aligned import lay_over
from pixtrawl.dedup.overlay.crop_windows import cut_windows
from pixtrawl.dedup.overlay.turned import WAYS, turned
from pixtrawl.dedup.search.descriptor_index import LEAST, window_descriptors
from pixtrawl.dedup.search.inverted_file import InvertedFile
from pixtrawl.dedup.search.overlay_search import FITS, WORTH_REFINING

__all__ = ["join_crops"]

Array = np.ndarray[Any, Any]

_BLOCK: Final = 1_024  # queries at a time: 40 MB of windows
_CANDIDATES: Final = 8
_PROBED_CELLS: Final = 16
_LAID_OVER: Final = 3  # candidates of one picture, best first
_COMMON: Final = 2  # ways of `turned`: as it is, and mirrored


def join_crops(
    coarse: Array,
    numbers: Array,
    families: Families,
    pixels: Callable[[int], Array],
    limits: tuple[int, int],
) -> None:
    """Join in `families` what is a crop of another, also where that is mirrored or turned.

    Args:
        coarse: n x 16 x 16 grey, uint8.
        numbers: of these n pictures in `families`.
        families: pairs in one family already are not compared again.
        pixels: returns the 64 x 64 pixels of a number.
        limits: bits, as of `find_overlay`.
    """
    if len(coarse) < 2:
        return
    search = _Search(coarse)
    for way in range(len(WAYS)):
        for first in range(0, len(coarse), _BLOCK):
            for one, other, window in search.places(first, way, numbers, families):
                pair = numbers[[one, other]]
                if np.ptp(families.of(pair)) == 0:
                    continue
                large, small = pixels(int(pair[0])), pixels(int(pair[1]))
                found = lay_over(turned(large, way), small, window, True)
                if found.distance <= limits[found.misfit <= FITS]:
                    families.join(pair[:1], pair[1:])


class _Search:
    """Finds which pictures are likely windows of others."""

    def __init__(self, coarse: Array) -> None:
        self._coarse = coarse
        blocks = (self._block(at) for at in range(0, len(coarse), _BLOCK))
        descriptors = np.concatenate([window_descriptors(block)[:, 0] for block in blocks])
        self._cells = InvertedFile(descriptors)
        self._descriptors = np.ascontiguousarray(descriptors[self._cells.order])

    def _block(self, first: int) -> Array:
        return self._coarse[first : first + _BLOCK].astype(np.float32)

    def places(
        self, first: int, way: int, numbers: Array, families: Families
    ) -> Iterator[tuple[int, int, int]]:
        """Yield (large, small, window) to lay over, the best of each large one first.

        Those of one block of large ones, which begins at `first` and is turned by `way`.
        """
        block = turned(self._block(first), way)
        asked, own = window_descriptors(block), first + np.arange(len(block))
        if way >= _COMMON:
            some = np.unique(self._candidates(asked[:, :1])[0])
            if not some.size:
                return
            block, asked, own = block[some], asked[some], own[some]
        which, rows, likeness = self._candidates(asked)
        apart = families.of(numbers[own[which]]) != families.of(numbers[rows])
        which, rows = _first_of_each(which[apart], rows[apart], likeness[apart], _CANDIDATES)
        if not which.size:
            return
        queries, back = np.unique(which, return_inverse=True)
        wholes = cut_windows(self._coarse[rows].astype(np.float32), wholes_only=True)[:, 0]
        slots = np.zeros((len(queries), _CANDIDATES, wholes.shape[1]), dtype=np.float32)
        slot = np.arange(len(which)) - np.searchsorted(which, which)
        slots[back, slot] = wholes
        scores = (slots @ cut_windows(block[queries]).swapaxes(1, 2))[back, slot]
        window, score = scores.argmax(axis=1), scores.max(axis=1)
        likely = (score >= WORTH_REFINING).nonzero()[0]
        _, order = _first_of_each(which[likely], likely, score[likely], _LAID_OVER)
        for at in order.tolist():
            yield int(own[which[at]]), int(rows[at]), int(window[at])

    def _candidates(self, asked: Array) -> tuple[Array, Array, Array]:
        """Return (which of the queries, row, cosine) of all rows above the limit."""
        found: list[tuple[Array, Array, Array]] = []
        for (begin, end), queries in self._cells.probes(asked, _PROBED_CELLS):
            part = asked[queries].reshape(-1, asked.shape[-1])
            likeness = part @ self._descriptors[begin:end].T
            best = likeness.reshape(len(queries), -1, end - begin).max(axis=1)
            at, row = (best >= LEAST).nonzero()
            found.append((queries[at], self._cells.order[begin + row], best[at, row]))
        which, rows, likeness = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return which, rows, likeness


def _first_of_each(which: Array, rows: Array, score: Array, count: int) -> tuple[Array, Array]:
    """Return the `count` best rows of each query, best first."""
    order = np.lexsort((-score, which))
    which, rows = which[order], rows[order]
    kept = np.arange(len(which)) - np.searchsorted(which, which) < count
    return which[kept], rows[kept]
