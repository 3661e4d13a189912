"""Windows of half to nine tenths of a picture: deep crops, crops to a square, and padding.

As in `crop_windows`, but down to 0.6 of both axes, and to 0.38 of one. They tell where to lay one
picture over another that the second look has not found; `lay_over` then finds the exact place.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.crop_windows import WEIGHTS, axis_cutters

__all__ = ["deep_windows", "map_of"]

Array = np.ndarray[Any, Any]
Part = tuple[float, float]  # start and length along one axis


def _parts(lengths: tuple[float, ...], step: float) -> list[Part]:
    return [
        (round(float(start), 3), length)
        for length in lengths
        for start in np.arange(0, 1 - length + 1e-6, step)
    ]


_WHOLE: Final = (0.0, 1.0)
_BOTH: Final = (_WHOLE, *_parts((0.9, 0.8), 0.05), *_parts((0.7, 0.6), 0.1))
_ONE: Final = (  # with the whole of the other axis
    *_parts((0.5, 0.45, 0.38), 0.1),
    *((round((1 - length) / 2, 3), length) for length in (0.66, 0.6, 0.45, 0.38)),
)
_WINDOWS: Final = (
    *((down, across) for down in _BOTH for across in _BOTH),
    *((down, _WHOLE) for down in _ONE),
    *((_WHOLE, across) for across in _ONE),
)
_TERMS: Final = 8
_OF_BOTH: Final = axis_cutters(_BOTH).reshape(len(_BOTH) * _TERMS, -1)
_OF_ONE: Final = axis_cutters(_ONE).reshape(len(_ONE) * _TERMS, -1)
_OF_WHOLE: Final = axis_cutters((_WHOLE,)).reshape(_TERMS, -1)


def deep_windows(coarse: Array) -> Array:
    """Return windows x 64 terms, of length 1, of one 16 x 16 picture."""
    rows = np.concatenate(
        (
            _cut(coarse, _OF_BOTH, _OF_BOTH),
            _cut(coarse, _OF_ONE, _OF_WHOLE),
            _cut(coarse, _OF_WHOLE, _OF_ONE),
        )
    )
    lengths = np.sqrt(np.einsum("wt,wt->w", rows, rows))
    terms: Array = rows / np.maximum(lengths, 1e-3)[:, None]
    return terms


def _cut(coarse: Array, down: Array, across: Array) -> Array:
    product = down @ coarse @ across.T
    parts = product.reshape(len(down) // _TERMS, _TERMS, len(across) // _TERMS, _TERMS)
    terms: Array = (parts.transpose(0, 2, 1, 3) * WEIGHTS).reshape(-1, _TERMS * _TERMS)
    return terms


def map_of(window: int) -> Array:
    """Return the affine map from a window's coordinates to its picture's, both 0..1."""
    (top, height), (left, width) = _WINDOWS[window]
    return np.array([width, 0.0, left, 0.0, height, top], dtype=np.float32)
