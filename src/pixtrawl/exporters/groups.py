"""Which images must not be on two sides of a split: the same bytes, or nearly the same picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from pixtrawl.dedup import HashIndex
from pixtrawl.model import Sample

__all__ = ["GroupOf", "NearDuplicateGroups"]

GroupOf = Callable[[Sample], Iterable[str]]
"""Keys of a sample; samples that share a key, directly or by way of others, are one group."""

_RADIUS_BITS: Final = 40  # of 256, the distance of `--dedup near`


class NearDuplicateGroups:
    """Groups by perceptual hash, of the picture and of the picture without its border.

    To be called once for each sample; it remembers their hashes (about 100 bytes an image). A data
    set that was collected with `--dedup near` has hardly any such groups, one collected with
    `exact` or `off` has many. A flat picture's hash means nothing, so that only its bytes count.
    """

    def __init__(self) -> None:
        self._index = HashIndex()
        self._count = 0

    def __call__(self, sample: Sample) -> list[str]:
        """The sample's own keys, and those of earlier samples that look like it."""
        info = sample.info
        number = self._count
        self._count += 1
        keys = [f"look {number}"]
        if info.sha256:
            keys.append(f"bytes {info.sha256}")
        hashes = [] if info.flat else [value for value in (info.phash, info.phash_trim) if value]
        for value in set(hashes):
            keys += [f"look {other}" for other, _ in self._index.query(value, _RADIUS_BITS)]
        if hashes:
            self._index.add(number, hashes)
        return keys
