"""Walk the boxes of an AVIF (ISO/IEC 14496-12): is it whole, and what would it cost?"""

from __future__ import annotations

from typing import Final

from pixtrawl.images.formats.cost_limits import CostLimits, Fault
from pixtrawl.model import Reason

__all__ = ["check"]

_MOST_ITEMS: Final = 4096  # libavif compares each item with all: a picture of 8x8 tiles has 70
# Boxes that list items, and the least bytes of an entry in each.
_LISTS: Final = {b"iinf": 12, b"iloc": 6, b"ipma": 3, b"iref": 12, b"grpl": 12}
_FULL_BOX_BYTES: Final = 4


def check(data: bytes, limits: CostLimits) -> Fault | None:
    """Return None for a whole AVIF within its limits, else the fault. One box must have data."""
    at = boxes = 0
    kinds: set[bytes] = set()
    while at + 8 <= len(data):
        size, kind = _box(data, at, len(data))
        if not kind.isalnum() and kinds >= {b"meta", b"mdat"}:
            return None  # other data appended after a complete picture
        kinds.add(kind)
        if size < 8:
            return Reason.CORRUPT, f"box {_word(kind)} of {size} bytes"
        if at + size > len(data):
            return Reason.TRUNCATED, f"box {_word(kind)} is cut"
        boxes += 1
        if boxes > limits.blocks:
            return limits.too_many("boxes")
        if kind == b"meta" and (fault := _items(data, at + 8 + _FULL_BOX_BYTES, at + size, limits)):
            return fault
        if kind == b"moov" and (fault := _samples(data, at, at + size, limits)):
            return fault
        at += size
    if not kinds & {b"mdat", b"idat", b"meta"}:
        return Reason.TRUNCATED, "no box with a picture"
    return None


def _box(data: bytes, at: int, end: int) -> tuple[int, bytes]:
    """Return size in bytes and kind of the box at this offset."""
    size = int.from_bytes(data[at : at + 4], "big")
    if size == 1:
        size = int.from_bytes(data[at + 8 : at + 16], "big")
    return size or end - at, data[at + 4 : at + 8]


def _items(data: bytes, at: int, end: int, limits: CostLimits) -> Fault | None:
    """Return the fault of a `meta` box with too many boxes or items."""
    for _ in range(limits.blocks):
        if at + 8 > end:
            return None
        size, kind = _box(data, at, end)
        if size < 8:
            return None
        if size > _MOST_ITEMS * _LISTS.get(kind, size) + 64 and _entries(data, at, kind, size):
            return limits.too_many(f"entries in {_word(kind)}", _MOST_ITEMS)
        at += size
    return limits.too_many("boxes")


def _entries(data: bytes, at: int, kind: bytes, size: int) -> bool:
    """Return whether a large box that lists items states too many; long entries make it large."""
    if kind not in (b"iinf", b"iloc", b"ipma"):
        return True  # no number is stated
    version = data[at + 8]
    start = at + 12 + (2 if kind == b"iloc" else 0)
    wide = kind == b"ipma" or version >= (2 if kind == b"iloc" else 1)
    return int.from_bytes(data[start : start + (4 if wide else 2)], "big") > _MOST_ITEMS


def _samples(data: bytes, at: int, end: int, limits: CostLimits) -> Fault | None:
    """Return the fault of a `moov` box whose tracks have too many frames.

    The boxes in it are searched for by name: a name that is found by chance has no such number.
    """
    for _ in range(limits.blocks):
        at = data.find(b"stsz", at, end)
        if at < 0:
            return None
        count = int.from_bytes(data[at + 12 : at + 16], "big")
        if fault := limits.of_frames(count, 1):
            return fault
        at += 4
    return limits.too_many("boxes")


def _word(kind: bytes) -> str:
    return kind.decode("ascii", "backslashreplace")
