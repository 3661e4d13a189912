"""Tell two dyes apart by the cells inside of a thing, where an edit leaves next to nothing.

Cells at an edge mix a thing and its ground, so that no curve explains them exactly; those all of
whose neighbours belong to the thing are explained by the right edit to 2 or 3 of 255. Edits are
those of `dyes`, in finer steps: strength of colour, which leaves brightness as it is, gamma, and
contrast, all of which leave a light ground as it is.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.aligned import SIDE
from pixtrawl.dedup.overlay.shared_part import CELLS, INNER_CELLS, SharedPart

__all__ = ["TO_RGB", "TO_YCC", "solid_cells", "unexplained_where_solid"]

Array = np.ndarray[Any, Any]

TO_YCC: Final = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]],
    dtype=np.float32,
)
TO_RGB: Final = np.linalg.inv(TO_YCC).astype(np.float32)

_EVEN: Final = 12.0  # standard deviation of the greys of a cell: folds have less, edges more
_LEAST_CELLS: Final = 4
_MOVED: Final = 2.0  # of 255, by which a tone may miss the ground of the other picture
_GAMMAS: Final = np.geomspace(0.57, 1.8, 25).astype(np.float32)
_GAINS: Final = np.arange(1.05, 1.66, 0.05, dtype=np.float32)
_STRENGTHS: Final = np.array((1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.3), dtype=np.float32)
_BY_TONE: Final = (0.8, 1.25)  # strength of colour where a tone has changed too
_EXPLAINED: Final = 0.55  # share of the cells: others may lie under letters
_NOISE: Final = 3.2  # of 255
_OF_CHANGE: Final = 0.05  # by tone
_OF_STRENGTH: Final = 0.25  # by saturation, which clips channels pixel by pixel


def solid_cells(part: SharedPart, thing: Array) -> Array:
    """Return which of the inner cells lie inside of a thing (`thing`: inner cells) in both."""
    cells = np.zeros(CELLS * CELLS, dtype=bool)
    cells[INNER_CELLS] = thing
    grid = cells.reshape(CELLS, CELLS)
    inside = np.pad(grid, 1)
    # The colours of a cell are weighted with those beside it.
    around = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    step = SIDE // CELLS
    for greys in (part.ours, part.theirs):
        blocks = greys.reshape(CELLS, step, CELLS, step)
        around &= blocks.std(axis=(1, 3)) < _EVEN
    solid: Array = (grid & around).ravel()[INNER_CELLS]
    return solid


def unexplained_where_solid(ours: Array, theirs: Array, grounds: tuple[int, int]) -> float:
    """Return what the best edit leaves of solid cells (n x Y, Cb, Cr); 1 is as much as copies have.

    0 where there are too few of them. `grounds`: the greys of both grounds.
    """
    if len(ours) < _LEAST_CELLS:
        return 0.0
    return min(_left(ours, theirs, grounds), _left(theirs, ours, grounds[::-1]))


def _left(made: Array, wanted: Array, grounds: tuple[int, int]) -> float:
    toned = _toned(made, wanted, grounds)
    colours = toned[:, :, 1:]
    products = (colours * wanted[:, 1:]).sum(axis=(1, 2))
    strength = products / np.maximum((colours**2).sum(axis=(1, 2)), 1e-3)
    low = np.full(len(toned), _BY_TONE[0])
    low[0] = 0.0
    strength = np.clip(strength, low, _BY_TONE[1])
    toned[:, :, 1:] *= strength[:, None, None]
    tried = np.concatenate([toned, _strengthened(made)])
    change = np.sqrt(((tried - made) ** 2).sum(axis=2).mean(axis=1))
    if strength[0] <= 1:
        change[0] = 0.0  # fading is exact
    change[: len(toned)] *= _OF_CHANGE
    change[len(toned) :] *= _OF_STRENGTH
    off = np.sqrt(((tried - wanted) ** 2).sum(axis=2))
    errors = np.quantile(off, _EXPLAINED, axis=1)
    return float((errors / (_NOISE + change)).min())


def _toned(made: Array, wanted: Array, grounds: tuple[int, int]) -> Array:
    """Return the cells as they are and under each tone that makes one ground of the other."""
    channels = np.clip(made @ TO_RGB.T / 255, 0.0, 1.0)
    there = np.clip(wanted @ TO_RGB.T / 255, 0.0, 1.0)
    gammas = channels[None] ** _GAMMAS[:, None, None]
    scaled = _GAINS[:, None, None] * channels[None]
    offsets = np.median((there - scaled).reshape(len(_GAINS), -1), axis=1)
    lines = np.clip(scaled + offsets[:, None, None], 0.0, 1.0)
    light = grounds[0] / 255
    made_of = np.concatenate([light**_GAMMAS, np.clip(_GAINS * light + offsets, 0.0, 1.0)])
    kept = np.abs(255 * made_of - grounds[1]) <= _MOVED
    toned = 255 * np.concatenate([gammas, lines])[kept] @ TO_YCC.T
    every: Array = np.concatenate([made[None], toned]).astype(np.float32)
    return every


def _strengthened(made: Array) -> Array:
    """Return the cells with more saturation, clipped."""
    cells = np.repeat(made[None], len(_STRENGTHS), axis=0)
    cells[:, :, 1:] *= _STRENGTHS[:, None, None]
    clipped: Array = np.clip(cells @ TO_RGB.T, 0.0, 255.0) @ TO_YCC.T
    return clipped
