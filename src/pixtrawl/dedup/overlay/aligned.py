"""The second look: align one thumbnail with the other, then compare hashes of their common part.

No hash of a whole picture survives a crop of 10 % (found: 0.6 %). Starting from the best coarse
window, a few Gauss-Newton steps on an affine map find the exact overlay, small rotations included,
first on 32x32, then on 64x64 pixels. Both pictures are cropped to their common part and the 256-bit
hashes of the crops compared: crops usually differ by 12 bits, distinct photographs by 60 or more.
Pictures of two objects on the same background come closer, but not everywhere: the worst block of
the overlay distinguishes them from copies.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from pixtrawl.dedup.overlay.crop_windows import best_places, cut_windows, shrunk, window_map
from pixtrawl.fine_greys import FINE_SIDE

__all__ = [
    "FAR",
    "SIDE",
    "THUMB_BYTES",
    "Overlay",
    "aligned_distance",
    "bits_of",
    "cosines",
    "halved",
    "hash_of",
    "lay_over",
    "lay_over_from",
    "lay_over_marked",
    "pixels_of",
    "refined",
    "sampled",
    "shared_points",
    "terms_of",
    "unit_grid",
]

Array = np.ndarray[Any, Any]

SIDE: Final = 64
THUMB_BYTES: Final = SIDE * SIDE
FAR: Final = 256  # distance of pictures that cannot be aligned

_HALF: Final = SIDE // 2
_DOUBLE: Final = 2 * SIDE  # for pairs that are matched already (pair_overlay.py)
_STEPS: Final = {_HALF: 10, SIDE: 6, FINE_SIDE // 2: 8, _DOUBLE: 6, FINE_SIDE: 6}
_SMALL_STEP: Final = {  # of a side
    _HALF: 1e-3, SIDE: 3e-4, FINE_SIDE // 2: 3e-4, _DOUBLE: 2e-4, FINE_SIDE: 2e-4
}  # fmt: skip
_LARGEST_STEP: Final = 0.05
_FARTHEST: Final = 0.2  # largest change of a parameter during the search; beyond it, it diverged
_LEAST_SHARED: Final = 0.7  # of a side that must be in common
_GAINS: Final = (0.2, 5.0)  # range of the contrast ratio of two copies
_UNLIKE: Final = 120  # bits on 32x32 before the search: crops of 10 % had 96 at most, rotations of
# 3 degrees 112, crops of 20 % more in 3 of 100; two thirds of distinct pairs have more
_VERY_UNLIKE: Final = 128  # the same for windows that lie in steps of a tenth
_HOPELESS: Final = 80  # bits on 32x32 after the search: no detected copy had more than 60
_COEFFICIENTS: Final = 16
_BLOCKS: Final = 8


def _grid(side: int) -> tuple[Array, Array]:
    centres = (np.arange(side, dtype=np.float32) + 0.5) / side
    x, y = np.meshgrid(centres, centres)
    return x.ravel(), y.ravel()


def cosines(side: int) -> Array:
    """Return the rows 1..16 of the DCT (16 x `side`), not normalised."""
    k = np.arange(1, _COEFFICIENTS + 1)[:, None]
    rows = np.cos(np.pi * k * (2 * np.arange(side)[None, :] + 1) / (2 * side))
    return rows.astype(np.float32)


class Overlay(Struct, frozen=True):
    """How similar two pictures are in their common part.

    `distance` is in bits of 256 (FAR: not alignable). `misfit` is the error of the worst block in
    standard deviations: up to 0.3 for crops, 0.75 and more where one object replaces another
    (another shirt on the same floor).
    """

    distance: int
    misfit: float
    place: Array | None = None  # affine map from the small picture to the large one, 0..1
    in_one: bool = True  # whether the first picture is the large one


_GRIDS: Final = {side: _grid(side) for side in (16, *_STEPS)}
_DCT: Final = {side: cosines(side) for side in (_HALF, SIDE)}


def pixels_of(thumb: bytes) -> Array:
    """Return a thumbnail's 4,096 bytes as a 64 x 64 uint8 array."""
    return np.frombuffer(thumb, dtype=np.uint8).reshape(SIDE, SIDE)


def hash_of(square: Array) -> bytes:
    """Return the perceptual hash (32 bytes) of a 64 x 64 thumbnail, as inspection does."""
    return np.packbits(_bits(square.astype(np.float32), SIDE)).tobytes()


