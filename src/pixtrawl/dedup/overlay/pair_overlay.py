"""Lay one picture over another that is known to be a copy of it, whatever was cut off or added.

Searches far more windows than the second look (55-100 % of each axis apart, 35 % of one, so that
frames, title bars, padding and crops to a square are found; those that do not distort the picture
first) on 128 x 128 pixels, and measures the fit by the share of
pixels that agree: a caption or a logo then costs its area and does not pull the overlay aside.
Where none of them fits, as in walls and lawns, places are looked for by correlation.
Takes 30 to 90 ms (and 90 more where none fits), so it is for pairs that are already matched.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.dedup.overlay.aligned import halved, refined, sampled, unit_grid
from pixtrawl.dedup.overlay.correlated import places_in
from pixtrawl.dedup.overlay.crop_windows import COARSE, WEIGHTS, axis_cutters
from pixtrawl.portrait import PORTRAIT_SIDE as SIDE, Portrait

__all__ = ["Box", "PairOverlay", "grey_of", "lay_over_copy", "outside_of"]

Array = np.ndarray[Any, Any]
Box = tuple[float, float, float, float]  # left, right, top, bottom, in sides of the picture

_LENGTHS: Final = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55)
_AXIS: Final = (
    (0.0, 1.0),
    *(
        (float(start), length)
        for length in _LENGTHS
        for start in np.arange(0, 1 - length + 1e-6, 0.025 if length > 0.8 else 0.05)
    ),
)
_CUTTERS: Final = axis_cutters(_AXIS)
# Padding to another shape leaves less, but along one axis only.
_PADDED: Final = tuple(
    (round(float(start), 3), length)
    for length in (0.5, 0.45, 0.4, 0.35)
    for start in np.arange(0, 1 - length + 1e-6, 0.05)
)
_PADDED_CUTTERS: Final = axis_cutters(_PADDED)
_TRIED: Final = 4  # windows that are refined, best first
_TRIED_UNDISTORTED: Final = 3  # of those that keep the shape of what is in the picture
_UNDISTORTED: Final = 0.07  # of the logarithm of the aspect ratio
_DISTORTION: Final = 0.02  # misfit added for another shape, which few copies have
_PERFECT: Final = 0.03  # a misfit from which no other window is tried
_CLEARLY: Final = 0.004  # a better window must be better by so much
_POOR: Final = 0.18  # misfit from which places are looked for by correlation; words have less
_CORRELATED: Final = 3  # places that are refined
_LEAST_SHARED: Final = 0.3
_GAINS: Final = (0.2, 5.0)
_OUTSIDE: Final = 0.3  # misfit of pixels that the other picture does not show


class PairOverlay(Struct, frozen=True):
    """How two copies lie over each other.

    `map` takes a point of the small picture to the large one: x' = m0 x + m1 y + m2, y' = m3 x +
    m4 y + m5, each 0..1. "Large" is the one that shows all, or more, of the other.
    """

    first_is_large: bool
    map: Array
    misfit: float  # share of pixels that do not agree, 0..1

    def box_in_large(self) -> Box:
        """Return the part of the large picture that the small one shows."""
        m = self.map
        return float(m[2]), float(m[0] + m[2]), float(m[5]), float(m[4] + m[5])

    def box_in_small(self) -> Box:
        """Return the part of the small picture that the large one shows."""
        m = self.map
        return (
            float(-m[2] / m[0]),
            float((1 - m[2]) / m[0]),
            float(-m[5] / m[4]),
            float((1 - m[5]) / m[4]),
        )


def grey_of(one: Portrait) -> Array:
    """Return the SIDE x SIDE greys that are laid over others."""
    return np.frombuffer(one.grey, dtype=np.uint8).reshape(SIDE, SIDE)


def outside_of(box: Box) -> float:
    """Return the share of a picture that lies outside of a box."""
    left, right, top, bottom = (min(1.0, max(0.0, value)) for value in box)
    return 1 - (right - left) * (bottom - top)


def lay_over_copy(first: Array, second: Array, aspect: float = 1.0) -> PairOverlay:
    """Align two copies of one picture; both SIDE x SIDE grey.

    `aspect` is the first picture's width / height as a multiple of the second's.
    """
    ways = (_aligned_from(first, second, way, _start(0)) for way in (True, False))
    whole = min(ways, key=_misfit_of)
    if whole.misfit < _PERFECT:
        return whole
    terms = [_terms(_coarse(one)) for one in (first, second)]
    starts = []
    for in_first, (large, small) in ((True, terms), (False, terms[::-1])):
        scores = large @ small[0]
        distortion = np.abs(_SHAPES + math.log(aspect if in_first else 1 / aspect))
        undistorted = np.where(distortion < _UNDISTORTED, scores, -1.0)
        for ranked, count in ((undistorted, _TRIED_UNDISTORTED), (scores, _TRIED)):
            best_first = np.argsort(-ranked)[:count]
            starts.append([(float(ranked[n]), in_first, int(n)) for n in best_first])
    undistorted_first = sorted(starts[0] + starts[2], reverse=True)[:_TRIED_UNDISTORTED]
    others = sorted(starts[1] + starts[3], reverse=True)[:_TRIED]
    best, least = whole, _penalised_misfit(whole, aspect)
    for _, first_is_large, window in dict.fromkeys(undistorted_first + others):
        found = _aligned_from(first, second, first_is_large, _start(window))
        judged = _penalised_misfit(found, aspect)
        if judged < least - _CLEARLY:
            best, least = found, judged
        if least < _PERFECT:
            break
    if best.misfit < _POOR:
        return best
    correlated = _correlated(first, second, aspect)
    return min((best, *correlated), key=lambda overlay: _penalised_misfit(overlay, aspect))


def _correlated(first: Array, second: Array, aspect: float) -> list[PairOverlay]:
    """Align both from where fine detail correlates best, in either direction."""
    shape = math.log(aspect)
    starts = [(place, True) for place in places_in(first, second, -shape)[:_CORRELATED]]
    starts += [(place, False) for place in places_in(second, first, shape)[:_CORRELATED]]
    starts.sort(key=lambda start: start[0].score, reverse=True)
    return [_aligned_from(first, second, way, place.map) for place, way in starts[:_CORRELATED]]


def _penalised_misfit(overlay: PairOverlay, aspect: float) -> float:
    """Return the misfit, more for a map that distorts what is in the picture."""
    across, down = float(overlay.map[0]), float(overlay.map[4])
    if across <= 0 or down <= 0:
        return overlay.misfit + _DISTORTION
    shape = math.log(across / down) + math.log(aspect if overlay.first_is_large else 1 / aspect)
    return overlay.misfit + (_DISTORTION if abs(shape) > _UNDISTORTED else 0.0)


def _misfit_of(overlay: PairOverlay) -> float:
    return overlay.misfit


def _aligned_from(first: Array, second: Array, first_is_large: bool, start: Array) -> PairOverlay:
    """Align both, starting with a map of all of the small one to the large one."""
    large, small = (first, second) if first_is_large else (second, first)
    large, small = large.astype(np.float32), small.astype(np.float32)
    found = [start, _refined(large, small, start)]  # the search may go astray
    misfits = [_misfit(large, small, one) for one in found]
    at = int(np.argmin(misfits))
    return PairOverlay(first_is_large, found[at], misfits[at])


def _coarse(plane: Array) -> Array:
    step = SIDE // COARSE
    small: Array = plane.reshape(COARSE, step, COARSE, step).mean(axis=(1, 3)).astype(np.float32)
    return small


def _terms(coarse: Array) -> Array:
    """Return windows x 64 terms of length 1 for all pairs of a part of each axis."""
    wide = _cut(coarse, _CUTTERS, _CUTTERS)
    tall = _cut(coarse, _PADDED_CUTTERS, _CUTTERS[:1])
    broad = _cut(coarse, _CUTTERS[:1], _PADDED_CUTTERS)
    flat: Array = np.concatenate((wide, tall, broad))
    flat /= np.maximum(np.sqrt((flat * flat).sum(axis=1)), 1e-3)[:, None]
    return flat


def _cut(coarse: Array, down: Array, across: Array) -> Array:
    rows = np.einsum("nij,jk->nik", down, coarse)
    terms: Array = np.einsum("nik,mjk->nmij", rows, across) * WEIGHTS
    return terms.reshape(len(down) * len(across), -1)


_STARTS: Final = (
    *product(_AXIS, _AXIS),
    *product(_PADDED, _AXIS[:1]),
    *product(_AXIS[:1], _PADDED),
)  # (top, height), (left, width)
_SHAPES: Final = np.array([math.log(across[1] / down[1]) for down, across in _STARTS])


def _start(window: int) -> Array:
    (top, height), (left, width) = _STARTS[window]
    return np.array([width, 0.0, left, 0.0, height, top], dtype=np.float32)


def _refined(large: Array, small: Array, start: Array) -> Array:
    return refined(large, small, refined(halved(large), halved(small), start))


def _misfit(large: Array, small: Array, found: Array) -> float:
    """Return the share of pixels that differ by more than a quarter of the contrast."""
    x, y = unit_grid(SIDE)
    at_x = found[0] * x + found[1] * y + found[2]
    at_y = found[3] * x + found[4] * y + found[5]
    inside = (at_x > 0) & (at_x < 1) & (at_y > 0) & (at_y < 1)
    shared = float(inside.mean())
    if shared < _LEAST_SHARED:
        return 1.0
    values, target = sampled(large, at_x, at_y)[inside], small.ravel()[inside]
    weights = _inlier_weights(values) * _inlier_weights(target)
    gain, off = 1.0, weights
    for _ in range(3):
        total = weights.sum()
        a = values - (weights * values).sum() / total
        b = target - (weights * target).sum() / total
        gain = float((weights * a * b).sum() / ((weights * a * a).sum() + 1e-3))
        off = np.abs(b - gain * a)
        weights = 1 / (1 + (off / (3 * np.median(off) + 2)) ** 2)
    if not _GAINS[0] < gain < _GAINS[1]:
        return 1.0
    differs = float((off >= 0.25 * target.std() + 3).mean())
    return differs + _OUTSIDE * (1 - shared)


def _inlier_weights(values: Array) -> Array:
    """Return 0 for values far from the others, otherwise 1: a black bar must not lead the fit."""
    off = np.abs(values - np.median(values))
    usual: Array = (off <= 3 * np.median(off) + 2).astype(np.float32)
    return usual
