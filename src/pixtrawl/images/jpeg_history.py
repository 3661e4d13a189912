"""Find in a picture's pixels that it was compressed as a JPEG before, more coarsely than now.

Decoded coefficients of an 8 x 8 block lie at multiples of the quantisation step. After a second,
finer compression, or in a lossless file made from a JPEG, they still do (double quantisation; J.
Fridrich and J. Lukas, "Estimation of primary quantization matrix in double compressed JPEG images",
2003). Only a file on the same grid shows it: not a crop or a resized copy.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

__all__ = ["earlier_quality"]

Array = np.ndarray[Any, Any]

_BLOCK: Final = 8
_BLOCKS: Final = 4_000  # more do not change the answer
_QUALITIES: Final = range(60, 98)
# Row, column, place in the zigzag order, and step in the table of JPEG annex K.1.
_PLACES: Final = (
    (0, 1, 1, 11), (1, 0, 2, 12), (2, 0, 3, 14), (1, 1, 4, 12), (0, 2, 5, 10), (0, 3, 6, 16),
    (1, 2, 7, 14), (2, 1, 8, 13),
)  # fmt: skip
_COARSER: Final = 1.4  # of the present step
_LEAST_PLACES: Final = 3
_SURE: Final = 0.4  # mean of cos(2 pi coefficient / step): 1 on the lattice, 0 by chance


def _matrix() -> Array:
    k, n = np.mgrid[:_BLOCK, :_BLOCK]
    rows = np.cos(np.pi * k * (2 * n + 1) / (2 * _BLOCK)) * np.sqrt(2 / _BLOCK)
    rows[0] *= np.sqrt(0.5)
    matrix: Array = rows.astype(np.float32)
    return matrix


_DCT: Final = _matrix()


def earlier_quality(luma: Array, table: tuple[int, ...] = ()) -> float | None:
    """Return the IJG quality of an earlier compression, or None where none shows.

    Args:
        luma: height x width, 0..255, as stored (not turned upright).
        table: the luminance quantisation table of the file in zigzag order; empty: lossless.
    """
    down, across = (side // _BLOCK for side in luma.shape)
    if down * across < 50:
        return None
    whole = luma[: down * _BLOCK, : across * _BLOCK].reshape(down, _BLOCK, across, _BLOCK)
    blocks: Array = whole.transpose(0, 2, 1, 3).reshape(-1, _BLOCK, _BLOCK)
    blocks = blocks[:: max(1, len(blocks) // _BLOCKS)].astype(np.float32) - 128
    terms = _DCT @ blocks @ _DCT.T
    best, quality = _SURE, None
    for candidate in _QUALITIES:
        found = _on_lattice(terms, candidate, table)
        if found is not None and found > best:
            best, quality = found, float(candidate)
    return quality


def _on_lattice(terms: Array, quality: int, table: tuple[int, ...]) -> float | None:
    """Return how well the coefficients fit the steps of a quality, -1..1; None: no finer now."""
    scale = 200 - 2 * quality if quality >= 50 else 5000 / quality
    fits = []
    for row, column, place, standard in _PLACES:
        step = max(1, int((standard * scale + 50) // 100))
        own = table[place] if len(table) > place else 1
        if step < 2 or step < _COARSER * own:
            continue
        values = terms[:, row, column]
        values = values[np.abs(values) > step / 2]
        if values.size < 50:
            continue
        fits.append(float(np.cos(2 * np.pi / step * values).mean()))
    return float(np.mean(fits)) if len(fits) >= _LEAST_PLACES else None
