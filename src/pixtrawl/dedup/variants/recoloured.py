"""Tell a thing in another dye from a copy where no tone was changed: a studio's gradient, a floor.

Where many cells of several greys are the same in both pictures an edit can have changed nothing but
the strength of colours, and that leaves brightness as it is (but where channels are clipped). What
then has another brightness or colour all over a few cells, with all outlines in place and cells
beside it that are as they were, is a thing in another dye, whether black for grey or red for blue.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.aligned import SIDE
from pixtrawl.dedup.overlay.shared_part import (
    CELLS,
    FAR_FROM_LOGOS,
    INNER_CELLS,
    SharedPart,
    have_same_tone,
)
from pixtrawl.dedup.variants.outlines import have_same_outlines
from pixtrawl.dedup.variants.solid_dyes import TO_RGB, TO_YCC

__all__ = ["are_inks_recoloured", "is_thing_recoloured"]

Array = np.ndarray[Any, Any]

_STRENGTHS: Final = np.array(
    (0.0, 0.15, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.45, 1.6, 1.8, 2.0, 2.3),
    dtype=np.float32,
)
_OFF: Final = 6.0  # of 255, of brightness and colour together
_OF_CHANGE: Final = 0.2
_LEAST_CELLS: Final = 2  # all of whose neighbours are off, too: letters are thinner
_AS_BEFORE: Final = 3.0  # of 255, median of the cells around: shading by an edit fades out
_BLUR: Final = 5  # pixels of 64
_GRAIN: Final = 20.0  # squared grey levels of detail, which tell nothing
_SAME_DETAIL: Final = 0.75  # correlation; dyes leave 0.8 and more where they change unevenly
_COLOURED: Final = 3.0  # of Cb or Cr
_NEUTRAL: Final = 1.6
_OFF_OF_INK: Final = 5.0  # of 255, where text says that nothing else was changed
_LEAST_INKED: Final = 5  # cells
_MOST_OF_INK: Final = 0.5  # of the coloured cells: letters laid over them leave most
_INK: Final = 12.0  # of 255, off the paper
_LEAST_TEXT: Final = 12  # pixels of 64 x 64
_SAME_INK: Final = 0.045


def is_thing_recoloured(part: SharedPart) -> bool:
    """Return whether some cells have another dye and nothing else was changed."""
    if part.ours_colours is None or part.theirs_colours is None or not have_same_tone(part):
        return False
    ours = np.column_stack([part.ours_cells, part.ours_colours]).astype(np.float32)
    theirs = np.column_stack([part.theirs_cells, part.theirs_colours]).astype(np.float32)
    errors, limits = _least_off(ours, theirs)
    back, limits_back = _least_off(theirs, ours)
    off = (errors > limits) & (back > limits_back) & FAR_FROM_LOGOS
    grid = off.reshape(CELLS, CELLS)
    if int(_inside(grid).sum()) < _LEAST_CELLS:
        return False
    beside = _grown(_grown(grid)) & ~_grown(grid)
    if not beside.any():
        return False
    if float(np.median(np.minimum(errors, back).reshape(CELLS, CELLS)[beside])) > _AS_BEFORE:
        return False
    return have_same_outlines(part, off) and not _are_lettered(part, off)


def _are_lettered(part: SharedPart, cells: Array) -> bool:
    """Return whether letters lie over these cells: unevenly, with detail of their own."""
    step = SIDE // CELLS
    inside = np.kron(cells.reshape(CELLS, CELLS), np.ones((step, step))) > 0
    planes = [greys.reshape(SIDE, SIDE) for greys in (part.ours, part.theirs)]
    off = (planes[0] - planes[1])[inside]
    if float(np.abs(off).std()) <= abs(float(off.mean())):
        return False
    ours, theirs = ((plane - _blurred(plane))[inside] for plane in planes)
    powers = float(ours @ ours) + _GRAIN * off.size, float(theirs @ theirs) + _GRAIN * off.size
    return float(ours @ theirs) < _SAME_DETAIL * float(np.sqrt(powers[0] * powers[1]))


def _blurred(plane: Array) -> Array:
    wide = np.pad(plane, _BLUR // 2, "edge")
    sums = np.pad(wide, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    n = _BLUR
    blurred: Array = (sums[n:, n:] - sums[:-n, n:] - sums[n:, :-n] + sums[:-n, :-n]) / n**2
    return blurred


def are_inks_recoloured(part: SharedPart) -> bool:
    """Return whether the coloured things of a chart have other dyes, though its text has no other.

    Any tone changes the greys of small letters, which mix ink and paper.
    """
    if part.ours_colours is None or part.theirs_colours is None or not _has_same_text(part):
        return False
    ours = np.column_stack([part.ours_cells, part.ours_colours]).astype(np.float32)
    theirs = np.column_stack([part.theirs_cells, part.theirs_colours]).astype(np.float32)
    most = np.maximum(*(np.abs(one[:, 1:]).max(axis=1) for one in (ours, theirs)))
    coloured = (most > _COLOURED) & INNER_CELLS
    off = coloured.copy()
    for made, wanted in ((ours, theirs), (theirs, ours)):
        errors, limits = _least_off(made, wanted)
        off &= errors > limits - _OFF + _OFF_OF_INK
    return int(off.sum()) >= max(_LEAST_INKED, _MOST_OF_INK * int(coloured.sum()))


def _has_same_text(part: SharedPart) -> bool:
    """Return whether there are grey things, thin or small, which are the same in both."""
    assert part.ours_colours is not None
    assert part.theirs_colours is not None
    most = np.maximum(np.abs(part.ours_colours), np.abs(part.theirs_colours)).max(axis=1)
    neutral = _inside((most < _NEUTRAL).reshape(CELLS, CELLS))
    step = SIDE // CELLS
    asked = np.kron(neutral, np.ones((step, step), dtype=bool)).ravel()
    inks = [np.abs(greys - np.median(greys)) for greys in (part.ours, part.theirs)]
    asked &= np.maximum(*inks) > _INK
    if int(asked.sum()) < _LEAST_TEXT:
        return False
    changed = np.abs(inks[0] - inks[1])[asked].sum()
    return bool(changed <= _SAME_INK * inks[0][asked].sum())


def _inside(grid: Array) -> Array:
    """Return the cells all of whose eight neighbours belong to the grid; outside counts."""
    wide = np.pad(grid, 1, constant_values=True)
    rows = wide[:-2] & wide[1:-1] & wide[2:]
    inside: Array = rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]
    return inside


def _least_off(made: Array, wanted: Array) -> tuple[Array, Array]:
    """Return how far each cell is off under the strength that explains most, and what it may be."""
    tried = np.repeat(made[None], len(_STRENGTHS), axis=0)
    tried[:, :, 1:] *= _STRENGTHS[:, None, None]
    stronger = _STRENGTHS > 1
    tried[stronger] = np.clip(tried[stronger] @ TO_RGB.T, 0.0, 255.0) @ TO_YCC.T
    errors = np.sqrt(((tried - wanted) ** 2).sum(axis=2))
    limits = _OFF + _OF_CHANGE * np.sqrt(((tried - made) ** 2).sum(axis=2))
    best = int((errors > limits)[:, FAR_FROM_LOGOS].sum(axis=1).argmin())
    return errors[best], limits[best]


def _neighbours(grid: Array) -> Array:
    around = np.pad(grid, 1).astype(np.int8)
    count: Array = around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:]
    return count


def _grown(grid: Array) -> Array:
    larger: Array = grid | (_neighbours(grid) > 0)
    return larger
