"""Walk the blocks of a GIF (GIF89a, appendix B): is it whole, and what would its frames cost?"""

from __future__ import annotations

import re
from typing import Final

from pixtrawl.images.formats.cost_limits import CostLimits, Fault
from pixtrawl.model import Reason

__all__ = ["check"]

_BLOCK: Final = re.compile(rb"[!,;]")
_CUT: Final = Reason.TRUNCATED, "GIF without its trailer"


def check(data: bytes, limits: CostLimits) -> Fault | None:
    """Return None for a GIF with its trailer and within its limits, else the fault.

    Decoders skip stray bytes between blocks, and draw each frame on the whole screen, which a
    frame outside of it enlarges; so does this.
    """
    if len(data) < 13:
        return _CUT
    most = left = limits.blocks_in(len(data))
    screen = [_number(data, 6), _number(data, 8)]
    at, frames = 13 + _table_bytes(data[10]), 0
    while left > 0:
        found = _BLOCK.search(data, at)
        if found is None:
            return _CUT
        left -= found.start() - at
        at = found.start()
        if data[at] == 0x3B:
            return None
        if data[at] == 0x21:
            at += 2
        else:
            if at + 10 > len(data):
                return _CUT
            frames += 1
            for side in (0, 1):
                far = _number(data, at + 1 + 2 * side) + _number(data, at + 5 + 2 * side)
                screen[side] = max(screen[side], far)
            if fault := limits.of_frames(frames, screen[0] * screen[1]):
                return fault
            at += 11 + _table_bytes(data[at + 9])
        at, left = _after_sub_blocks(data, at, left - 1)
    return limits.too_many("blocks", most)


def _number(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_sub_blocks(data: bytes, at: int, left: int) -> tuple[int, int]:
    """Return the offset behind a list of sub-blocks, and how many more blocks may be walked."""
    end = len(data)
    for used in range(left):
        if at >= end or not data[at]:
            return at + 1, left - used
        at += 1 + data[at]
    return at, 0
