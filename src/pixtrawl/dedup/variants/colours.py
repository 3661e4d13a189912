"""Tell a picture in other colours from a copy: the same shirt in blue, not the same shirt in grey.

An edit changes all colours of a picture in one way: it scales them (saturation, greys), or shifts
them by a tint (white balance, warm tones, sepia). So once tints are removed, the colours of one
picture are a multiple of those of the other: the cosine between both, over all cells, is 0.9 and
more for most edits, and below 0.6 where the hue of an object was rotated by 60 degrees. Where one
picture is grey, or toned like sepia (its colours follow its greys), colours decide nothing.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.shared_part import (
    FAR_FROM_LOGOS,
    INNER_CELLS,
    SharedPart,
    have_same_ground,
)
from pixtrawl.dedup.variants.outlines import have_same_outlines

__all__ = ["are_other_colours"]

Array = np.ndarray[Any, Any]

_LEAST_COSINE: Final = 0.7
_ON_PLAIN_GROUND: Final = 0.85  # of cut-outs and charts, which differ in one thing
_NOISE: Final = 1.0  # of Cb and Cr together, in a cell: rounding and compression
_LEAST_COLOUR: Final = 12.0  # length of a field beyond its noise; less is grey
_TONE_ERROR: Final = 1.5  # the same, about the hue of a tone
_TONE_SPREAD: Final = 0.12  # of its strength, where that is more: clipped channels turn a tone
_PURE: Final = 2.0  # Cb and Cr of a ground without a tint
_DARK: Final = 60  # of 255: a tone leaves black as it is
_GROUND: Final = 0.1  # share of the cells from which they are a ground
_CLEARLY: Final = 5.0  # of Cb and Cr together
_RUN: Final = 15  # cells of a running mean
_MEAN: Final = np.full(_RUN, 1 / _RUN, dtype=np.float32)


def are_other_colours(part: SharedPart, *, plain_ground: bool) -> bool:
    """Return whether no scale and tint turns the colours of one picture into those of the other."""
    if part.ours_colours is None or part.theirs_colours is None:
        return False
    least = _ON_PLAIN_GROUND if plain_ground else _LEAST_COSINE
    counted = INNER_CELLS if plain_ground else FAR_FROM_LOGOS
    ours, theirs = part.ours_colours[counted], part.theirs_colours[counted]
    if _cosine(ours - ours.mean(axis=0), theirs - theirs.mean(axis=0)) >= least:
        return False
    greys = part.ours_cells[counted], part.theirs_cells[counted]
    if not have_same_ground(part, plain_ground=plain_ground):
        if _cosine(_untinted(ours, greys[0]), _untinted(theirs, greys[1])) >= least:
            return False
        if _is_toned(ours, greys[0]) or _is_toned(theirs, greys[1]):
            return False
    # Without a tint bars of one colour follow the greys, too.
    return plain_ground or _have_same_outlines(part, counted)


def _have_same_outlines(part: SharedPart, counted: Array) -> bool:
    """Return whether the outlines agree in the cells whose colours differ: no mark covers them."""
    if part.ours_colours is None or part.theirs_colours is None:
        return True
    off = part.ours_colours - part.theirs_colours
    differs = counted & ((off * off).sum(axis=1) > _CLEARLY**2)
    return not differs.any() or have_same_outlines(part, differs)


def _untinted(colours: Array, greys: Array) -> Array:
    """Return the colours without the tint in proportion to brightness that white balance adds."""
    along = greys / max(float(np.sqrt(greys @ greys)), 1e-6)
    remainder: Array = colours - np.outer(along, along @ colours)
    return remainder


def _cosine(one: Array, other: Array) -> float:
    """Return the cosine of two colour fields less their noise; 1 where one of them is grey."""
    one, other = _beyond_noise(one), _beyond_noise(other)
    lengths = [float(np.sqrt((field * field).sum())) for field in (one, other)]
    if min(lengths) < _LEAST_COLOUR:
        return 1.0
    return float((one * other).sum()) / (lengths[0] * lengths[1])


def _beyond_noise(field: Array) -> Array:
    strength = np.sqrt((field * field).sum(axis=1, keepdims=True))
    denoised: Array = field * np.maximum(0.0, 1.0 - _NOISE / np.maximum(strength, 1e-6))
    return denoised


def _is_toned(colours: Array, greys: Array) -> bool:
    """Return whether the colours have one hue and follow the greys, as in sepia.

    The colours of one thing on a plain ground do, too: there the ground has no tint.
    """
    plain = (np.abs(colours).max(axis=1) < _PURE) & (greys > _DARK)
    if plain.mean() > _GROUND:
        return False
    hue = colours.mean(axis=0)
    hue /= max(float(np.sqrt(hue @ hue)), 1e-6)
    along = colours @ hue
    across = colours - np.outer(along, hue)
    strength = float(np.sqrt((along**2).mean()))
    if float(np.sqrt((across**2).mean())) > max(_TONE_ERROR, _TONE_SPREAD * strength):
        return False
    order = np.argsort(greys)
    # Neighbours in brightness have like strength: the error about a running mean is small.
    remainder = along[order] - np.convolve(np.pad(along[order], _RUN // 2, "edge"), _MEAN, "valid")
    return float(np.sqrt((remainder**2).mean())) < 2 * _TONE_ERROR
