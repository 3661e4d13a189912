"""Find roughly which part of one picture another one shows, for many pictures at once.

Cuts 81 windows of 90-100 % out of a 16x16 grey picture; each is described by its 8x8 lowest DCT
terms without the constant, multiplied by frequency and scaled to length 1. The weights whiten
natural spectra: for two landscapes (bright sky over dark ground) plain correlation gives 0.6, the
weighted one 0.35; a crop of 10 % has 0.84 or more in 99 of 100 photographs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

__all__ = [
    "COARSE",
    "WEIGHTS",
    "Place",
    "axis_cutters",
    "best_places",
    "cut_windows",
    "shrunk",
    "window_map",
]

Array = np.ndarray[Any, Any]

COARSE: Final = 16
_TERMS: Final = 8
_AXIS: Final = (
    (0.0, 1.0),
    *((start, 0.95) for start in (0.0, 0.025, 0.05)),
    *((start, 0.90) for start in (0.0, 0.025, 0.05, 0.075, 0.1)),
)  # (start, length) along one axis
_NUMBER: Final = len(_AXIS)

Place = tuple[float, int, bool]  # score 0..1, window, whether it is a window of ours


def _resampler(start: float, length: float) -> Array:
    """Return the 16x16 matrix of linear interpolation over a part of an axis."""
    centres = (start + length * (np.arange(COARSE) + 0.5) / COARSE) * COARSE - 0.5
    centres = np.clip(centres, 0, COARSE - 1)
    left = np.minimum(centres.astype(int), COARSE - 2)
    matrix = np.zeros((COARSE, COARSE))
    rows = np.arange(COARSE)
    matrix[rows, left] = 1 - (centres - left)
    matrix[rows, left + 1] += centres - left
    return matrix


def _cosines() -> Array:
    k = np.arange(_TERMS)[:, None]
    rows: Array = np.cos(np.pi * k * (2 * np.arange(COARSE)[None, :] + 1) / (2 * COARSE))
    rows[0] *= np.sqrt(0.5)
    return rows


def axis_cutters(parts: Sequence[tuple[float, float]]) -> Array:
    """Return parts x 8 x 16: each takes 16 values to the lowest terms of (start, length)."""
    return np.stack([_cosines() @ _resampler(*part) for part in parts]).astype(np.float32)


_CUTTERS: Final = axis_cutters(_AXIS).reshape(_NUMBER * _TERMS, COARSE)
_SHRINK: Final = np.kron(np.eye(COARSE), np.full((1, 4), 0.25)).astype(np.float32)  # 16 x 64
WEIGHTS: Final = np.hypot(*np.mgrid[:_TERMS, :_TERMS]).astype(np.float32)


def shrunk(thumbs: Array) -> Array:
    """Shrink ... x 64 x 64 to ... x 16 x 16 by area, float32; four times as fast as mean()."""
    return _SHRINK @ thumbs.astype(np.float32) @ _SHRINK.T


def cut_windows(coarse: Array, *, wholes_only: bool = False) -> Array:
    """Return n x 81 x 64 terms, of length 1, of the windows of n x 16 x 16; the whole is first."""
    cutters = _CUTTERS[:_TERMS] if wholes_only else _CUTTERS
    number = len(cutters) // _TERMS
    stack = cutters @ coarse @ cutters.T
    parts = stack.reshape(-1, number, _TERMS, number, _TERMS).transpose(0, 1, 3, 2, 4)
    weighted: Array = (parts * WEIGHTS).reshape(len(coarse), number * number, _TERMS * _TERMS)
    lengths = np.sqrt(np.einsum("nwt,nwt->nw", weighted, weighted))
    weighted /= np.maximum(lengths, 1e-3)[:, :, None]
    return weighted


def best_places(ours: Array, theirs: Array) -> list[Place]:
    """Return the best window for each of n pictures; `ours` 81 x 64, `theirs` n x 81 x 64."""
    in_ours = ours @ theirs[:, 0].T  # 81 x n
    in_theirs = theirs @ ours[0]  # n x 81
    at_ours, at_theirs = in_ours.argmax(axis=0), in_theirs.argmax(axis=1)
    places: list[Place] = []
    for n, (a, b) in enumerate(zip(at_ours.tolist(), at_theirs.tolist(), strict=True)):
        score_a, score_b = float(in_ours[a, n]), float(in_theirs[n, b])
        places.append((score_a, a, True) if score_a >= score_b else (score_b, b, False))
    return places


def window_map(window: int) -> Array:
    """Return the affine map from a window's coordinates to its picture's, both 0..1."""
    (top, height), (left, width) = _AXIS[window // _NUMBER], _AXIS[window % _NUMBER]
    return np.array([width, 0.0, left, 0.0, height, top], dtype=np.float32)
