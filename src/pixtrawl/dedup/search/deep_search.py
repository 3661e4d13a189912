"""Find a copy that the second look misses: a deep crop, a padded one, or one that bears marks.

Each of a few candidates is aligned where the windows of either picture fit best, and in place,
since a mark does not move a picture. It is a copy if the hashes fit in every block, or if nearly
all of the middle and half of the rest agree (see `agreement`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.agreement import agreement_in_place, agreement_of
from pixtrawl.dedup.overlay.aligned import (
    THUMB_BYTES,
    Overlay,
    lay_over_from,
    lay_over_marked,
    pixels_of,
)
from pixtrawl.dedup.overlay.crop_windows import cut_windows
from pixtrawl.dedup.search.deep_windows import deep_windows, map_of
from pixtrawl.dedup.search.descriptor_index import DescriptorIndex
from pixtrawl.dedup.search.overlay_search import FITS, coarse_picture, picture_of
from pixtrawl.dedup.variants.graphics import is_on_plain_ground

__all__ = ["find_deep_overlay"]

Array = np.ndarray[Any, Any]

_CANDIDATES: Final = 4
_WORTH: Final = 0.78  # one distinct picture in three is laid over another
_BARE_BITS: Final = 24  # of pictures on a plain ground
_IN_PLACE: Final = np.array([1, 0, 0, 0, 1, 0], dtype=np.float32)


def find_deep_overlay(
    descriptors: DescriptorIndex,
    thumb: bytes,
    thumb_of: Callable[[int], bytes],
    limits: tuple[int, int],
    differs: Callable[[int, Overlay], bool] = lambda id, overlay: False,
) -> tuple[int, int] | None:
    """Return (id, distance) of a marked copy or a deep crop of this picture, or its source.

    `limits` are distances in bits: for overlays that fit in every block, and for those in which
    most blocks agree. The other arguments are those of `overlay_search.find_overlay`.
    """
    coarse = coarse_picture(thumb)
    ids = descriptors.nearest_deep(coarse, _CANDIDATES)
    if not ids:
        return None
    ours, mine = pixels_of(thumb), deep_windows(coarse)
    for id in ids:
        theirs = thumb_of(id)
        if len(theirs) != THUMB_BYTES:
            continue
        pixels = pixels_of(theirs)
        coarse_theirs = picture_of(descriptors, id, thumb_of).astype(np.float32)
        for found in _overlays(ours, pixels, coarse, coarse_theirs, mine, limits):
            if not differs(id, found):
                return id, found.distance
    return None


def _overlays(
    ours: Array,
    theirs: Array,
    coarse: Array,
    coarse_theirs: Array,
    mine: Array,
    limits: tuple[int, int],
) -> Iterator[Overlay]:
    """Yield overlays of two pictures under which they are copies."""
    bare = is_on_plain_ground(ours) or is_on_plain_ground(theirs)
    if bare:  # letters and cut-outs of one style agree wherever there is ground
        limits = min(limits[0], _BARE_BITS), 0
    elif agreement_in_place(ours, theirs).is_promising:
        found = lay_over_marked(ours, theirs, _IN_PLACE)
        if _is_copy(ours, theirs, found, limits):
            yield found
    for windows, whole, in_ours in (
        (mine, _whole(coarse_theirs), True),
        (deep_windows(coarse_theirs), _whole(coarse), False),
    ):
        scores = windows @ whole
        window = int(scores.argmax())
        if scores[window] >= _WORTH:
            found = lay_over_from(ours, theirs, map_of(window), in_ours)
            if _is_copy(ours, theirs, found, limits):
                yield found


def _is_copy(ours: Array, theirs: Array, found: Overlay, limits: tuple[int, int]) -> bool:
    if found.distance <= limits[0] and found.misfit <= FITS:
        return True
    if found.distance > limits[1] or found.place is None:
        return False
    large, small = (ours, theirs) if found.in_one else (theirs, ours)
    return agreement_of(large, small, found.place).is_copy


def _whole(coarse: Array) -> Array:
    terms: Array = cut_windows(coarse[None], wholes_only=True)[0, 0]
    return terms
