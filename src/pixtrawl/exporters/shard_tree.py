"""Cut images into shards that stay the same when a few images come or go. Pure.

Shards filled one after the other all change when an image is added at the front. Here an image's
shard follows from the first bits of its key alone: a shard that is too large is halved by one more
bit, as in extendible hashing. So an image that comes or goes changes its own shard, or halves or
joins that one. `train-00005-of-00008` holds the keys that begin with 101.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate, groupby
from typing import Final

from msgspec import Struct

__all__ = ["HubShard", "Leaf", "cut", "limit_bytes"]

_KEY_BITS: Final = 32  # of a key that are looked at
_SHARDS: Final = 32  # aimed at: a change then moves about a thirtieth of a small data set
_LEAST_BYTES: Final = 256 * 2**10
_MOST_BYTES: Final = 256 * 2**20


class Leaf(Struct, frozen=True):
    """An image as far as the cut goes: leaves come by split, then by key."""

    split: str
    key: bytes
    size_bytes: int


class HubShard(Struct, frozen=True, kw_only=True):
    """Positions `start` to `end` (excluded) of the images, number `index` of `2 ** depth`."""

    split: str
    index: int
    depth: int
    start: int
    end: int

    @property
    def name(self) -> str:
        """`train-00000-of-00001`, without an ending."""
        return f"{self.split}-{self.index:05d}-of-{2**self.depth:05d}"


def limit_bytes(total_bytes: int) -> int:
    """Return the size of shards for a data set: a power of two, so that it seldom changes."""
    aimed = max(total_bytes // _SHARDS, 1)
    return min(max(1 << (aimed.bit_length() - 1), _LEAST_BYTES), _MOST_BYTES)


def cut(leaves: Iterable[Leaf], max_bytes: int, max_images: int) -> list[HubShard]:
    """Return the shards in the order of their images, none of them empty.

    Args:
        leaves: all images, by split, then by key; the keys spread evenly.
        max_bytes: of the images of a shard; one image may be larger.
        max_images: the most images of a shard.
    """
    found: list[HubShard] = []
    start = 0
    for split, group in groupby(leaves, key=lambda leaf: leaf.split):
        keys, sizes = array("Q"), array("Q", (0,))
        for leaf in group:
            keys.append(int.from_bytes(leaf.key[:4].ljust(4, b"\0")))
            sizes.append(leaf.size_bytes)
        sums = array("Q", accumulate(sizes))
        found += _halved(split, keys, sums, start, (max_bytes, max_images))
        start += len(keys)
    return found


def _halved(
    split: str, keys: array[int], sums: array[int], offset: int, limits: tuple[int, int]
) -> Iterator[HubShard]:
    max_bytes, max_images = limits
    waiting = [(0, 0, 0, len(keys))]
    while waiting:
        index, depth, low, high = waiting.pop()
        if low == high:
            continue
        fits = sums[high] - sums[low] <= max_bytes and high - low <= max_images
        if fits or high - low == 1 or depth == _KEY_BITS:
            yield HubShard(
                split=split, index=index, depth=depth, start=offset + low, end=offset + high
            )
            continue
        border = (2 * index + 1) << (_KEY_BITS - depth - 1)
        middle = bisect_left(keys, border, low, high)
        waiting.append((2 * index + 1, depth + 1, middle, high))
        waiting.append((2 * index, depth + 1, low, middle))
