"""Tell a chart in another palette from a copy by its pixels: thin lines, small dots.

Small grey marks such as letters mix ink and paper, so any tone changes their greys. Where they are
the same in both pictures, an edit can only have changed the strength of all colours at once, which
keeps brightness and is the same where a line covers a pixel in part. What is compared are means of
3 x 3 pixels: a blur or a resize changes these little.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.aligned import SIDE
from pixtrawl.dedup.overlay.shared_part import SharedPart
from pixtrawl.dedup.variants.planes import INNER_PIXELS, box_means

__all__ = ["are_pixels_recoloured"]

Array = np.ndarray[Any, Any]

_NEUTRAL: Final = 1.6  # of Cb or Cr, off the ground
_INK: Final = 8.0  # of 255, off the ground
_LEAST_TEXT: Final = 40  # pixels
_SAME_INK: Final = 0.03  # of the ink: white balance, gamma and contrast change 0.044 and more
_COLOURED: Final = 3.0  # of Cb or Cr, off the ground
_LEAST_COLOURED: Final = 20  # pixels
_MOST_STRENGTH: Final = 3.0
_LARGEST: Final = 0.23  # of the colour: saturation, which clips channels, leaves 0.165


def are_pixels_recoloured(part: SharedPart) -> bool:
    """Return whether the greys are the same, and no strength makes the colours of one the other's.

    The pictures must be aligned to a fraction of a pixel.
    """
    if part.our_hues is None or part.their_hues is None:
        return False
    ours = _off_ground(part.ours, part.our_hues)
    theirs = _off_ground(part.theirs, part.their_hues)
    most = np.maximum(*(np.abs(plane[:, :, 1:]).max(axis=2) for plane in (ours, theirs)))
    if not _have_same_text(ours[:, :, 0], theirs[:, :, 0], most):
        return False
    coloured = (most > _COLOURED) & INNER_PIXELS
    if int(coloured.sum()) < _LEAST_COLOURED:
        return False
    one, other = ours[coloured], theirs[coloured]
    return min(_unexplained(one, other), _unexplained(other, one)) > _LARGEST


def _off_ground(greys: Array, hues: Array) -> Array:
    """Return Y, Cb and Cr of each pixel less those of the ground: means of 3 x 3."""
    plane = np.column_stack((greys, hues)).astype(np.float32)
    square = (plane - np.median(plane, axis=0)).reshape(SIDE, SIDE, 3)
    wide = np.pad(square, ((1, 1), (1, 1), (0, 0)), "edge")
    return np.stack([box_means(wide[:, :, at], 3) for at in range(3)], axis=2)


def _have_same_text(ours: Array, theirs: Array, colour: Array) -> bool:
    wide = np.pad(colour < _NEUTRAL, 1, constant_values=True)
    neutral = np.lib.stride_tricks.sliding_window_view(wide, (3, 3)).all(axis=(2, 3))
    text = neutral & (np.maximum(np.abs(ours), np.abs(theirs)) > _INK)
    if int(text.sum()) < _LEAST_TEXT:
        return False
    changed = float(np.abs(ours - theirs)[text].sum())
    return changed <= _SAME_INK * float(np.abs(ours)[text].sum())


def _unexplained(source: Array, target: Array) -> float:
    """Return what the best strength of colour leaves, as a share of the source."""
    colours = source[:, 1:]
    strength = float((colours * target[:, 1:]).sum()) / max(float((colours**2).sum()), 1e-3)
    off = target - source
    off[:, 1:] = target[:, 1:] - min(max(strength, 0.0), _MOST_STRENGTH) * colours
    return float(np.sqrt((off**2).sum() / max(float((source**2).sum()), 1e-3)))
