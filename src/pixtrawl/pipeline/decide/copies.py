"""Compares two files of one picture: which is better, and whether they look exactly alike."""

from __future__ import annotations

from typing import Final

from pixtrawl.dedup import Match
from pixtrawl.model import ImageInfo, Kind

__all__ = ["STRICT_BITS", "is_alike", "merit"]

STRICT_BITS: Final = 31  # of 256: two different natural pictures are never so close (dedup.near)
_FLAT_STEP: Final = 4  # of 255: the same limit for flat pictures
_LOSSLESS: Final = frozenset({"png", "bmp", "tiff"})
_FINE: Final = 90  # JPEG quality from which the loss is small
_POOR: Final = 70  # JPEG quality below which the loss is visible


def is_alike(match: Match, kept: ImageInfo, info: ImageInfo) -> bool:
    """Whether both have the same size and look alike, as a host's placeholders do.

    Previews of a picture differ in size.
    """
    if (kept.width, kept.height) != (info.width, info.height):
        return False
    limit = {"hash": STRICT_BITS, "flat": _FLAT_STEP}.get(match.stage, -1)
    return match.distance <= limit


def merit(kind: Kind, rank: int, info: ImageInfo) -> tuple[int, int, int, int, int, str]:
    """Return the sort key that decides between two copies; the larger one is kept.

    A total order, so that the order of arrival does not matter: original before thumbnail, more
    pixels, less compression, higher rank in its source (copies tend to rank below what they were
    made from), more bytes.
    """
    return (
        -kind.preference,
        info.width * info.height,
        _grade(info),
        -(rank or 10**9),
        info.size_bytes,
        info.sha256,
    )


def _grade(info: ImageInfo) -> int:
    """Return the grade of compression: 2 for lossless or fine, 1 for usual, 0 for poor.

    WebP and AVIF do not state a quality. Most were converted from a JPEG by the host, so they count
    as usual quality and the rank decides.
    """
    quality = info.measures.get("jpeg_quality", 0.0)
    if info.format in _LOSSLESS or quality >= _FINE:
        return 2
    return 0 if 0 < quality < _POOR else 1
