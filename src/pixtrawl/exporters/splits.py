"""Assign images to splits: by shares, stratified by label, without leakage. Pure.

Two rules, chosen for what each is asked to keep:

* By label (the default). Within a label the groups of near-duplicate images, in the order of their
  first image's number, take the places of seeded blocks; a block of ten holds eight, one and one
  for 0.8/0.1/0.1. So each label meets the shares to within a part of one block, and an image
  that is added later comes after the others and moves none of them: what was trained on yesterday
  is not tested on tomorrow. Plain hashing is as stable but misses small shares badly (of 50 images
  with a share of 0.1, one label in seven gets two or fewer); sorting by hash and cutting meets the
  shares but moves images with each addition.
* By host. Whole hosts are few and of very unequal size, so they are dealt largest first to the
  split that lacks most, label by label. Shares come out as near as whole hosts allow; a data set
  that has grown may deal some hosts differently.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from pixtrawl.errors import UsageError

__all__ = ["Dealer", "Shares", "Splitting", "block_place", "parse_shares"]

Shares = tuple[tuple[str, float], ...]  # (split name, share), adding up to 1

EVERYTHING: Final[Shares] = (("train", 1.0),)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}")
_MAX_BLOCK: Final = 100


class Splitting(Struct, frozen=True, kw_only=True):
    """How images are assigned to splits."""

    shares: Shares = EVERYTHING
    by: str = "label"  # label | host
    seed: int = 0


def parse_shares(text: str) -> Shares:
    """Parse `train=0.8,val=0.1,test=0.1` (or per cent: 80,10,10). Raises UsageError."""
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if not equals or not _NAME.fullmatch(name):
            raise UsageError(f"--split: {part.strip()!r} is no NAME=SHARE (example: train=0.8)")
        if name.lower() in (known.lower() for known in shares):
            raise UsageError(f"--split: {name!r} is there twice")
        try:
            shares[name] = float(number)
        except ValueError:
            raise UsageError(f"--split: {number!r} is no number") from None
        if not 0 < shares[name] < math.inf:
            raise UsageError(f"--split: the share of {name!r} must be above 0")
    total = sum(shares.values())
    if not any(math.isclose(total, whole, rel_tol=1e-3) for whole in (1, 100)):
        raise UsageError(f"--split: the shares add up to {total:g}, not to 1")
    return tuple((name, share / total) for name, share in shares.items())


def block_place(shares: Shares, seed: int, label: str, rank: int) -> int:
    """Return the index of the split for the group of this rank (from 0) within a label."""
    places = _places(tuple(share for _, share in shares))
    block, place = divmod(rank, len(places))
    return _shuffled(places, f"{seed}\0{label}\0{block}")[place]


@lru_cache(maxsize=64)
def _places(shares: tuple[float, ...]) -> tuple[int, ...]:
    """Return one block: the smallest that the shares divide evenly, at most 100 places."""
    for size in range(1, _MAX_BLOCK + 1):
        if all(math.isclose(share * size, round(share * size), abs_tol=1e-6) for share in shares):
            break
    else:
        size = _MAX_BLOCK
    counts = [math.floor(share * size + 1e-6) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda i: counts[i] - shares[i] * size)
    for index in by_remainder[: size - sum(counts)]:
        counts[index] += 1
    return tuple(index for index, count in enumerate(counts) for _ in range(count))


@lru_cache(maxsize=64)
def _shuffled(places: tuple[int, ...], key: str) -> tuple[int, ...]:
    def order(index: int) -> bytes:
        return hashlib.sha256(f"{key}\0{index}".encode(errors="surrogatepass")).digest()

    return tuple(places[index] for index in sorted(range(len(places)), key=order))


class Dealer:
    """Deals whole groups, largest first, to the split that lacks most of their labels.

    Args:
        shares: the splits and how much of each label they are to get.
        totals: images by label.
    """

    def __init__(self, shares: Shares, totals: Mapping[str, int]) -> None:
        self._shares = shares
        self._missing = [{label: share * n for label, n in totals.items()} for _, share in shares]

    def deal(self, group: Sequence[tuple[str, int]]) -> int:
        """Assign a group of (label, images); return the index of its split."""
        scores = [
            sum(count * missing[label] for label, count in group) for missing in self._missing
        ]
        best = max(range(len(scores)), key=lambda index: (scores[index], -index))
        for label, count in group:
            self._missing[best][label] -= count
        return best
