"""Find, among a few similar pictures, one that is the same picture in another crop."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np

from pixtrawl.dedup.overlay.aligned import (
    SIDE,
    THUMB_BYTES,
    Overlay,
    lay_over,
    pixels_of,
)
from pixtrawl.dedup.overlay.crop_windows import COARSE, best_places, cut_windows, shrunk
from pixtrawl.dedup.search.descriptor_index import DescriptorIndex

__all__ = [
    "FITS",
    "WORTH_REFINING",
    "coarse_of",
    "coarse_picture",
    "find_overlay",
    "picture_of",
]

Array = np.ndarray[Any, Any]

_CANDIDATES: Final = 8
# Score of the best window: 99 of 100 crops of 10 % have 0.84 or more; of distinct pictures among
# each other's eight nearest, one in 80 reaches this. So few pairs are aligned at all.
WORTH_REFINING: Final = 0.76
_NOTHING: Final = np.zeros((COARSE, COARSE), dtype=np.float32)
FITS: Final = 0.45  # Overlay.misfit: of crops within 46 bits none had more than 0.31


def coarse_of(thumbs: list[bytes]) -> Array:
    """Shrink n thumbnails of 4,096 bytes to n x 16 x 16."""
    if len(thumbs) == 1:
        return coarse_picture(thumbs[0])[None]
    joined = np.frombuffer(b"".join(thumbs), dtype=np.uint8)
    return shrunk(joined.reshape(len(thumbs), SIDE, SIDE))


@lru_cache(maxsize=4)
def coarse_picture(thumb: bytes) -> Array:
    """Shrink one thumbnail; cached, as the picture of a query is usually added next."""
    return shrunk(pixels_of(thumb))


def picture_of(descriptors: DescriptorIndex, id: int, thumb_of: Callable[[int], bytes]) -> Array:
    """Return the 16 x 16 picture of an id; zeros where its thumbnail is gone."""
    known = descriptors.picture(id)
    if known is not None:
        return known
    thumb = thumb_of(id)
    return shrunk(pixels_of(thumb)) if len(thumb) == THUMB_BYTES else _NOTHING


def find_overlay(
    descriptors: DescriptorIndex,
    thumb: bytes,
    thumb_of: Callable[[int], bytes],
    limits: tuple[int, int],
    differs: Callable[[int, Overlay], bool] = lambda id, overlay: False,
) -> tuple[int, int] | None:
    """Return (id, distance) of the first picture within the limits, trying the best score first.

    `limits` are distances in bits: for any overlay, and for one that fits in every block.
    `thumb_of` is called only for pictures to be aligned and those no longer cached. `differs` may
    refuse a match within the limits.
    """
    coarse = coarse_picture(thumb)
    ids = descriptors.nearest(coarse, _CANDIDATES)
    if not ids:
        return None
    pictures = [picture_of(descriptors, id, thumb_of) for id in ids]
    windows = cut_windows(np.stack([coarse, *pictures]))
    places = zip(best_places(windows[0], windows[1:]), ids, strict=True)
    ours = pixels_of(thumb)
    for (score, window, in_ours), id in sorted(places, key=lambda pair: -pair[0][0]):
        if score < WORTH_REFINING:
            break
        theirs = thumb_of(id)
        if len(theirs) != THUMB_BYTES:
            continue
        found = lay_over(ours, pixels_of(theirs), window, in_ours)
        if found.distance <= limits[found.misfit <= FITS] and not differs(id, found):
            return id, found.distance
    return None
