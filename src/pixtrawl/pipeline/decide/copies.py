"""Two files of one picture: which one is better, and whether they look exactly alike. Pure."""

from __future__ import annotations

from typing import Final

from pixtrawl.dedup import Match
from pixtrawl.model import ImageInfo, Kind

__all__ = ["STRICT_BITS", "is_alike", "merit"]

STRICT_BITS: Final = 31  # of 256: never two natural pictures (dedup.near)
_FLAT_STEP: Final = 4  # of 255, the same for flat pictures
_LOSSLESS: Final = frozenset({"png", "bmp", "tiff"})
_FINE: Final = 90  # JPEG quality from which little is lost
_POOR: Final = 70  # and below which it shows


def is_alike(match: Match, kept: ImageInfo, info: ImageInfo) -> bool:
    """The same look at the same size: what a host does with its placeholder, not with previews."""
    if (kept.width, kept.height) != (info.width, info.height):
        return False
    limit = {"hash": STRICT_BITS, "flat": _FLAT_STEP}.get(match.stage, -1)
    return match.distance <= limit


def merit(kind: Kind, rank: int, info: ImageInfo) -> tuple[int, int, int, int, int, str]:
    """What decides between two copies; the larger one is kept.

    A total order, so that the order of arrival does not matter: original before thumbnail, more
    pixels, less compressed; then what its source ranked higher, since a copy is made of what is
    known already; then more bytes.
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
    """How much compression took, in three grades: no finer than what formats tell of themselves.

    WebP and AVIF do not tell; most of them were made of a JPEG by its host, so that they count as
    one of usual quality and the rank decides.
    """
    quality = info.measures.get("jpeg_quality", 0.0)
    if info.format in _LOSSLESS or quality >= _FINE:
        return 2
    return 0 if 0 < quality < _POOR else 1
