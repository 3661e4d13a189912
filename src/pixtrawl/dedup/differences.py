"""Tell another picture from a copy where grey hashes cannot: another colour, other data in a chart.

Asked for pairs that match already, by hash or after alignment, so its cost falls on copies alone.
"""

from __future__ import annotations

from typing import Final

from pixtrawl.dedup.aligned import Overlay, lay_over, pixels_of
from pixtrawl.dedup.colours import are_other_colours
from pixtrawl.dedup.dyes import are_other_dyes
from pixtrawl.dedup.graphics import are_other_data, has_plain_ground
from pixtrawl.dedup.shared_part import Appearance, shared_part

__all__ = ["Appearance", "differ"]

_LAID_OVER: Final = 60  # bits, up to which an overlay is exact


def differ(ours: Appearance, theirs: Appearance, overlay: Overlay | None = None) -> bool:
    """Return whether two matched pictures show another colour, or other data.

    `overlay` tells how the first lies over the second; without it, as a whole. Where thumbnails are
    missing they count as copies; where colours are, the greys alone decide.
    """
    part = shared_part(ours, theirs, overlay)
    if part is None:
        return False
    plain = has_plain_ground(part)
    if are_other_colours(part, plain_ground=plain) or (plain and are_other_dyes(part)):
        return True
    if not plain or not are_other_data(part):
        return False
    # A crop of a fiftieth still matches by hash, and would differ at every edge.
    return overlay is not None or not _agree_aligned(ours, theirs)


def _agree_aligned(ours: Appearance, theirs: Appearance) -> bool:
    overlay = lay_over(pixels_of(ours.thumb), pixels_of(theirs.thumb), 0, True)
    if overlay.place is None or overlay.distance > _LAID_OVER:
        return False
    part = shared_part(ours, theirs, overlay)
    return part is not None and not are_other_data(part)
