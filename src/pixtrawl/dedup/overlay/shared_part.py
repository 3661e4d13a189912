"""The common part of two matched pictures: greys of 64x64 pixels and colours of 16x16 cells.

If the second look has aligned the pictures, its map is used. Hashes match pictures as wholes or
without their uniform border: of these combinations the one whose greys agree best is used.
"""

from __future__ import annotations

from itertools import product
from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.dedup.overlay.aligned import (
    SIDE,
    THUMB_BYTES,
    Overlay,
    pixels_of,
    sampled,
    shared_points,
)
from pixtrawl.fine_greys import unpacked_colours

__all__ = [
    "CELLS",
    "CHROMA_BYTES",
    "FAR_FROM_LOGOS",
    "INNER_CELLS",
    "Appearance",
    "SharedPart",
    "agree_as_wholes",
    "best_map",
    "have_same_ground",
    "have_same_tone",
    "shared_part",
]

Array = np.ndarray[Any, Any]

CELLS: Final = 16  # a side, of the colour grid (images.appearance.chroma)
CHROMA_BYTES: Final = 2 * CELLS * CELLS
_BORDER_SPREAD: Final = 12  # of 255: as inspection finds borders (images.phash)
_LEAST_INNER: Final = 24  # of 64 rows
_AGREES: Final = 0.97  # correlation of the greys from which no other way is tried
_WHOLE: Final = (0.0, 1.0, 0.0, 1.0)
_SAME_GREY: Final = 4.0  # of 255
_SAME_COLOUR: Final = 1.5  # of Cb and Cr together: white balance adds 3 to a grey of 60
_DARK: Final = 60  # of 255: a tint leaves black as it is
_VERY_DARK: Final = 25  # the same, of a plain ground
_SAME_GROUND: Final = 0.15  # share of the cells
_WHITE: Final = 252  # of 255: tones leave it as it is, too
_SEVERAL_GREYS: Final = 14.0


def _inner_cells(corner: int) -> Array:
    """Return which of the 256 cells lie neither in a corner nor at the upper or lower edge.

    Logos and caption bars lie there.
    """
    inner = np.ones((CELLS, CELLS), dtype=bool)
    inner[[0, -1]] = False
    beside = np.ones(CELLS, dtype=bool)
    beside[corner:-corner] = False
    inner[np.ix_(beside, beside)] = False
    return inner.ravel()


INNER_CELLS: Final = _inner_cells(3)
FAR_FROM_LOGOS: Final = _inner_cells(5)  # of photographs, on which logos are larger

Box = tuple[float, float, float, float]  # left, right, top, bottom, 0..1


class Appearance(Struct, frozen=True):
    """The look of a picture as it is kept.

    `chroma` is empty for pictures inspected by an older version; `fine` is empty except for whole
    drawn pictures.
    """

    thumb: bytes
    chroma: bytes
    fine: bytes = b""


class SharedPart(Struct, frozen=True, eq=False):
    """Both pictures over their common part; colours (cells x Cb, Cr) are None unless known of both.

    `ours_cells` and `theirs_cells` are the greys of the same cells.
    """

    ours: Array  # 4,096
    theirs: Array
    ours_cells: Array  # 256
    theirs_cells: Array
    ours_colours: Array | None  # 256 x 2
    theirs_colours: Array | None
    whole: bool = False  # whether nothing was cut off or laid over: the cells lie exactly
    our_hues: Array | None = None  # 4,096 x 2, of pixels; None unless known of both
    their_hues: Array | None = None


def shared_part(ours: Appearance, theirs: Appearance, overlay: Overlay | None) -> SharedPart | None:
    """Return what both show; None where a thumbnail is missing or nothing is in common."""
    if len(ours.thumb) != THUMB_BYTES or len(theirs.thumb) != THUMB_BYTES:
        return None
    greys = (_plane(ours.thumb), _plane(theirs.thumb))
    whole = False
    if overlay is None or overlay.place is None:
        boxes = _best_boxes(*greys)
        points = [_points_of_boxes(*boxes, side) for side in (SIDE, CELLS)]
        whole = boxes == (_WHOLE, _WHOLE)
    else:
        both = [shared_points(overlay.place, side) for side in (SIDE, CELLS)]
        if both[0] is None or both[1] is None:
            return None
        # The map leads from the small picture to the large one.
        points = [(b[2:] + b[:2]) if overlay.in_one else b for b in both if b is not None]
    fine, coarse = points
    colours = _colours(ours, theirs, coarse)
    hues = _hues(ours, theirs, fine) if colours[0] is not None else (None, None)
    return SharedPart(
        sampled(greys[0], *fine[:2]),
        sampled(greys[1], *fine[2:]),
        sampled(_cells(greys[0]), *coarse[:2]),
        sampled(_cells(greys[1]), *coarse[2:]),
        *colours,
        whole,
        *hues,
    )


def best_map(ours: Appearance, theirs: Appearance) -> Array:
    """Return the map from the second picture to the first in which the greys agree best.

    With or without their borders; as `Overlay.place`.
    """
    one, other = _best_boxes(_plane(ours.thumb), _plane(theirs.thumb))
    across, down = ((one[n + 1] - one[n]) / (other[n + 1] - other[n]) for n in (0, 2))
    shift = one[0] - other[0] * across, one[2] - other[2] * down
    return np.array([across, 0.0, shift[0], 0.0, down, shift[1]], dtype=np.float32)


