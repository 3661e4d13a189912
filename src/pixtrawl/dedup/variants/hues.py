"""Find a part of a picture whose hue was rotated: another sleeve, one other line of a chart.

An edit changes the colours of a whole picture in one way: it scales them, and adds a tint that may
grow with brightness. That change is fitted to most cells; cells that still have another hue are
of another colour. Marks in white, grey and black only weaken the colours under them, as an edit to
greys does, so a cell counts only if it is coloured in both pictures and their hues are far apart.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.shared_part import (
    CELLS,
    FAR_FROM_LOGOS,
    INNER_CELLS,
    SharedPart,
    have_same_ground,
    have_same_tone,
)
from pixtrawl.dedup.variants.outlines import have_same_outlines
from pixtrawl.dedup.variants.planes import steps_between

__all__ = ["have_turned_hues"]

Array = np.ndarray[Any, Any]

_ROUNDS: Final = 4
_USUAL: Final = 2.0  # of Cb and Cr: cells that are off by more weigh less in the fit
_LEAST_OFF: Final = 5.0  # of Cb and Cr together, beyond compression and shifts
_LEAST_COLOUR: Final = 4.0
_ALIKE: Final = 0.76  # cosine; clipped channels turn a hue by up to 40 degrees
_ALIKE_UNTONED: Final = 0.94  # where no tone was changed, so that none was clipped
_OF_CHANGE: Final = 0.3  # of the colour in a cell, by which it must be off
_MOST_STRENGTH: Final = 3.0
_SHIFT: Final = 0.35  # cells, by which overlays may be off
_LEAST_CELLS: Final = 3  # edits of photographs leave none, of charts up to two


def have_turned_hues(part: SharedPart, *, plain_ground: bool, exact: bool) -> bool:
    """Return whether some of the inner cells have another hue, in both directions of the fit.

    Where both have the same ground nothing was tinted, and only the saturation is fitted. `exact`
    states that the pictures are aligned to a fraction of a cell.
    """
    if part.ours_colours is None or part.theirs_colours is None:
        return False
    counted = INNER_CELLS if plain_ground else FAR_FROM_LOGOS
    ours, theirs = part.ours_colours[counted], part.theirs_colours[counted]
    greys = part.ours_cells[counted], part.theirs_cells[counted]
    tinted = not have_same_ground(part, plain_ground=plain_ground)
    alike = _ALIKE_UNTONED if exact and have_same_tone(part) else _ALIKE
    forward = _fitted(ours, theirs, greys[1]) if tinted else _scaled(ours, theirs)
    slack = np.zeros(int(counted.sum()))
    if not exact:
        steps = [
            steps_between(colours)[counted] for colours in (part.ours_colours, part.theirs_colours)
        ]
        slack = _SHIFT * np.maximum(*steps)
    turned = _turned(forward, theirs, alike, slack)
    if int(turned.sum()) < _LEAST_CELLS:
        return False
    backward = _fitted(theirs, ours, greys[0]) if tinted else _scaled(theirs, ours)
    turned &= _turned(backward, ours, alike, slack)
    if int(turned.sum()) < _LEAST_CELLS:
        return False
    if plain_ground:
        return True
    cells = np.zeros(CELLS * CELLS, dtype=bool)
    cells[counted] = turned
    return have_same_outlines(part, cells)


def _turned(fitted: Array, target: Array, alike: float, slack: Array) -> Array:
    """Return a mask of the cells whose hue differs after one picture was fitted to the other."""
    off = _length(fitted - target) - slack
    ground, their_ground = np.median(fitted, axis=0), np.median(target, axis=0)
    most = np.maximum(_length(fitted), _length(target))
    turned = (off > _LEAST_OFF) & (off > _OF_CHANGE * most)
    turned &= _in_two_directions(fitted, target, alike)
    turned &= _in_two_directions(fitted - ground, target - their_ground, alike)
    cells: Array = turned
    return cells


def _scaled(source: Array, target: Array) -> Array:
    """Return the colours scaled about those of the ground, which both have in common."""
    ground = np.median(target, axis=0)
    ours, theirs = source - ground, target - ground
    ratios = (ours * theirs).sum(axis=1) / np.maximum((ours * ours).sum(axis=1), 1e-6)
    coloured = _length(ours) > _LEAST_COLOUR
    strength = float(np.median(ratios[coloured])) if coloured.any() else 1.0
    scaled: Array = ground + min(max(strength, 0.0), _MOST_STRENGTH) * ours
    return scaled


def _fitted(source: Array, target: Array, greys: Array) -> Array:
    """Return the colours scaled and tinted as fits most cells of the other picture."""
    count = len(source)
    light = np.stack([np.ones(count), greys / 128 - 1], axis=1)
    weights = np.ones(count)
    fitted = source
    for _ in range(_ROUNDS):
        root = np.sqrt(weights)[:, None]
        # The tint is fitted to each channel, the strength to both: by projection (Frisch-Waugh).
        basis, _ = np.linalg.qr(light * root)
        ours, theirs = source * root, target * root
        ours_rest = ours - basis @ (basis.T @ ours)
        theirs_rest = theirs - basis @ (basis.T @ theirs)
        strength = float((ours_rest * theirs_rest).sum())
        strength /= max(float((ours_rest * ours_rest).sum()), 1e-6)
        strength = min(max(strength, 0.0), _MOST_STRENGTH)
        tint, *_ = np.linalg.lstsq(light * root, theirs - strength * ours, rcond=None)
        fitted = strength * source + light @ tint
        off = np.sqrt(((fitted - target) ** 2).sum(axis=1))
        weights = 1 / (1 + (off / (_USUAL + 1.5 * float(np.median(off)))) ** 2) ** 2
    return fitted


def _in_two_directions(one: Array, other: Array, alike: float) -> Array:
    lengths = _length(one), _length(other)
    along = (one * other).sum(axis=1)
    coloured = np.minimum(*lengths) > _LEAST_COLOUR
    apart: Array = coloured & (along < alike * lengths[0] * lengths[1])
    return apart


def _length(colours: Array) -> Array:
    lengths: Array = np.sqrt((colours * colours).sum(axis=1))
    return lengths
