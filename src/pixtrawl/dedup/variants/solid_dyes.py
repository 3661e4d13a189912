"""Tell two dyes apart by the cells inside of a thing, where an edit leaves next to nothing.

Cells at an edge mix a thing and its ground, so that no tone curve fits them exactly. Cells whose
neighbours all belong to the thing are fitted by the right edit to 2 or 3 of 255. The edits are
those of `dyes` in finer steps: saturation, which keeps brightness, gamma, and contrast; all of them
keep a light ground as it is.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.aligned import SIDE
from pixtrawl.dedup.overlay.shared_part import CELLS, INNER_CELLS, SharedPart
from pixtrawl.dedup.variants.planes import TO_RGB, TO_YCC, saturated

__all__ = ["solid_cells", "unexplained_where_solid"]

Array = np.ndarray[Any, Any]

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
_MIDDLE_HALF: Final = (0.25, 0.75)
_SHADE_NOISE: Final = 3.0  # of 255
_OF_SHADES: Final = 0.2  # of the spread of the greys that an edit predicts
_OF_STRENGTH: Final = 0.25  # by saturation, which clips channels pixel by pixel


def solid_cells(part: SharedPart, thing: Array) -> Array:
    """Return a mask of the inner cells that lie well inside `thing` (a mask) in both pictures."""
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


def unexplained_where_solid(
    ours: Array, theirs: Array, grounds: tuple[int, int], *, by_shades: bool = False
) -> float:
    """Return the least error of any edit between solid cells (n x Y, Cb, Cr), in either direction.

    In units of the largest error that a copy may have; 0 for too few cells. `grounds` are the greys
    of both grounds, 0..255. With `by_shades`, the error must also be the same in light and shade:
    folds of a black thing are fainter than those of a grey thing made black.
    """
    if len(ours) < _LEAST_CELLS:
        return 0.0
    return min(
        _residual(ours, theirs, grounds, by_shades),
        _residual(theirs, ours, grounds[::-1], by_shades),
    )


def _residual(source: Array, target: Array, grounds: tuple[int, int], by_shades: bool) -> float:
    toned = _toned(source, target, grounds)
    colours = toned[:, :, 1:]
    products = (colours * target[:, 1:]).sum(axis=(1, 2))
    strength = products / np.maximum((colours**2).sum(axis=(1, 2)), 1e-3)
    low = np.full(len(toned), _BY_TONE[0])
    low[0] = 0.0
    strength = np.clip(strength, low, _BY_TONE[1])
    toned[:, :, 1:] *= strength[:, None, None]
    tried = np.concatenate([toned, saturated(source, _STRENGTHS)])
    change = np.sqrt(((tried - source) ** 2).sum(axis=2).mean(axis=1))
    if strength[0] <= 1:
        change[0] = 0.0  # fading is exact
    change[: len(toned)] *= _OF_CHANGE
    change[len(toned) :] *= _OF_STRENGTH
    off = np.sqrt(((tried - target) ** 2).sum(axis=2))
    errors = np.quantile(off, _EXPLAINED, axis=1) / (_NOISE + change)
    if not by_shades:
        return float(errors.min())
    uneven = _spread(tried[:, :, 0] - target[:, 0])
    shades = uneven / (_SHADE_NOISE + _OF_SHADES * _spread(tried[:, :, 0]))
    return float(np.maximum(errors, shades).min())


def _spread(greys: Array) -> Array:
    low, high = np.quantile(greys, _MIDDLE_HALF, axis=1)
    spread: Array = high - low
    return spread


def _toned(source: Array, target: Array, grounds: tuple[int, int]) -> Array:
    """Return the cells as they are and under each tone that makes one ground of the other."""
    channels = np.clip(source @ TO_RGB.T / 255, 0.0, 1.0)
    wanted_rgb = np.clip(target @ TO_RGB.T / 255, 0.0, 1.0)
    gammas = channels[None] ** _GAMMAS[:, None, None]
    scaled = _GAINS[:, None, None] * channels[None]
    offsets = np.median((wanted_rgb - scaled).reshape(len(_GAINS), -1), axis=1)
    lines = np.clip(scaled + offsets[:, None, None], 0.0, 1.0)
    light = grounds[0] / 255
    grounds_under = np.concatenate([light**_GAMMAS, np.clip(_GAINS * light + offsets, 0.0, 1.0)])
    reachable = np.abs(255 * grounds_under - grounds[1]) <= _MOVED
    toned = 255 * np.concatenate([gammas, lines])[reachable] @ TO_YCC.T
    every: Array = np.concatenate([source[None], toned]).astype(np.float32)
    return every
