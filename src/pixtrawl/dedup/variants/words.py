"""Tell other words from a copy in drawn pictures: charts, pages, forms, screenshots.

Charts of one form, or pages of one layout, have the same 64 x 64 thumbnail, so finer greys of
pictures on a plain ground are kept as well. Both are aligned, made equally sharp and brought to one
tone: copies then have the same details around every pixel, however they were compressed or shrunk.
Other words leave ink that only one has and ink that only the other has, about as much of each. A
mark laid over a picture changes it one way only, lighter or darker; a bar or logo that hides a part
brings a ground of its own. Where too much differs, the alignment is wrong or the pictures differ
otherwise, and this rule decides nothing.
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
_BOTH_WAYS: Final = 0.2  # share of what is lighter, or darker, in what differs
_BOTH_INKED: Final = 0.15  # of the ink of one, that the other has there
_LEAST: Final = 24  # pixels that differ
_MISPLACED: Final = 0.25  # share of the ink that differs
_BINS: Final = 32  # of 256 greys
_LEAST_IN_BIN: Final = 40  # pixels


def have_other_words(ours: Appearance, theirs: Appearance, overlay: Overlay | None) -> bool:
    """Return whether two matched pictures have other letters on the same ground.

    False unless both are drawn pictures. `overlay` aligns the first with the second.
    """
    one, other = unpacked(ours.fine), unpacked(theirs.fine)
    if one is None or other is None:
        return False
    first, second, shared = laid_over(ours, theirs, (one, other), overlay)
    shared = _eroded(shared)
    if int(shared.sum()) < _LEAST_SHOWN:
        return False
    first, second = equally_sharp(first, second)
    return all(other_ink(*pair, shared) >= _LEAST for pair in ((first, second), (second, first)))


def other_ink(first: Array, second: Array, shared: Array) -> int:
    """Return the number of pixels with other ink in the second picture; 0 if it is not words."""
    first = _in_tone_of(first, second, shared)
    ours, theirs = details(first), details(second)
    power = _smoothed(ours * ours), _smoothed(theirs * theirs)
    off = theirs - ours
    inked = shared & (power[0] + power[1] > _INK)
    other = inked & (_smoothed(off * off) > _OTHER * (power[0] + power[1] + _NOISE))
    if float(other.sum()) > _MISPLACED * float(inked.sum()):
        return 0
    lighter = _window_sums(np.where(other, np.maximum(second - first - _FAINT, 0), 0))
    darker = _window_sums(np.where(other, np.maximum(first - second - _FAINT, 0), 0))
    inks = [_window_sums(np.where(other, ink * ink, 0)) for ink in (ours, theirs)]
    words = np.minimum(lighter, darker) > _BOTH_WAYS * (lighter + darker)
    words &= np.minimum(*inks) > _BOTH_INKED * np.maximum(*inks)
    return int((other & _pixels_of_windows(words)).sum())


def _eroded(shared: Array) -> Array:
    """Return the shared pixels at a distance from the edge of the shared part."""
    wide = np.pad(shared, _EDGE)
    for axis in (0, 1):
        size = shared.shape[axis]
        parts = [np.take(wide, range(at, at + size), axis) for at in range(2 * _EDGE + 1)]
        wide = np.logical_and.reduce(parts)
    return wide


def _in_tone_of(plane: Array, other: Array, shared: Array) -> Array:
    """Return the plane with each grey replaced by what it usually is in the other."""
    greys, wanted = plane[shared], other[shared]
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


def _smoothed(plane: Array) -> Array:
    return blurred(blurred(plane))


def _window_sums(plane: Array) -> Array:
    """Return the sums over windows that overlap by half."""
    count = plane.shape[0] // _BLOCK
    cells = plane.reshape(count, _BLOCK, count, _BLOCK).sum(axis=(1, 3))
    sums: Array = cells[:-1, :-1] + cells[1:, :-1] + cells[:-1, 1:] + cells[1:, 1:]
    return sums


def _pixels_of_windows(windows: Array) -> Array:
    """Return a mask of the pixels that lie in the given windows (a mask of windows)."""
    wide = np.pad(windows, 1)
    cells = wide[:-1, :-1] | wide[1:, :-1] | wide[:-1, 1:] | wide[1:, 1:]
    pixels: Array = np.kron(cells, np.ones((_BLOCK, _BLOCK), dtype=bool))
    return pixels
