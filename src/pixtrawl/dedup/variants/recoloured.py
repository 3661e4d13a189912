"""Tell a thing in another dye from a copy where no tone was changed: a studio's gradient, a floor.

Where many cells of several greys are the same in both pictures, an edit can only have changed the
saturation, which keeps brightness (except where channels are clipped). A group of cells that then
differs in brightness or colour, with its outlines in place and unchanged cells around it, is a
thing in another dye, whether black for grey or red for blue.
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
from pixtrawl.dedup.variants.planes import TO_RGB, TO_YCC, box_means, ycc_cells

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
    """Return whether a group of cells has another dye while nothing else was changed."""
    if not have_same_tone(part) or (both := ycc_cells(part)) is None:
        return False
    ours, theirs = both
    errors, limits = _least_off(ours, theirs)
    backward, limits_back = _least_off(theirs, ours)
    off = (errors > limits) & (backward > limits_back) & FAR_FROM_LOGOS
    grid = off.reshape(CELLS, CELLS)
    if int(_inside(grid).sum()) < _LEAST_CELLS:
        return False
    beside = _grown(_grown(grid)) & ~_grown(grid)
    if not beside.any():
        return False
    if float(np.median(np.minimum(errors, backward).reshape(CELLS, CELLS)[beside])) > _AS_BEFORE:
        return False
    return have_same_outlines(part, off) and not _are_lettered(part, off)


def _are_lettered(part: SharedPart, cells: Array) -> bool:
    """Return whether letters lie over these cells: the difference is uneven and has own detail."""
    step = SIDE // CELLS
    inside = np.kron(cells.reshape(CELLS, CELLS), np.ones((step, step))) > 0
    planes = [greys.reshape(SIDE, SIDE) for greys in (part.ours, part.theirs)]
    off = (planes[0] - planes[1])[inside]
    if float(np.abs(off).std()) <= abs(float(off.mean())):
        return False
    means = [box_means(np.pad(plane, _BLUR // 2, "edge"), _BLUR) for plane in planes]
    ours, theirs = ((plane - mean)[inside] for plane, mean in zip(planes, means, strict=True))
    powers = float(ours @ ours) + _GRAIN * off.size, float(theirs @ theirs) + _GRAIN * off.size
    return float(ours @ theirs) < _SAME_DETAIL * float(np.sqrt(powers[0] * powers[1]))


def are_inks_recoloured(part: SharedPart) -> bool:
    """Return whether the coloured parts of a chart changed while its text stayed the same.

    Then no edit changed the tone: small letters mix ink and paper, so any tone changes their greys.
    """
    if not _has_same_text(part) or (both := ycc_cells(part)) is None:
        return False
    ours, theirs = both
    most = np.maximum(*(np.abs(one[:, 1:]).max(axis=1) for one in (ours, theirs)))
    coloured = (most > _COLOURED) & INNER_CELLS
    off = coloured.copy()
    for source, target in ((ours, theirs), (theirs, ours)):
        errors, limits = _least_off(source, target)
        off &= errors > limits - _OFF + _OFF_OF_INK
    return int(off.sum()) >= max(_LEAST_INKED, _MOST_OF_INK * int(coloured.sum()))


def _has_same_text(part: SharedPart) -> bool:
    """Return whether both have the same small grey marks, such as letters and lines."""
    if part.ours_colours is None or part.theirs_colours is None:
        return False
    most = np.maximum(np.abs(part.ours_colours), np.abs(part.theirs_colours)).max(axis=1)
    neutral = _inside((most < _NEUTRAL).reshape(CELLS, CELLS))
    step = SIDE // CELLS
    text = np.kron(neutral, np.ones((step, step), dtype=bool)).ravel()
    inks = [np.abs(greys - np.median(greys)) for greys in (part.ours, part.theirs)]
    text &= np.maximum(*inks) > _INK
    if int(text.sum()) < _LEAST_TEXT:
        return False
    changed = np.abs(inks[0] - inks[1])[text].sum()
    return bool(changed <= _SAME_INK * inks[0][text].sum())


def _inside(grid: Array) -> Array:
    """Return the cells whose eight neighbours are all set; beyond the edge counts as set."""
    wide = np.pad(grid, 1, constant_values=True)
    rows = wide[:-2] & wide[1:-1] & wide[2:]
    inside: Array = rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]
    return inside


def _least_off(source: Array, target: Array) -> tuple[Array, Array]:
    """Return the error of each cell at the saturation that fits most cells, and its limit."""
    tried = np.repeat(source[None], len(_STRENGTHS), axis=0)
    tried[:, :, 1:] *= _STRENGTHS[:, None, None]
    stronger = _STRENGTHS > 1
    tried[stronger] = np.clip(tried[stronger] @ TO_RGB.T, 0.0, 255.0) @ TO_YCC.T
    errors = np.sqrt(((tried - target) ** 2).sum(axis=2))
    limits = _OFF + _OF_CHANGE * np.sqrt(((tried - source) ** 2).sum(axis=2))
    best = int((errors > limits)[:, FAR_FROM_LOGOS].sum(axis=1).argmin())
    return errors[best], limits[best]


def _neighbours(grid: Array) -> Array:
    around = np.pad(grid, 1).astype(np.int8)
    count: Array = around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:]
    return count


def _grown(grid: Array) -> Array:
    larger: Array = grid | (_neighbours(grid) > 0)
    return larger
