"""Third look: compare what lies inside of frames, and the middle squares, by hash.

Both pictures of a pair have such views, since a copy may have gained or lost a frame, or been cut
to a square. A view is compared with whole pictures only: different pictures in like frames are no
copies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.dedup.overlay.aligned import SIDE, THUMB_BYTES, pixels_of
from pixtrawl.dedup.overlay.shared_part import Appearance
from pixtrawl.dedup.overlay.views import (
    Part,
    inner_part,
    part_colours,
    part_hash,
    part_pixels,
    square_part,
)
from pixtrawl.dedup.search.hash_index import HashIndex
from pixtrawl.dedup.variants.graphics import is_on_plain_ground
from pixtrawl.model import ImageInfo

__all__ = ["Appearance", "ViewIndex", "Views", "inside", "part_inside", "views_of"]

Array = np.ndarray[Any, Any]

_SAME: Final = 31  # bits
_EQUAL: Final = 12
_LEAST_FRAMED: Final = 0.85  # of the area at the most is inside a frame


class Views(Struct, frozen=True):
    """Of one picture: the hashes of its views."""

    hashes: list[bytes]


def views_of(info: ImageInfo) -> Views:
    """Return the views of a picture that has a thumbnail."""
    square = pixels_of(info.thumb)
    aspect = max(info.width, 1) / max(info.height, 1)
    middle = square_part(1 / aspect if info.orientation >= 5 else aspect)
    hashes = [middle and part_hash(square, middle)]
    inner = _framed_part(square)
    hash_inside = inner and part_hash(square, inner)
    # Inside a plain border the hash is that of the first look: cut-outs on white have it, too.
    if hash_inside and _distance(hash_inside, info.phash_trim) <= _SAME:
        hash_inside = None
    hashes.append(hash_inside)
    return Views([hash for hash in hashes if hash])


def _framed_part(square: Array) -> Part | None:
    """Return what lies inside a frame of some width; thinner ones are found by the second look."""
    inner = inner_part(square)
    return inner if inner and inner[1] * inner[3] < _LEAST_FRAMED * SIDE * SIDE else None


def _distance(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def inside(info: ImageInfo) -> Appearance | None:
    """Return what lies inside the frame of a picture; None where it has none that matters.

    A part whose hash is that without a plain border is left out: the first look compares it. So is
    a picture that is mostly plain ground: a cut-out or a chart, not a page with a picture.
    """
    if len(info.thumb) != THUMB_BYTES:
        return None
    square = pixels_of(info.thumb)
    inner = None if is_on_plain_ground(square) else _framed_part(square)
    hash_inside = inner and part_hash(square, inner)
    if not inner or not hash_inside or _distance(hash_inside, info.phash_trim) <= _EQUAL:
        return None
    return _cut_out(square, info.chroma, inner)


def part_inside(whole: Appearance) -> Appearance | None:
    """Return what lies inside the frame of a picture that is known to have one."""
    square = pixels_of(whole.thumb) if len(whole.thumb) == THUMB_BYTES else None
    inner = None if square is None else _framed_part(square)
    return None if square is None or inner is None else _cut_out(square, whole.chroma, inner)


def _cut_out(square: Array, chroma: bytes, part: Part) -> Appearance:
    return Appearance(part_pixels(square, part), part_colours(chroma, part))


class ViewIndex:
    """Hashes of the views of kept images."""

    def __init__(self) -> None:
        self._index = HashIndex()

    def add(self, ids: list[int], views: list[Views]) -> None:
        """Add images with their views."""
        hashes = [hash for one in views for hash in one.hashes]
        if hashes:
            numbers = [id for id, one in zip(ids, views, strict=True) for _ in one.hashes]
            self._index.extend(numbers, hashes)

    def remove(self, id: int) -> None:
        """Remove an image; an unknown id is ignored."""
        self._index.remove(id)

    def find(
        self, info: ImageInfo, views: Views, wholes: HashIndex, radius: int,
        wanted: Callable[[int], bool],
    ) -> tuple[int, int] | None:  # fmt: skip
        """Return (id, distance) of the nearest image that matches whole to view or view to whole.

        `wholes` holds the hashes of whole pictures, with which the views of this one are compared.
        """
        found = [self._index.nearest_of(_stacked([info.phash]), radius, wanted)]
        if views.hashes:
            found.append(wholes.nearest_of(_stacked(views.hashes), radius, wanted))
        best = min((one[:0:-1] for one in found if one is not None), default=None)
        return None if best is None else (best[1], best[0])


def _stacked(hashes: list[bytes]) -> Array:
    return np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(-1, 32)
