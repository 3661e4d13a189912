"""Near-duplicate removal: perceptual hashes in a global index, an aligned second look by label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pixtrawl.dedup.near import Level, Match, NearDuplicates

if TYPE_CHECKING:
    from pixtrawl.dedup.aligned import aligned_distance
    from pixtrawl.dedup.index import HashIndex

__all__ = ["HashIndex", "Level", "Match", "NearDuplicates", "aligned_distance"]


def __getattr__(name: str) -> Any:
    """What needs numpy is imported when it is asked for."""
    if name == "HashIndex":
        from pixtrawl.dedup.index import HashIndex

        return HashIndex
    if name == "aligned_distance":
        from pixtrawl.dedup.aligned import aligned_distance

        return aligned_distance
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
