"""Tell another picture from a copy where grey hashes cannot: another colour.

Asked for pairs that match already, by hash or after alignment, so its cost falls on copies alone.
"""

from __future__ import annotations

from pixtrawl.dedup.aligned import Overlay
from pixtrawl.dedup.colours import are_other_colours
from pixtrawl.dedup.shared_part import Appearance, shared_part

__all__ = ["Appearance", "differ"]


def differ(ours: Appearance, theirs: Appearance, overlay: Overlay | None = None) -> bool:
    """Return whether two matched pictures show another colour.

    `overlay` tells how the first lies over the second; without it, as a whole. Where thumbnails are
    missing they count as copies; where colours are, the greys alone decide.
    """
    part = shared_part(ours, theirs, overlay)
    return part is not None and are_other_colours(part)
