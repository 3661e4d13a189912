"""Tell another print, or its colours, on the same thing: a shirt with a star, a shirt with a heart.

A print covers a few cells, too few for the rules of dyes and data. So it counts only where nearly
all of two pictures is the same to within compression, and all that differs lies together in the
middle. A mark laid over a picture brings edges of its own and hides few; of two prints each has
edges where the other has cloth. White, grey and black marks only weaken the colours under them.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.aligned import SIDE
from pixtrawl.dedup.overlay.frames import steepness
from pixtrawl.dedup.overlay.shared_part import FAR_FROM_LOGOS, SharedPart, have_same_tone
from pixtrawl.dedup.variants.outlines import have_same_outlines

__all__ = ["have_other_prints"]

Array = np.ndarray[Any, Any]

_SAME_GREY: Final = 2.5  # of 255, of a cell
_SAME_COLOUR: Final = 2.0  # of Cb and Cr together
_SAME: Final = 0.85  # share of the cells
_RECOLOURED: Final = 5.0  # of Cb and Cr together, beyond what less colour explains
_LEAST_CELLS: Final = 3
_CHANGED: Final = 10.0  # of 255, of a pixel
_AROUND: Final = 3  # pixels around what has changed in the middle, which may change, too
_STEEP: Final = 10.0  # grey levels a pixel
_GONE: Final = 0.35  # share of the steepness
_LEAST_EDGES: Final = 20  # pixels with an edge in one picture only: letters leave 8 of the other's
_TOP, _SIDES = 14, 12  # pixels, where captions and logos lie


def have_other_prints(part: SharedPart) -> bool:
    """Return whether two pictures, the same but for their middles, have different prints there.

    The pictures must be aligned to a fraction of a cell.
    """
    if part.ours_colours is None or part.theirs_colours is None:
        return False
    off = np.sqrt(((part.ours_colours - part.theirs_colours) ** 2).sum(axis=1))
    same = (off < _SAME_COLOUR) & (np.abs(part.ours_cells - part.theirs_cells) < _SAME_GREY)
    if float(same.mean()) < _SAME or not have_same_tone(part):
        return False
    colours = part.ours_colours, part.theirs_colours
    beyond = np.minimum(_beyond_fading(*colours), _beyond_fading(*colours[::-1]))
    recoloured = (beyond > _RECOLOURED) & FAR_FROM_LOGOS
    if int(recoloured.sum()) >= _LEAST_CELLS and have_same_outlines(part, recoloured):
        return True
    return _have_other_edges(part.ours.reshape(SIDE, SIDE), part.theirs.reshape(SIDE, SIDE))


def _beyond_fading(source: Array, target: Array) -> Array:
    """Return how far each colour lies from all that the source's becomes with less colour."""
    along = (source * target).sum(axis=1) / np.maximum((source * source).sum(axis=1), 1e-6)
    rest = target - np.clip(along, 0.0, 1.0)[:, None] * source
    distances: Array = np.sqrt((rest * rest).sum(axis=1))
    return distances


def _have_other_edges(ours: Array, theirs: Array) -> bool:
    """Return whether all changes lie in the middle, and each picture has edges of its own there."""
    changed = _grown(np.abs(ours - theirs) > _CHANGED, 1)
    middle = changed & _MIDDLE
    if not middle.any() or (changed & ~_boxed(middle)).any():
        return False
    steep = steepness(ours), steepness(theirs)
    own = (
        int((middle & (one > _STEEP) & (other < _GONE * one)).sum())
        for one, other in (steep, steep[::-1])
    )
    return min(own) >= _LEAST_EDGES


def _boxed(mask: Array) -> Array:
    """Return the box around all that is set, and a margin."""
    box = np.zeros_like(mask)
    rows, columns = np.nonzero(mask)
    top, left = max(int(rows.min()) - _AROUND, 0), max(int(columns.min()) - _AROUND, 0)
    box[top : int(rows.max()) + _AROUND + 1, left : int(columns.max()) + _AROUND + 1] = True
    return box


def _grown(mask: Array, by: int) -> Array:
    wide = np.pad(mask, by)
    side = 2 * by + 1
    windows = np.lib.stride_tricks.sliding_window_view(wide, (side, side))
    larger: Array = np.any(windows, axis=(2, 3))
    return larger


_MIDDLE: Final = np.zeros((SIDE, SIDE), dtype=bool)
_MIDDLE[_TOP:-_SIDES, _SIDES:-_SIDES] = True