def agree_as_wholes(ours: Appearance, theirs: Appearance) -> bool:
    """Return whether two pictures lie over each other as they are, without border or crop."""
    part = shared_part(ours, theirs, None)
    return part is not None and part.whole


def have_same_ground(part: SharedPart, *, plain_ground: bool) -> bool:
    """Return whether many cells have the same grey and colour in both, so that nothing was tinted.

    White balance, sepia and other tones change all greys but black.
    """
    return float(_same_cells(part, plain_ground).mean()) >= _SAME_GROUND


def have_same_tone(part: SharedPart) -> bool:
    """Return whether many cells of several greys are the same in both: no tone was changed.

    Contrast, gamma and brightness leave one grey as it is at the most, but for black and white.
    """
    same = _same_cells(part, False) & (part.ours_cells < _WHITE)
    if float(same.mean()) < _SAME_GROUND:
        return False
    low, high = np.quantile(part.ours_cells[same], (0.05, 0.95))
    return float(high - low) >= _SEVERAL_GREYS


def _same_cells(part: SharedPart, plain_ground: bool) -> Array:
    if part.ours_colours is None or part.theirs_colours is None:
        return np.zeros(CELLS * CELLS, dtype=bool)
    off = part.ours_colours - part.theirs_colours
    same = np.abs(part.ours_cells - part.theirs_cells) <= _SAME_GREY
    same &= (off * off).sum(axis=1) <= _SAME_COLOUR**2
    greys = np.minimum(part.ours_cells, part.theirs_cells)
    lit: Array = same & (greys >= (_VERY_DARK if plain_ground else _DARK))
    return lit


def _plane(thumb: bytes) -> Array:
    return pixels_of(thumb).astype(np.float32)


def _cells(plane: Array) -> Array:
    step = SIDE // CELLS
    means: Array = plane.reshape(CELLS, step, CELLS, step).mean(axis=(1, 3))
    return means


def _colours(ours: Appearance, theirs: Appearance, points: Any) -> tuple[Any, Any]:
    if len(ours.chroma) != CHROMA_BYTES or len(theirs.chroma) != CHROMA_BYTES:
        return None, None
    found = []
    for chroma, at in ((ours.chroma, points[:2]), (theirs.chroma, points[2:])):
        planes = np.frombuffer(chroma, dtype=np.int8).reshape(2, CELLS, CELLS).astype(np.float32)
        found.append(np.stack([sampled(plane, *at) for plane in planes], axis=1))
    return found[0], found[1]


def _hues(ours: Appearance, theirs: Appearance, points: Any) -> tuple[Any, Any]:
    one, other = unpacked_colours(ours.fine), unpacked_colours(theirs.fine)
    if one is None or other is None:
        return None, None
    our_hues, their_hues = (
        np.stack([sampled(plane, *at) for plane in planes], axis=1)
        for planes, at in ((one, points[:2]), (other, points[2:]))
    )
    return our_hues, their_hues


def _best_boxes(ours: Array, theirs: Array) -> tuple[Box, Box]:
    """Return the parts of both, with or without border, whose greys agree best."""
    best = (_WHOLE, _WHOLE)
    agreement = _correlation(ours, theirs)
    if agreement >= _AGREES:
        return best
    for boxes in product({_WHOLE, _inner(ours)}, {_WHOLE, _inner(theirs)}):
        points = _points_of_boxes(*boxes, SIDE)
        found = _correlation(sampled(ours, *points[:2]), sampled(theirs, *points[2:]))
        if found > agreement + 1e-6:
            best, agreement = boxes, found
    return best


def _points_of_boxes(ours: Box, theirs: Box, side: int) -> tuple[Array, Array, Array, Array]:
    centres = (np.arange(side, dtype=np.float32) + 0.5) / side
    x, y = (axis.ravel() for axis in np.meshgrid(centres, centres))
    found = []
    for left, right, top, bottom in (ours, theirs):
        found += [left + (right - left) * x, top + (bottom - top) * y]
    return found[0], found[1], found[2], found[3]


def _correlation(one: Array, other: Array) -> float:
    a, b = one.ravel() - one.mean(), other.ravel() - other.mean()
    return float(a @ b) / max(float(np.sqrt((a @ a) * (b @ b))), 1e-6)


def _inner(plane: Array) -> Box:
    """Return the part inside uniform rows and columns."""
    spans = []
    for across in (0, 1):  # rows that are uniform, then columns
        spread = plane.max(axis=1 - across) - plane.min(axis=1 - across)
        busy = np.flatnonzero(spread > _BORDER_SPREAD)
        low, high = (int(busy[0]), int(busy[-1]) + 1) if busy.size else (0, SIDE)
        spans.append((low, high) if high - low >= _LEAST_INNER else (0, SIDE))
    (top, bottom), (left, right) = spans
    return left / SIDE, right / SIDE, top / SIDE, bottom / SIDE
