"""Near-duplicate detection: a global index of perceptual hashes, then alignment within a label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pixtrawl.dedup.near import Level, Match, NearDuplicates

if TYPE_CHECKING:
    from pixtrawl.dedup.overlay.aligned import aligned_distance
    from pixtrawl.dedup.search.hash_index import HashIndex

__all__ = ["HashIndex", "Level", "Match", "NearDuplicates", "aligned_distance"]


def __getattr__(name: str) -> Any:
    """Import lazily what needs numpy."""
    if name == "HashIndex":
        from pixtrawl.dedup.search.hash_index import HashIndex

        return HashIndex
    if name == "aligned_distance":
        from pixtrawl.dedup.overlay.aligned import aligned_distance

        return aligned_distance
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
