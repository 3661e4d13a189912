"""Decide which of two copies of a picture is nearer to the original.

In order: the one that the other was made from, as its coefficients show; the one that shows more of
the scene (the other is a crop) or has no frame, the one with more real pixels (an enlargement has
none to add), the one without captions, logos and watermarks, the one with its colours, the one that
is neither blurred nor sharpened, the one that is compressed less, and the one less changed in tone.
Each step decides only where the difference is clear; otherwise the next one does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from pixtrawl.dedup.originals.compression import (
    UNMARKED,
    Step,
    by_blur,
    by_fineness,
    by_history,
    by_history_in_parts,
    by_notes,
    by_quality,
)
from pixtrawl.dedup.originals.enlarged import enlargement_log_odds
from pixtrawl.dedup.originals.focus import by_focus
from pixtrawl.dedup.originals.marks import (
    LIKELY_MARKED,
    SURELY_MARKED,
    by_coloured_mark,
    by_rims,
    chroma_of,
    rim_ratio,
)
from pixtrawl.dedup.originals.resized import by_resizing
from pixtrawl.dedup.overlay.frames import Surroundings, around
from pixtrawl.dedup.overlay.pair_overlay import Box, PairOverlay, grey_of, lay_over_copy, outside_of
from pixtrawl.portrait import Portrait

__all__ = ["Preference", "prefer"]

Array = np.ndarray[Any, Any]

_APART: Final = 0.5  # misfit from which the overlay says nothing: a mirrored copy, for example
_SAME_SCALE: Final = 1.06
_RESIZED: Final = 0.15  # misfit up to which one may be the other in another size: fine textures
# that are shrunk to 128 pixels differ so much
_LEAST_OUTSIDE: Final = 0.012  # of the area
_MORE_CONTENT: Final = 0.012
_MORE_FRAME: Final = 0.02
_POOR_FOR_CONTENT: Final = 0.55  # of the other's linear resolution: then the crop is better
_POOR_FOR_FRAME: Final = 0.6
_GREY: Final = 4.0  # chroma deviation below which a picture has hardly any colour
_GRAIN: Final = 2.5  # grey levels
_CLIPPED: Final = 0.01
_RANGE: Final = 10.0  # grey levels between the 1st and 99th percentile
_MORE_PIXELS: Final = 1.02


class Preference(Struct, frozen=True):
    """Which copy is better, by how it was decided; `first` is None where no step decides."""

    first: bool | None
    why: str
    scale: float = 1.0  # pixels of the first picture for one of the second, linear
    misfit: float = 0.0  # of the overlay, 0..1
    is_sure: bool = False  # whether a trace of what was done decides, not a measure of quality


def prefer(first: Portrait, second: Portrait) -> Preference:
    """Compare two copies of one picture."""
    if (first.width * first.height, first.grey) >= (second.width * second.height, second.grey):
        return _compared(first, second)
    other = _compared(second, first)  # in one order, so that rounding decides nothing
    return replace(
        other, first=None if other.first is None else not other.first, scale=1 / other.scale
    )


def _compared(first: Portrait, second: Portrait) -> Preference:
    aspect = first.width * second.height / (first.height * second.width)
    overlay = lay_over_copy(grey_of(first), grey_of(second), aspect)
    if overlay.misfit > _APART:
        return Preference(None, "cannot be laid over each other", misfit=overlay.misfit)
    large, small = (first, second) if overlay.first_is_large else (second, first)
    scale = _scale(large, small, overlay)
    sharper, enlarged = _real_scale(large, small, scale)
    of_one_size = 1 / _SAME_SCALE < scale < _SAME_SCALE
    rims = cache(lambda: rim_ratio(large, small, overlay))

    def by_its_colour() -> Step:
        return by_coloured_mark(large, small, overlay, rims())

    sure: tuple[Callable[[], Step], ...] = (
        lambda: None if _by_colour(large, small) else by_history(large, small, overlay.misfit),
        lambda: _by_resizing(large, small, overlay),
        lambda: _by_frame(large, small, overlay, sharper),
        lambda: _by_resolution(sharper, enlarged),
        lambda: by_rims(rims(), SURELY_MARKED),
        lambda: _by_colour(large, small),
        by_its_colour,
        lambda: by_history_in_parts(large, small),
        lambda: by_focus(large, small, overlay.misfit) if of_one_size else None,
    )
    unsure: tuple[Callable[[], Step], ...] = (
        lambda: by_quality(large, small, overlay.misfit) if of_one_size else None,
        lambda: by_blur(large, small, overlay.misfit) if of_one_size else None,
        lambda: _by_tone(large, small, overlay),
        lambda: _by_pixels(large, small),
        lambda: by_rims(rims(), LIKELY_MARKED),
        lambda: by_fineness(large, small) if of_one_size else None,
        lambda: by_notes(large, small),
    )
    for step in (*sure, *unsure):
        found = step()
        if found is not None:
            prefers_large, why = found
            is_first = prefers_large == overlay.first_is_large
            ours = scale if overlay.first_is_large else 1 / scale
            by_colour_alone = step is by_its_colour and by_rims(rims(), LIKELY_MARKED) != found
            is_sure = step in sure and not by_colour_alone
            return Preference(is_first, why, ours, overlay.misfit, is_sure)
    return Preference(None, "alike", scale, overlay.misfit)


def _by_resizing(large: Portrait, small: Portrait, overlay: PairOverlay) -> Step:
    outside = outside_of(overlay.box_in_large()) + outside_of(overlay.box_in_small())
    if outside > _MORE_FRAME or overlay.misfit > _RESIZED or _by_colour(large, small):
        return None
    return by_resizing(large, small)


def _scale(large: Portrait, small: Portrait, overlay: PairOverlay) -> float:
    """Return the pixels of the large one for one pixel of the small one, linear."""
    across = large.width * float(overlay.map[0]) / small.width
    down = large.height * float(overlay.map[4]) / small.height
    if any(1 / _SAME_SCALE < side < _SAME_SCALE for side in (across, down)):
        return 1.0  # stretched along one axis at the most, which adds nothing
    return math.sqrt(max(across * down, 1e-6))


def _real_scale(large: Portrait, small: Portrait, scale: float) -> tuple[float, bool | None]:
    """Return the scale without what an enlargement added, and whether the large one is enlarged.

    None where neither is.
    """
    if scale > _SAME_SCALE:
        is_enlarged = enlargement_log_odds(large, small, scale) > 0
        return (1.0, True) if is_enlarged else (scale, None)
    if scale < 1 / _SAME_SCALE:
        is_enlarged = enlargement_log_odds(small, large, 1 / scale) > 0
        return (1.0, False) if is_enlarged else (scale, None)
    return 1.0, None


def _by_frame(large: Portrait, small: Portrait, overlay: PairOverlay, sharper: float) -> Step:
    in_large, in_small = overlay.box_in_large(), overlay.box_in_small()
    of_large = _around(large, in_large, small, in_small)
    of_small = _around(small, in_small, large, in_large)
    more = of_large.content - of_small.content
    if abs(more) > _MORE_CONTENT and _fine_enough(sharper, more > 0, _POOR_FOR_CONTENT):
        return more > 0, "shows more of the picture"
    frame = of_large.frame - of_small.frame
    if abs(frame) > _MORE_FRAME and _fine_enough(sharper, frame < 0, _POOR_FOR_FRAME):
        return frame < 0, "has no frame"
    return None


def _around(one: Portrait, box: Box, other: Portrait, box_in_other: Box) -> Surroundings:
    inside = grey_of(other) if outside_of(box_in_other) <= _LEAST_OUTSIDE else None
    return around(grey_of(one), box, _LEAST_OUTSIDE, one.width / one.height, inside)


def _fine_enough(sharper: float, prefers_large: bool, least: float) -> bool:
    return (sharper if prefers_large else 1 / sharper) > least


def _by_resolution(sharper: float, enlarged: bool | None) -> Step:
    if not 1 / 1.1 <= sharper <= 1.1:
        return sharper > 1, "has more real pixels"
    return None if enlarged is None else (not enlarged, "is not enlarged")


def _by_colour(large: Portrait, small: Portrait) -> Step:
    ours, theirs = _colourful(large), _colourful(small)
    less, more = sorted((ours, theirs))
    if (more > 1.6 * less + 1.5 and less < _GREY) or less < 0.45 * more:
        return ours > theirs, "has its colours"
    return None


def _colourful(one: Portrait) -> float:
    """Return how much the chroma varies over the picture: 0 for grey and for sepia.

    By a quantile, so that a red logo does not make a grey picture colourful.
    """
    chroma = chroma_of(one).reshape(-1, 2)
    off = chroma - np.median(chroma, axis=0)
    return float(np.quantile(np.hypot(off[:, 0], off[:, 1]), 0.8))


def _by_tone(large: Portrait, small: Portrait, overlay: PairOverlay) -> Step:
    """Compare noise, and clipping and contrast of pictures of the same area."""
    grain, least = abs(large.noise - small.noise), min(large.noise, small.noise)
    if grain > _GRAIN and max(large.noise, small.noise) > 2 * least + 1:
        return large.noise < small.noise, "has less noise"
    outside = outside_of(overlay.box_in_large()) + outside_of(overlay.box_in_small())
    if outside > _LEAST_OUTSIDE or overlay.misfit > UNMARKED:
        return None
    if abs(large.clipped - small.clipped) > _CLIPPED:
        return large.clipped < small.clipped, "is clipped less"
    span = _span(large) - _span(small)
    return (span > 0, "has more contrast") if abs(span) > _RANGE else None


def _span(one: Portrait) -> float:
    low, high = np.quantile(grey_of(one), (0.01, 0.99))
    return float(high - low)


def _by_pixels(large: Portrait, small: Portrait) -> Step:
    ours, theirs = large.width * large.height, small.width * small.height
    if max(ours, theirs) < _MORE_PIXELS * min(ours, theirs):
        return None
    return ours > theirs, "is larger"
