"""Lay the fine greys of two matched pictures over each other, and blur the sharper of them.

Where a picture was made smaller, fine letters are gone: only what both can show is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.aligned import (
    Overlay,
    halved,
    lay_over,
    pixels_of,
    refined,
    sampled,
    unit_grid,
)
from pixtrawl.dedup.overlay.shared_part import Appearance, best_map
from pixtrawl.fine_greys import FINE_SIDE as SIDE

__all__ = ["blurred", "details", "equally_sharp", "laid_over"]

Array = np.ndarray[Any, Any]

_WHOLE: Final = np.array([1, 0, 0, 0, 1, 0], dtype=np.float32)
_IN_PLACE: Final = 0.04  # of `_misfit`, from which no other start is tried
_LEAST_SHARED: Final = 0.4
_DETAIL: Final = 3  # pixels: what is wider than twice this is no detail
_SHARPER: Final = 1.06  # times
_MUCH_SHARPER: Final = 1.25  # from which two resizes differ by more than a blur
_MOST_BLURS: Final = 12


def laid_over(
    ours: Appearance, theirs: Appearance, greys: tuple[Array, Array], overlay: Overlay | None
) -> tuple[Array, Array, Array]:
    """Return both pictures' fine greys in the frame of one of them, and a mask of shared pixels.

    Several starts are refined, in both directions, and the one with the best fit of details is
    taken: 64 x 64 thumbnails match as wholes even if some hundredths of a picture are cut off.
    """
    halves = halved(greys[0]), halved(greys[1])
    x, y = unit_grid(SIDE)
    best: tuple[Array, Array, Array] | None = None
    least = np.inf
    for start, in_one in _starts(ours, theirs, overlay):
        first, second = (0, 1) if in_one else (1, 0)
        large, small = greys[first], greys[second]
        place = refined(large, small, refined(halves[first], halves[second], start))
        at_x, at_y = place[0] * x + place[1] * y + place[2], place[3] * x + place[4] * y + place[5]
        shared = ((at_x > 0) & (at_x < 1) & (at_y > 0) & (at_y < 1)).reshape(SIDE, SIDE)
        laid = sampled(large, at_x, at_y).reshape(SIDE, SIDE)
        misfit = _misfit(laid, small, shared)
        if misfit < least:
            best, least = (laid, small, shared), misfit
        if least < _IN_PLACE:
            break
    assert best is not None
    return best


def _starts(
    ours: Appearance, theirs: Appearance, overlay: Overlay | None
) -> Iterator[tuple[Array, bool]]:
    """Yield maps from the small picture to the large one, and whether ours is the large one."""
    if overlay is not None and overlay.place is not None:
        yield overlay.place, overlay.in_one
    yield _WHOLE, True
    yield best_map(ours, theirs), True
    for in_one in (True, False):
        found = lay_over(pixels_of(ours.thumb), pixels_of(theirs.thumb), 0, in_one)
        if found.place is not None:
            yield found.place, in_one


def _misfit(laid: Array, small: Array, shared: Array) -> float:
    """Return 1 - correlation of the details, both a little blurred."""
    if float(shared.mean()) < _LEAST_SHARED:
        return 2.0
    one, other = (details(blurred(blurred(plane)))[shared] for plane in (laid, small))
    return 1 - float(one @ other) / max(float(np.sqrt((one @ one) * (other @ other))), 1e-3)


def blurred(plane: Array) -> Array:
    """Return the means of 3 x 3 pixels, weighted 1, 2, 1 along each axis."""
    wide = np.pad(plane, 1, "edge")
    rows = wide[:-2] + 2 * wide[1:-1] + wide[2:]
    means: Array = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / np.float32(16)
    return means


def details(plane: Array) -> Array:
    """Return the plane less its local mean (high-pass), `_DETAIL` pixels around."""
    rest: Array = plane - _mean(_mean(plane))
    return rest


def _mean(plane: Array) -> Array:
    size = 2 * _DETAIL + 1
    wide = np.pad(plane, ((_DETAIL + 1, _DETAIL), (_DETAIL + 1, _DETAIL)), "edge")
    rows = np.cumsum(wide, axis=0, dtype=np.float32)
    rows = rows[size:] - rows[:-size]
    sums = np.cumsum(rows, axis=1, dtype=np.float32)
    means: Array = (sums[:, size:] - sums[:, :-size]) / np.float32(size * size)
    return means


def equally_sharp(first: Array, second: Array) -> tuple[Array, Array]:
    """Blur the sharper picture until both have the same share of fine detail.

    Where one is much sharper both are blurred once first: a resize is not quite a blur.
    """
    sharp = _sharpness(first), _sharpness(second)
    if max(sharp) > _MUCH_SHARPER * min(sharp):
        first, second = blurred(first), blurred(second)
        sharp = _sharpness(first), _sharpness(second)
    for _ in range(_MOST_BLURS):
        if max(sharp) < _SHARPER * min(sharp):
            break
        if sharp[0] > sharp[1]:
            first = blurred(first)
            sharp = _sharpness(first), sharp[1]
        else:
            second = blurred(second)
            sharp = sharp[0], _sharpness(second)
    return first, second


def _sharpness(plane: Array) -> float:
    """Return the power of the finest details as a share of that of all details."""
    detail = details(plane).ravel()
    finest = (plane - blurred(plane)).ravel()
    return float(finest @ finest) / (float(detail @ detail) + 1e3)
