"""Tell two dyes of a thin thing apart: a wrench, a fly, the rim of a wheel, narrow bars of a chart.

Cells of 16 x 16 mix a thin thing and its ground. Drawn pictures, cut-outs among them, have colours
of 64 x 64 pixels. Where 3 x 3 of them are even in both pictures they are the dye itself, and the
edits of `solid_dyes` are tried on these places.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.aligned import SIDE
from pixtrawl.dedup.overlay.shared_part import SharedPart
from pixtrawl.dedup.variants.dyes import light_grounds
from pixtrawl.dedup.variants.planes import INNER_PIXELS, box_means
from pixtrawl.dedup.variants.solid_dyes import unexplained_where_solid

__all__ = ["are_pixels_dyed"]

Array = np.ndarray[Any, Any]

# Pixels a side of a place, smaller ones where a thing is thinner, and the largest error of a copy:
# those in place have up to 0.75 and 1.1, but for autocontrast by channel.
_PLACES: Final = ((3, 0.85), (2, 1.6))
_EVEN: Final = np.array((10.0, 8.0, 8.0), dtype=np.float32)  # range of Y, Cb and Cr in a place
_GROUND: Final = np.array((6.0, 3.0, 3.0), dtype=np.float32)  # by which a pixel is not ground
_TINT: Final = 1.5  # of Cb or Cr
_LEAST: Final = 6  # places; they overlap
_MOST: Final = 128  # places that are compared


def are_pixels_dyed(part: SharedPart) -> bool:
    """Return whether no edit turns the even places of one thing into those of the other.

    The pictures must be aligned to a fraction of a pixel, and lie on the same light ground.
    """
    return _unexplained(part) > 1.0


def _unexplained(part: SharedPart) -> float:
    """Return the least error of any edit, in units of the largest of a copy; 0 if none is tried."""
    grounds = light_grounds(part)
    if grounds is None or part.our_hues is None or part.their_hues is None:
        return 0.0
    planes = [
        np.column_stack(both).astype(np.float32).reshape(SIDE, SIDE, 3)
        for both in ((part.ours, part.our_hues), (part.theirs, part.their_hues))
    ]
    thing = np.zeros((SIDE, SIDE), dtype=bool)
    for plane, ground in zip(planes, grounds, strict=True):
        off = np.abs(plane - np.array((ground, 0, 0), dtype=np.float32))
        plain = off[:, :, 0] <= _GROUND[0]
        if not plain.any() or float(np.abs(np.median(plane[plain], axis=0)[1:]).max()) > _TINT:
            return 0.0
        thing |= (off > _GROUND).any(axis=2)
    thing &= INNER_PIXELS
    for side, largest in _PLACES:
        places = _even_places(thing, planes, side)
        if int(places.sum()) >= _LEAST:
            ours, theirs = (_means(plane, side)[places] for plane in planes)
            some = np.linspace(0, len(ours) - 1, min(len(ours), _MOST)).astype(np.intp)
            error = unexplained_where_solid(ours[some], theirs[some], grounds, by_shades=True)
            return error / largest
    return 0.0


def _even_places(thing: Array, planes: list[Array], side: int) -> Array:
    places = np.all(_windows(thing, side), axis=(2, 3))
    for plane in planes:
        windows = _windows(plane, side)
        spans: Array = windows.max(axis=(3, 4)) - windows.min(axis=(3, 4))
        places = np.logical_and(places, np.all(spans <= _EVEN, axis=2))
    both: Array = places
    return both


def _windows(plane: Array, side: int) -> Array:
    windows: Array = np.lib.stride_tricks.sliding_window_view(plane, (side, side), axis=(0, 1))
    return windows


def _means(plane: Array, side: int) -> Array:
    return np.stack([box_means(plane[:, :, at], side) for at in range(3)], axis=2)