def aligned_distance(thumb_a: bytes, thumb_b: bytes) -> int:
    """Return the distance (0..256 bits) of two thumbnails of 4,096 bytes after alignment."""
    one, other = pixels_of(thumb_a), pixels_of(thumb_b)
    windows = cut_windows(shrunk(np.stack([one, other])))
    _, window, in_one = best_places(windows[0], windows[1:])[0]
    return lay_over(one, other, window, in_one).distance


def lay_over(one: Array, other: Array, window: int, in_one: bool) -> Overlay:
    """Align `one` and `other` (64 x 64), starting with all of one on a window of the other."""
    return lay_over_from(one, other, window_map(window), in_one, _UNLIKE)


def lay_over_from(
    one: Array, other: Array, start: Array, in_one: bool, unlike: int = _VERY_UNLIKE
) -> Overlay:
    """Align `one` and `other` (64 x 64), starting with a map from the small one to the large one.

    Stops early where they differ by more than `unlike` bits at the start. `in_one` states that the
    first is the large one.
    """
    large, small = (one, other) if in_one else (other, one)
    large_half, small_half = (halved(plane) for plane in (large, small))
    rough = _compared(large_half, small_half, start)
    if rough.distance > unlike:
        return rough
    coarse = refined(large_half, small_half, start)
    rough = min(rough, _compared(large_half, small_half, coarse), key=_distance)
    if rough.distance > _HOPELESS:
        return rough
    large, small = large.astype(np.float32), small.astype(np.float32)
    fine = refined(large, small, coarse)
    best = min((_compared(large, small, p) for p in (start, fine)), key=_distance)
    return replace(best, in_one=in_one)


def lay_over_marked(one: Array, other: Array, start: Array) -> Overlay:
    """Align two pictures of which one may bear marks, from a map of `other` to `one`.

    As `lay_over_from`, but without stopping early: a mark alone changes 80 bits.
    """
    coarse = refined(halved(one), halved(other), start)
    large, small = one.astype(np.float32), other.astype(np.float32)
    fine = refined(large, small, coarse)
    return min((_compared(large, small, p) for p in (start, fine)), key=_distance)


def _distance(overlay: Overlay) -> int:
    return overlay.distance


def unit_grid(side: int) -> tuple[Array, Array]:
    """Return x and y (0..1) of all pixel centres of a square, row by row."""
    return _GRIDS[side]


def halved(plane: Array) -> Array:
    """Shrink a plane to half its sides, by area."""
    wide = plane.astype(np.float32)
    sums = wide[::2, ::2] + wide[1::2, ::2] + wide[::2, 1::2] + wide[1::2, 1::2]
    halves: Array = sums * np.float32(0.25)
    return halves


