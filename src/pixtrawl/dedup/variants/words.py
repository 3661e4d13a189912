"""Tell other words from a copy in drawn pictures: charts, pages, forms, screenshots.

Two charts of one form and two pages of one layout have the same thumbnail of 64x64; of pictures on
a ground of one grey finer greys are kept, too. Both are laid over each other, equally sharp, one in
the tone of the other: then copies have the same details around every pixel, whatever compressed or
shrunk them. Other words leave ink that only one has and ink that only the other has, about as much.
What is laid over a picture changes it one way, lighter or darker; what hides a part of it (a bar
with a caption, a logo) brings a ground of its own. Where much differs the two were not laid right,
or differ otherwise.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.aligned import Overlay
from pixtrawl.dedup.overlay.shared_part import Appearance
from pixtrawl.dedup.variants.fine_overlay import blurred, details, equally_sharp, laid_over
from pixtrawl.fine_greys import unpacked

__all__ = ["have_other_words"]

Array = np.ndarray[Any, Any]

_EDGE: Final = 6  # pixels of the common part
_LEAST_SHOWN: Final = 10_000  # pixels
_INK: Final = 80.0  # squared grey levels of both together, around a pixel: noise leaves 30
_NOISE: Final = 20.0  # the same, that tells nothing
_OTHER: Final = 0.5  # share of the ink around a pixel
_FAINT: Final = 6.0  # grey levels
_BLOCK: Final = 8  # pixels; windows of twice that overlap by half
_OTHER_GROUND: Final = 14.0  # grey levels
_BOTH_WAYS: Final = 0.2  # share of what is lighter, or darker, in what differs
_BOTH_INKED: Final = 0.15  # of the ink of one, that the other has there
_LEAST: Final = 24  # pixels that differ
_MISPLACED: Final = 0.25  # share of the ink that differs
_BINS: Final = 32  # of 256 greys
_LEAST_IN_BIN: Final = 40  # pixels


def have_other_words(ours: Appearance, theirs: Appearance, overlay: Overlay | None) -> bool:
    """Return whether two matched pictures have other letters on the same ground.

    False where either is no drawn picture. `overlay` tells how the first lies over the second.
    """
    one, other = unpacked(ours.fine), unpacked(theirs.fine)
    if one is None or other is None:
        return False
    first, second, shown = laid_over(ours, theirs, (one, other), overlay)
    shown = _inner(shown)
    if int(shown.sum()) < _LEAST_SHOWN:
        return False
    first, second = equally_sharp(first, second)
    return all(other_ink(*pair, shown) >= _LEAST for pair in ((first, second), (second, first)))


def other_ink(first: Array, second: Array, shown: Array) -> int:
    """Return how many pixels have other ink in the second picture; 0 where it is no other words."""
    first = _in_tone_of(first, second, shown)
    ours, theirs = details(first), details(second)
    power = _around(ours * ours), _around(theirs * theirs)
    off = theirs - ours
    inked = shown & (power[0] + power[1] > _INK)
    other = inked & (_around(off * off) > _OTHER * (power[0] + power[1] + _NOISE))
    if float(other.sum()) > _MISPLACED * float(inked.sum()):
        return 0
    lighter = _summed(np.where(other, np.maximum(second - first - _FAINT, 0), 0))
    darker = _summed(np.where(other, np.maximum(first - second - _FAINT, 0), 0))
    inks = [_summed(np.where(other, ink * ink, 0)) for ink in (ours, theirs)]
    words = np.minimum(lighter, darker) > _BOTH_WAYS * (lighter + darker)
    words &= np.minimum(*inks) > _BOTH_INKED * np.maximum(*inks)
    return int((other & _spread(words)).sum())


def _inner(shown: Array) -> Array:
    """Return the pixels that are not near one that both do not show."""
    wide = np.pad(shown, _EDGE)
    for axis in (0, 1):
        size = shown.shape[axis]
        parts = [np.take(wide, range(at, at + size), axis) for at in range(2 * _EDGE + 1)]
        wide = np.logical_and.reduce(parts)
    return wide


def _in_tone_of(plane: Array, other: Array, shown: Array) -> Array:
    """Return the plane with each grey replaced by what it usually is in the other."""
    greys, wanted = plane[shown], other[shown]
    bins = np.clip(greys * (_BINS / 256), 0, _BINS - 1).astype(np.uint8)
    order = np.argsort(bins, kind="stable")
    ends = np.searchsorted(bins[order], np.arange(_BINS + 1))
    pairs = [
        (float(np.median(greys[some])), float(np.median(wanted[some])))
        for some in (order[a:b] for a, b in pairwise(ends))
        if some.size >= _LEAST_IN_BIN
    ]
    if not pairs:
        return plane
    known, usual = zip(*pairs, strict=True)
    toned: Array = np.interp(plane, known, np.maximum.accumulate(usual)).astype(np.float32)
    return toned


def _around(plane: Array) -> Array:
    return blurred(blurred(plane))


def _summed(plane: Array) -> Array:
    """Return the sums over windows that overlap by half."""
    count = plane.shape[0] // _BLOCK
    cells = plane.reshape(count, _BLOCK, count, _BLOCK).sum(axis=(1, 3))
    sums: Array = cells[:-1, :-1] + cells[1:, :-1] + cells[:-1, 1:] + cells[1:, 1:]
    return sums


def _spread(windows: Array) -> Array:
    """Return the pixels of the windows."""
    wide = np.pad(windows, 1)
    cells = wide[:-1, :-1] | wide[1:, :-1] | wide[:-1, 1:] | wide[1:, 1:]
    pixels: Array = np.kron(cells, np.ones((_BLOCK, _BLOCK), dtype=bool))
    return pixels
