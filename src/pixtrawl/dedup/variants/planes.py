"""Arithmetic on colour grids and grey planes that several tests of other pictures share.

A cell is a row (Y, Cb, Cr) of the 16 x 16 grid of a picture: Y of 0..255, Cb and Cr of -128..127.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.aligned import SIDE
from pixtrawl.dedup.overlay.shared_part import CELLS, INNER_CELLS, SharedPart

__all__ = [
    "INNER_PIXELS",
    "TO_RGB",
    "TO_YCC",
    "box_means",
    "saturated",
    "steps_between",
    "ycc_cells",
]

Array = np.ndarray[Any, Any]

# ITU-T T.871 (JFIF), without the offsets of Cb and Cr.
TO_YCC: Final = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]],
    dtype=np.float32,
)
TO_RGB: Final = np.linalg.inv(TO_YCC).astype(np.float32)

_STEP: Final = SIDE // CELLS
INNER_PIXELS: Final = (
    np.kron(INNER_CELLS.reshape(CELLS, CELLS), np.ones((_STEP, _STEP), dtype=np.int8)) > 0
)


def ycc_cells(part: SharedPart) -> tuple[Array, Array] | None:
    """Return the cells (256 x Y, Cb, Cr) of both pictures; None without the colours of both."""
    if part.ours_colours is None or part.theirs_colours is None:
        return None
    return (
        np.column_stack([part.ours_cells, part.ours_colours]).astype(np.float32),
        np.column_stack([part.theirs_cells, part.theirs_colours]).astype(np.float32),
    )


def saturated(cells: Array, strengths: Array) -> Array:
    """Return the cells at each strength of colour (strengths x cells x 3), clipped as RGB."""
    stronger = np.repeat(cells[None], len(strengths), axis=0)
    stronger[:, :, 1:] *= strengths[:, None, None]
    clipped: Array = np.clip(stronger @ TO_RGB.T, 0.0, 255.0) @ TO_YCC.T
    return clipped


def steps_between(cells: Array) -> Array:
    """Return the distance of each of 256 cells (any number of channels) to its farthest neighbour.

    Neighbours are the four that share an edge.
    """
    grid = np.pad(cells.reshape(CELLS, CELLS, -1), ((1, 1), (1, 1), (0, 0)), "edge")
    middle = grid[1:-1, 1:-1]
    beside = (grid[:-2, 1:-1], grid[2:, 1:-1], grid[1:-1, :-2], grid[1:-1, 2:])
    farthest = np.max([((middle - one) ** 2).sum(axis=2) for one in beside], axis=0)
    steps: Array = np.sqrt(farthest).ravel()
    return steps


def box_means(plane: Array, side: int) -> Array:
    """Return the mean of each square of `side` x `side` pixels that lies within the plane."""
    sums = np.pad(plane, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    boxes: Array = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side]
    boxes += sums[:-side, :-side]
    return boxes / side**2
