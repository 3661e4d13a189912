"""Tell padding made of the picture itself from more of the scene.

Pictures are padded to another shape with an enlarged, blurred, often darkened copy of themselves.
With little blur it has as much detail as a soft part of a scene, and sky or ground continue across
the line. So the padding is reproduced here: the inside is enlarged to cover the whole, or stretched
to it, and compared with the outside. How much of the variance must be explained to rule out chance
(one sky resembles another) was fixed on half of the photographs of `bench.best_copy`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

__all__ = ["MOST_LOG_ODDS", "own_padding_log_odds"]

Array = np.ndarray[Any, Any]

_LEAST_INSIDE: Final = 0.1  # of a side
_LEAST_OUTSIDE: Final = 1.5  # of a line of pixels
_MARGIN: Final = 2.0  # pixels; the overlay errs by one
_ZOOMS: Final = tuple(1 + 0.06 * step for step in range(9))  # beyond what covers the whole
_FINE_ZOOMS: Final = tuple(1 + 0.01 * step for step in range(-3, 4))
_BLURS: Final = (0.8, 1.2, 1.8, 2.7, 4.0, 6.0, 9.0)  # standard deviation, of 128 pixels across
_USUAL_BLUR: Final = 2.7
_NOISE: Final = 1.0  # variance of compression, grey levels squared
_UNSURE: Final = 0.001
_WEIGHT: Final = 2.0
_BY_CHANCE: Final = 2.0  # log odds of the explained share that pictures reach by chance
MOST_LOG_ODDS: Final = 10.0


def own_padding_log_odds(
    plane: Array,
    box: tuple[float, float, float, float],
    aspect: float,
    inside: Array | None = None,
) -> float:
    """Return the log odds of padding, 0 to `MOST_LOG_ODDS`: the test never speaks against it.

    `plane` is square and grey, `box` (left, right, top, bottom; 0..1) the picture inside, `aspect`
    width / height of the whole. `inside` shows what is in the box more finely, if given.
    """
    left, right, top, bottom = box
    outside = _outside(plane.shape[0], box)
    if min(right - left, bottom - top) < _LEAST_INSIDE:
        return 0.0
    if outside.sum() < _LEAST_OUTSIDE * plane.shape[0]:
        return 0.0
    if inside is None:
        x, right_x, y, bottom_y = (round(value * plane.shape[0]) for value in box)
        inside = plane[y:bottom_y, x:right_x]
    padding = _Padding(plane.astype(np.float32), inside.astype(np.float32), box, aspect, outside)
    share = min(padding.explained(), 1.0)
    odds = float(np.log((share + _UNSURE) / (1 - share + _UNSURE)))
    return min(MOST_LOG_ODDS, max(0.0, _WEIGHT * (odds - _BY_CHANCE)))


class _Padding:
    """Compares what is outside of a box with copies of what is inside."""

    def __init__(
        self,
        plane: Array,
        inside: Array,
        box: tuple[float, float, float, float],
        aspect: float,
        outside: Array,
    ) -> None:
        self._side = plane.shape[0]
        self._inside = inside
        self._box = box
        self._aspect = aspect
        self._outside = outside
        self._target = plane[outside] - plane[outside].mean()

    def explained(self) -> float:
        """Return the share of the variance outside that the best copy explains, 0..1."""
        left, right, top, bottom = self._box
        stretched = (1 / (right - left), 1 / (bottom - top))
        covering = max(stretched)
        scales = [(covering * zoom, covering * zoom) for zoom in _ZOOMS]
        scales.append(stretched)
        across, down = max(scales, key=lambda scale: self._share(scale[0], scale[1], _USUAL_BLUR))
        blur = max(_BLURS, key=lambda blur_px: self._share(across, down, blur_px))
        return max(self._share(across * zoom, down * zoom, blur) for zoom in _FINE_ZOOMS)

    def _share(self, across: float, down: float, blur_px: float) -> float:
        left, right, top, bottom = self._box
        side, (height, width) = self._side, self._inside.shape
        rows = _enlarging(side, height, down * (bottom - top))
        columns = _enlarging(side, width, across * (right - left))
        rows = _blurring(side, blur_px * self._aspect) @ rows
        columns = _blurring(side, blur_px) @ columns
        copy = (rows @ self._inside @ columns.T)[self._outside]
        copy -= copy.mean()
        both = float(copy @ self._target)
        if both <= 0:
            return 0.0
        noise = _NOISE * copy.size
        ours, theirs = float(copy @ copy), float(self._target @ self._target)
        share: float = both * both / ((ours + noise) * (theirs + noise))
        return share


def _outside(side: int, box: tuple[float, float, float, float]) -> Array:
    left, right, top, bottom = (value * side for value in box)
    at = np.arange(side) + 0.5
    across = (at > left - _MARGIN) & (at < right + _MARGIN)
    down = (at > top - _MARGIN) & (at < bottom + _MARGIN)
    outside: Array = ~(down[:, None] & across[None])
    return outside


def _enlarging(side: int, source: int, covered: float) -> Array:
    """Return the matrix that enlarges an axis of `source` pixels to `covered` sides, centred."""
    at = 0.5 + ((np.arange(side) + 0.5) / side - 0.5) / covered
    at = np.clip(at * source - 0.5, 0, source - 1)
    first = np.clip(np.floor(at).astype(int), 0, source - 2)
    matrix, rows = np.zeros((side, source), dtype=np.float32), np.arange(side)
    matrix[rows, first] = 1 - (at - first)
    matrix[rows, first + 1] += at - first
    return matrix


def _blurring(side: int, deviation_px: float) -> Array:
    at = np.arange(side, dtype=np.float32)
    weights = np.exp(-((at[:, None] - at[None]) ** 2) / (2 * max(deviation_px, 0.3) ** 2))
    blurring: Array = weights / weights.sum(axis=1, keepdims=True)
    return blurring
