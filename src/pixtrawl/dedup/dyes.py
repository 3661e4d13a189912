"""Tell one thing in two dyes on the same light ground: navy or beige, black or grey or white.

Edits change a thing either in strength of colour (saturation, greys), and then its brightness
stays, or in tone (gamma, contrast, brightness), and then its colours keep most of their strength.
Another dye changes both, and black against white changes the brightness by more than any tone
that leaves the ground as it is. A ground with a tint, or of another grey, is left to the other
rules: sepia and white balance tint it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.dedup.shared_part import INNER_CELLS, SharedPart

__all__ = ["are_other_dyes"]

Array = np.ndarray[Any, Any]

_LIGHT: Final = 200  # of 255: a ground that tones leave nearly as it is
_SAME_GREY: Final = 4
_NEAR_GREY: Final = 3
_GROUND: Final = 0.3  # share of the pixels
_TINT: Final = 1.5  # mean Cb and Cr of a ground without a tint
_THING: Final = (6.0, 3.0)  # grey and Cb or Cr by which a cell is not ground
_LEAST_CELLS: Final = 8
_COLOURED: Final = 12.0  # mean length of Cb and Cr; greys have below 3
_FADED: Final = 0.45  # share of the strength that a tone leaves: 0.5 and more in 98 of 100
_DARKER: Final = 12.0  # median of the grey: saturation alone changes it by less
_NO_TONE: Final = 56.0  # 52 is the largest change by gamma, contrast and brightness


class _Ground(Struct, frozen=True):
    grey: int
    share: float


def are_other_dyes(part: SharedPart) -> bool:
    """Return whether one thing has changed in both brightness and strength of colour."""
    if part.ours_colours is None or part.theirs_colours is None:
        return False
    ours, theirs = _ground_of(part.ours), _ground_of(part.theirs)
    if min(ours.grey, theirs.grey) < _LIGHT or abs(ours.grey - theirs.grey) > _SAME_GREY:
        return False
    if min(ours.share, theirs.share) < _GROUND:
        return False
    greys = part.ours_cells[INNER_CELLS], part.theirs_cells[INNER_CELLS]
    colours = part.ours_colours[INNER_CELLS], part.theirs_colours[INNER_CELLS]
    apart = np.abs(greys[0] - ours.grey), np.abs(greys[1] - theirs.grey)
    ground = (apart[0] <= _NEAR_GREY) & (apart[1] <= _NEAR_GREY)
    if not ground.any() or max(float(np.abs(c[ground]).mean()) for c in colours) > _TINT:
        return False
    grey_step, colour_step = _THING
    thing = (np.maximum(*apart) > grey_step) | (
        np.maximum(*(np.abs(c).max(axis=1) for c in colours)) > colour_step
    )
    if int(thing.sum()) < _LEAST_CELLS:
        return False
    change = abs(float(np.median(greys[1][thing] - greys[0][thing])))
    weak, strong = sorted(_strength(c[thing]) for c in colours)
    is_dyed = strong >= _COLOURED and weak < _FADED * strong and change > _DARKER
    return is_dyed or change > _NO_TONE


def _ground_of(pixels: Array) -> _Ground:
    counts = np.bincount(pixels.astype(np.uint8), minlength=256)
    grey = int(counts.argmax())
    about = counts[max(grey - _NEAR_GREY, 0) : grey + _NEAR_GREY + 1]
    return _Ground(grey, float(about.sum()) / len(pixels))


def _strength(colours: Array) -> float:
    return float(np.sqrt((colours * colours).sum(axis=1).mean()))
