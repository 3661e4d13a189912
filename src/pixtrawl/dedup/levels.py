"""The levels of `--dedup` and their limits; recall and errors: docs/near-duplicates.md."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

__all__ = ["LIMITS", "Level", "LookLimits"]


class Level(StrEnum):
    """The values of `--dedup`."""

    STRICT = "strict"
    NEAR = "near"
    WIDE = "wide"
    EXACT = "exact"
    OFF = "off"

    @property
    def compares_looks(self) -> bool:
        """Whether copies are found by their looks, not only by their bytes."""
        return self in LIMITS


class LookLimits(Struct, frozen=True):
    """Largest distances, in bits of 256; recall and errors: docs/near-duplicates.md."""

    within_label: int
    across_labels: int
    aligned: int  # after alignment; 0: no second look
    fitting: int = 0  # after alignment, where every block fits (see `Overlay.misfit`)
    view: int = 0  # of what is inside a frame, or a middle square; 0: no third look
    deep: int = 0  # of deep crops and padded copies, where every block fits; 0: not looked for
    marked: int = 88  # of those that bear marks: distinct pictures of which half agrees have 100
    inside: bool = False  # whether what is inside a frame is laid over others, too
    other_colours_differ: bool = True  # and other data in charts; see `variants.verdict`


LIMITS: Final[Mapping[Level, LookLimits]] = {
    Level.STRICT: LookLimits(31, 31, 0),  # no false match on natural pictures
    Level.NEAR: LookLimits(40, 40, 24, 44, deep=44, inside=True),
    # Matches memes of one template, and shirts on one floor: so never across labels.
    Level.WIDE: LookLimits(48, 40, 30, 48, 31, 44, inside=True, other_colours_differ=False),
}