def _corners(plane: Array, x: Array, y: Array) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Return the four pixels around each point (0..1, edges clamped) and its offsets in them."""
    side = plane.shape[0]
    across = np.clip(x * side - 0.5, 0, side - 1.001)
    down = np.clip(y * side - 0.5, 0, side - 1.001)
    left, top = across.astype(np.intp), down.astype(np.intp)
    across -= left
    down -= top
    flat, at = plane.ravel(), top * side + left
    return flat[at], flat[at + 1], flat[at + side], flat[at + side + 1], across, down


def sampled(plane: Array, x: Array, y: Array) -> Array:
    """Sample the plane at the points, bilinearly."""
    a, b, c, d, across, down = _corners(plane, x, y)
    upper = a + across * (b - a)
    values: Array = upper + down * (c + across * (d - c) - upper)
    return values


def refined(large: Array, small: Array, start: Array) -> Array:
    """Fit an affine map (six parameters), gain and offset of the grey values by Gauss-Newton.

    The model is small(x, y) = gain * large(p0 x + p1 y + p2, p3 x + p4 y + p5) + offset. Outlier
    pixels (a logo, a caption) are down-weighted from the second step on.
    """
    side = small.shape[0]
    x, y = _GRIDS[side]
    target = small.ravel()
    rows = np.empty((8, side * side), dtype=np.float32)
    p, weights = start.astype(np.float32), None
    for _ in range(_STEPS[side]):
        at_x, at_y = p[0] * x + p[1] * y + p[2], p[3] * x + p[4] * y + p[5]
        inside = (at_x > 0) & (at_x < 1) & (at_y > 0) & (at_y < 1)
        values = _slopes(large, at_x, at_y, rows)
        weighted = rows * (inside if weights is None else inside * weights)
        solved = _solved(weighted @ rows.T, weighted @ target)
        gain, offset = solved[6], solved[7]
        if not _GAINS[0] < gain < _GAINS[1]:
            return start
        step = solved[:6] / gain
        p += np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)
        if np.abs(p - start).max() > _FARTHEST:
            return start
        if np.abs(step).max() < _SMALL_STEP[side]:
            break
        misfit = np.abs(target - gain * values - offset)
        scale = 3 * misfit.mean() + 2
        weights = 1 / (1 + (misfit / scale) ** 2)
    return p


def _slopes(large: Array, x: Array, y: Array, rows: Array) -> Array:
    """Fill `rows` with the Jacobian (8 x pixels); return the sampled values."""
    grid_x, grid_y = _GRIDS[large.shape[0]]
    a, b, c, d, across, down = _corners(large, x, y)
    upper, lower = b - a, d - c
    left = a + across * upper
    fall = c + across * lower - left
    slope_x = (upper + down * (lower - upper)) * large.shape[0]
    slope_y = fall * large.shape[0]
    values: Array = left + down * fall
    np.multiply(slope_x, grid_x, out=rows[0])
    np.multiply(slope_x, grid_y, out=rows[1])
    rows[2] = slope_x
    np.multiply(slope_y, grid_x, out=rows[3])
    np.multiply(slope_y, grid_y, out=rows[4])
    rows[5], rows[6], rows[7] = slope_y, values, 1.0
    return values


def _solved(normal: Array, right: Array) -> Array:
    """Solve the normal equations, with a ridge of 1e-6 so that flat pictures have a solution."""
    square = normal.astype(np.float64)
    square[np.arange(8), np.arange(8)] += 1e-6 * np.trace(square) / 8 + 1e-6
    answer: Array = np.linalg.solve(square, right.astype(np.float64)).astype(np.float32)
    return answer


def _compared(large: Array, small: Array, p: Array) -> Overlay:
    """Compare both over the largest upright rectangle of `small` that `large` shows too."""
    side = small.shape[0]
    points = shared_points(p, side)
    if points is None:
        return Overlay(FAR, np.inf)
    x, y, at_x, at_y = points
    ours, theirs = sampled(small, x, y), sampled(large, at_x, at_y)
    distance = int(np.count_nonzero(_bits(ours, side) != _bits(theirs, side)))
    return Overlay(distance, _misfit(ours, theirs, side), p)


def shared_points(p: Array, side: int) -> tuple[Array, Array, Array, Array] | None:
    """Return side x side points of the common part, as x, y of `small` and x, y of `large`.

    None where too little is in common.
    """
    low_x, high_x = _shared(p[0], abs(p[1]), p[2], p[1])
    low_y, high_y = _shared(p[4], abs(p[3]), p[5], p[3])
    if high_x - low_x < _LEAST_SHARED or high_y - low_y < _LEAST_SHARED:
        return None
    grid_x, grid_y = _GRIDS[side]
    x, y = low_x + (high_x - low_x) * grid_x, low_y + (high_y - low_y) * grid_y
    return x, y, p[0] * x + p[1] * y + p[2], p[3] * x + p[4] * y + p[5]


def _misfit(ours: Array, theirs: Array, side: int) -> float:
    """Return the mean error of the worst of 8 x 8 blocks, in standard deviations of the whole."""
    ours, theirs = ours - ours.mean(), theirs - theirs.mean()
    gain = (ours @ theirs) / max(float(theirs @ theirs), 1e-6)
    step = side // _BLOCKS
    off = (ours - gain * theirs).reshape(_BLOCKS, step, _BLOCKS, step).mean(axis=(1, 3))
    return float(np.abs(off).max() / max(float(ours.std()), 1e-3))


def _shared(scale: float, slant: float, shift: float, signed: float) -> tuple[float, float]:
    """Return the interval on one axis of `small` that maps inside 0..1 for all of the other."""
    if slant >= _FARTHEST or scale <= 0:
        return 0.0, 0.0
    least, most = min(0.0, float(signed)), max(0.0, float(signed))
    low = max(0.0, float((0.0 - shift - least) / scale))
    high = min(1.0, float((1.0 - shift - most) / scale))
    return low, high


def _bits(values: Array, side: int) -> Array:
    return bits_of(_DCT[side] @ values.reshape(side, side) @ _DCT[side].T)


def terms_of(squares: Array) -> Array:
    """Return the 16 x 16 DCT terms (... x 16 x 16) that hashes of 64 x 64 pictures are made of."""
    terms: Array = _DCT[SIDE] @ squares.astype(np.float32) @ _DCT[SIDE].T
    return terms


def bits_of(terms: Array) -> Array:
    """Return 256 booleans for each block of 16 x 16 terms: which exceed their median."""
    values = terms.reshape(*terms.shape[:-2], _COEFFICIENTS**2)
    bits: Array = values > np.partition(values, 127)[..., 127, None]
    return bits
