"""Tell a recoloured part of a picture from a box laid over it: a dye leaves outlines in place."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.aligned import SIDE
from pixtrawl.dedup.overlay.frames import steepness
from pixtrawl.dedup.overlay.shared_part import CELLS, SharedPart

__all__ = ["have_same_outlines"]

Array = np.ndarray[Any, Any]

_FLAT: Final = 2.0  # grey levels a pixel
_LIKE: Final = 0.78  # recoloured parts have 0.84 and more, those under a box 0.69 at most


def have_same_outlines(part: SharedPart, cells: Array) -> bool:
    """Return whether the outlines of both pictures agree within these cells (a mask of 256)."""
    step = SIDE // CELLS
    inside = np.kron(cells.reshape(CELLS, CELLS), np.ones((step, step))) > 0
    ours, theirs = (
        np.maximum(steepness(greys.reshape(SIDE, SIDE))[inside] - _FLAT, 0.0)
        for greys in (part.ours, part.theirs)
    )
    powers = float(ours @ ours), float(theirs @ theirs)
    if max(powers) < _FLAT * _FLAT * ours.size:
        return True  # plain in both
    return float(ours @ theirs) >= _LIKE * float(np.sqrt(powers[0] * powers[1]))
