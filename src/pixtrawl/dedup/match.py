"""The answer of a look-up by appearance, and the keys under which what is inside frames is kept."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

__all__ = ["FRAMED", "Match", "order_of", "seen"]

FRAMED: Final = -2  # minus the id: key of what lies inside an image's frame, below any id


class Match(Struct, frozen=True):
    """A kept image that looks like the new one."""

    id: int
    distance: int  # bits of 256; for flat pictures the largest grey difference
    stage: str  # hash | aligned | view | flat; followed by `, mirrored` or `, turned`
    label: str


def seen(key: int, distance: int, label: str) -> Match:
    """Return the match of a descriptor key; keys up to `FRAMED` stand for the inside of a frame."""
    framed = key <= FRAMED
    return Match(FRAMED - key if framed else key, distance, "view" if framed else "aligned", label)


def order_of(match: Match, label: str) -> tuple[bool, int, int]:
    """Return the sort key of matches: those of the own label first, then the nearest."""
    return match.label != label, match.distance, match.id
