"""Which of a few similar pictures is the same one, seen through another window?"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np

from pixtrawl.dedup.aligned import SIDE, THUMB_BYTES, lay_over, pixels_of
from pixtrawl.dedup.shelf import Shelf
from pixtrawl.dedup.windows import COARSE, best_places, cut_windows, shrunk

__all__ = ["coarse_of", "look_closer"]

Array = np.ndarray[Any, Any]

_CANDIDATES: Final = 8
# Of the best window: 99 of 100 crops of a tenth have 0.84 or more, of distinct pictures that are
# among each other's eight nearest one of 80 has as much as this: few are laid over another at all.
_WORTH_REFINING: Final = 0.76
_NOTHING: Final = np.zeros((COARSE, COARSE), dtype=np.float32)
_FITS: Final = 0.45  # Overlay.misfit: of crops within 46 bits none had more than 0.31


def coarse_of(thumbs: list[bytes]) -> Array:
    """The n x 16 x 16 of n thumbnails of 4,096 bytes."""
    if len(thumbs) == 1:
        return _coarse(thumbs[0])[None]
    joined = np.frombuffer(b"".join(thumbs), dtype=np.uint8)
    return shrunk(joined.reshape(len(thumbs), SIDE, SIDE))


@lru_cache(maxsize=2)
def _coarse(thumb: bytes) -> Array:
    """Remembered, because what is asked for is mostly added next."""
    return shrunk(pixels_of(thumb))


def _picture(shelf: Shelf, id: int, thumb_of: Callable[[int], bytes]) -> Array:
    """The 16 x 16 of a picture on the shelf; of one whose thumbnail is gone, nothing."""
    known = shelf.picture(id)
    if known is not None:
        return known
    thumb = thumb_of(id)
    return shrunk(pixels_of(thumb)) if len(thumb) == THUMB_BYTES else _NOTHING


def look_closer(
    shelf: Shelf, thumb: bytes, thumb_of: Callable[[int], bytes], limits: tuple[int, int]
) -> tuple[int, int] | None:
    """(id, distance) of the first picture found within the limits, the most promising first.

    `limits` in bits: of any overlay, and of one that fits everywhere.
    Thumbnails are asked for only of pictures that are laid over this one, or long known.
    """
    coarse = _coarse(thumb)
    ids = shelf.nearest(coarse, _CANDIDATES)
    if not ids:
        return None
    pictures = [_picture(shelf, id, thumb_of) for id in ids]
    windows = cut_windows(np.stack([coarse, *pictures]))
    places = zip(best_places(windows[0], windows[1:]), ids, strict=True)
    ours = pixels_of(thumb)
    for (score, window, in_ours), id in sorted(places, key=lambda pair: -pair[0][0]):
        if score < _WORTH_REFINING:
            break
        theirs = thumb_of(id)
        if len(theirs) != THUMB_BYTES:
            continue
        found = lay_over(ours, pixels_of(theirs), window, in_ours)
        if found.distance <= limits[found.misfit <= _FITS]:
            return id, found.distance
    return None
