"""Tell which of two copies bears a mark: a caption, a logo, words or a watermark.

A mark begins with edges, so the greys at the rim of what differs are steeper in the copy that bears
it. A coloured mark stands out from what is beside it; but so does a coloured part of the scene that
white words cover in the other copy. So colours decide only where the greys do not say otherwise.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from PIL import Image, ImageFilter

from pixtrawl.dedup.originals.compression import Step
from pixtrawl.dedup.overlay.aligned import sampled, unit_grid
from pixtrawl.dedup.overlay.frames import steepness
from pixtrawl.dedup.overlay.pair_overlay import PairOverlay, grey_of, outside_of
from pixtrawl.portrait import CHROMA_SIDE, PORTRAIT_SIDE as SIDE, Portrait

__all__ = [
    "LIKELY_MARKED", "SURELY_MARKED", "by_coloured_mark", "by_rims", "chroma_of", "rim_ratio",
]  # fmt: skip

Array = np.ndarray[Any, Any]

SURELY_MARKED: Final = 1.65  # ratio of the slopes at the rim of what differs
LIKELY_MARKED: Final = 1.15
_AGAINST_COLOURS: Final = 1.3  # ratio; colours that are wrong have 1.35 against them or more
_LEAST_MARKED: Final = 0.005  # misfit below which what differs is compression, not a mark
_LEAST_OUTSIDE: Final = 0.012  # of the area
_OTHER_COLOUR: Final = 18.0  # of chroma, in a mark and between it and what is beside it
_COLOURED_SHARE: Final = (0.003, 0.15)  # of the picture, of a mark


def by_rims(ratio: float | None, least: float) -> Step:
    """Prefer the copy whose greys are less steep at the rim of what differs.

    `least` is how many times as steep they must be in the one as in the other.
    """
    if ratio is None or 1 / least <= ratio <= least:
        return None
    return ratio < 1, "bears no mark"


def rim_ratio(large: Portrait, small: Portrait, overlay: PairOverlay) -> float | None:
    """Find where both differ though the rest agrees; the edges of that area give the mark away.

    Return how many times as steep they are in the large one; None where there is no such area.
    """
    if overlay.misfit < _LEAST_MARKED:
        return None
    m, (x, y) = overlay.map, unit_grid(SIDE)
    at_x, at_y = m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]
    inside = (at_x > 0.01) & (at_x < 0.99) & (at_y > 0.01) & (at_y < 0.99)
    if inside.mean() < 0.3:
        return None
    theirs, ours = sampled(grey_of(large).astype(np.float32), at_x, at_y), grey_of(small).ravel()
    ours = ours.astype(np.float32)
    off = np.abs(ours - _tone_mapped(theirs, ours, inside))
    off[~inside] = 0
    usual = float(np.median(off[inside]))
    marked = (off > max(10.0, 5 * usual)).reshape(SIDE, SIDE)
    solid = _filtered(marked, ImageFilter.RankFilter(3, 5))
    if not 0.002 < solid.mean() < 0.4 or usual >= 6:
        return None
    grown = _filtered(solid, ImageFilter.MaxFilter(3))
    rim = _filtered(grown, ImageFilter.MaxFilter(3)) & ~_filtered(grown, ImageFilter.MinFilter(5))
    at = rim.ravel() & inside
    if not at.any():
        return None
    gain = float(ours[inside].std() / (theirs[inside].std() + 0.1))
    in_large = float(steepness(theirs.reshape(SIDE, SIDE)).ravel()[at].mean()) * gain
    in_small = float(steepness(ours.reshape(SIDE, SIDE)).ravel()[at].mean())
    return in_large / (in_small + 0.3)


def by_coloured_mark(
    large: Portrait, small: Portrait, overlay: PairOverlay, ratio: float | None
) -> Step:
    """Find a spot of another colour, such as a logo: it stands out from what is beside it.

    `ratio` is that of the greys.
    """
    if outside_of(overlay.box_in_large()) + outside_of(overlay.box_in_small()) > _LEAST_OUTSIDE:
        return None
    ours, theirs = chroma_of(large), chroma_of(small)
    off = np.hypot(*np.moveaxis(ours - theirs, -1, 0))
    spot = off > _OTHER_COLOUR
    if not _COLOURED_SHARE[0] < spot.mean() < _COLOURED_SHARE[1] or np.median(off) > 4:
        return None
    grown = _filtered(spot, ImageFilter.MaxFilter(3))
    beside = _filtered(grown, ImageFilter.MaxFilter(3)) & ~grown
    if not beside.any():
        return None
    out = [
        float(np.hypot(*(plane[spot].mean(axis=0) - plane[beside].mean(axis=0))))
        for plane in (ours, theirs)
    ]
    if max(out) < max(_OTHER_COLOUR, 2 * min(out)):
        return None
    found, by_greys = (out[0] < out[1], "bears no mark"), by_rims(ratio, _AGAINST_COLOURS)
    return found if by_greys is None or by_greys == found else None


def chroma_of(one: Portrait) -> Array:
    """Return CHROMA_SIDE x CHROMA_SIDE x 2: blue and red difference."""
    chroma = np.frombuffer(one.chroma, dtype=np.int8).astype(np.float32)
    return chroma.reshape(CHROMA_SIDE, CHROMA_SIDE, 2)


def _tone_mapped(values: Array, target: Array, inside: Array) -> Array:
    """Fit a cubic from one picture's greys to the other's: gamma and contrast are no marks.

    What is clipped in either does not count, and what does not fit at first does not the second
    time.
    """
    centred = (values - 128) / 128
    powers = np.stack([centred**n for n in range(4)], axis=1)
    used = inside & (target > 4) & (target < 251) & (values > 4) & (values < 251)
    mapped = values
    for _ in range(2):
        if used.sum() < 100:
            return values
        fit, *_ = np.linalg.lstsq(powers[used], target[used], rcond=None)
        mapped = np.clip(powers @ fit, 0, 255)
        off = np.abs(mapped - target)
        used = used & (off <= 3 * np.median(off[used]) + 2)
    result: Array = mapped
    return result


def _filtered(mask: Array, filter_: ImageFilter.Filter) -> Array:
    image = Image.fromarray(mask.astype(np.uint8) * 255).filter(filter_)
    return np.asarray(image) > 0
