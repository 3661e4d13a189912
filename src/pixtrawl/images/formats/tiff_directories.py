"""Walk the directories of a TIFF or BigTIFF, to count what its decoding would cost.

TIFF 6.0, section 2. Whatever is wrong is left to the decoder; this only counts.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from pixtrawl.images.formats.cost_limits import CostLimits, Fault

__all__ = ["check"]

_MOST_TAGS: Final = 1000  # of one directory; the fullest of real files have some 100
_NUMBERS_PER_BLOCK: Final = 4  # offsets, sizes and the like of one strip
_PLAIN: Final = frozenset({1, 2, 6, 7})  # bytes and text, which are copied as a whole
_WIDTH, _HEIGHT = 256, 257
_PIECES: Final = frozenset({273, 324})  # offsets of strips, of tiles


class _Layout(NamedTuple):
    """Sizes and forms of numbers, which BigTIFF doubles."""

    following: struct.Struct  # offset of the next directory
    number: struct.Struct
    entry: struct.Struct  # tag, type, count; the value follows
    value_bytes: int


def check(data: bytes, limits: CostLimits) -> Fault | None:
    """Return the fault of a TIFF that asks for too much work, else None."""
    order = "<" if data[:2] == b"II" else ">"
    layout, at = _layout(order, data)
    frames = pixels = 0
    seen: set[int] = set()
    while at and at not in seen and at + layout.number.size <= len(data):
        seen.add(at)
        (tags,) = layout.number.unpack_from(data, at)
        if tags > _MOST_TAGS:
            return limits.too_many("tags in a directory", _MOST_TAGS)
        width, height, pieces, numbers = _directory(data, at, tags, layout, order)
        if pieces > limits.blocks:
            return limits.too_many("strips or tiles")
        if numbers > _NUMBERS_PER_BLOCK * limits.blocks:
            return limits.too_many("numbers in tags", _NUMBERS_PER_BLOCK * limits.blocks)
        frames += 1
        pixels += width * height
        if fault := limits.of_frames(frames, pixels // frames):
            return fault
        after = at + layout.number.size + tags * (layout.entry.size + layout.value_bytes)
        if after + layout.following.size > len(data):
            return None
        (at,) = layout.following.unpack_from(data, after)
    return None


def _layout(order: str, data: bytes) -> tuple[_Layout, int]:
    """Return the form of the directories, and the offset of the first; 0: there is none."""
    big = data[2:4] in (b"+\0", b"\0+")
    forms = ("Q", "Q", "HHQ") if big else ("I", "H", "HHI")
    first, count, entry = (struct.Struct(order + form) for form in forms)
    start = 8 if big else 4
    layout = _Layout(first, count, entry, 8 if big else 4)
    if len(data) < start + first.size:
        return layout, 0
    return layout, first.unpack_from(data, start)[0]


def _directory(
    data: bytes, at: int, tags: int, layout: _Layout, order: str
) -> tuple[int, int, int, int]:
    """Return width, height, strips or tiles, and numbers of all tags of one directory."""
    width = height = pieces = numbers = 0
    step = layout.entry.size + layout.value_bytes
    start = at + layout.number.size
    for entry in range(start, min(start + tags * step, len(data) - step + 1), step):
        tag, kind, count = layout.entry.unpack_from(data, entry)
        if tag in (_WIDTH, _HEIGHT):
            form = "H" if kind == 3 else "I"
            (side,) = struct.unpack_from(order + form, data, entry + layout.entry.size)
            width, height = (side, height) if tag == _WIDTH else (width, side)
        elif kind not in _PLAIN:
            numbers += count
            pieces = max(pieces, count) if tag in _PIECES else pieces
    return width, height, pieces, numbers
