"""Near-duplicate removal: perceptual hashes in a global index, an aligned second look by label."""

from pixtrawl.dedup.aligned import aligned_distance
from pixtrawl.dedup.index import HashIndex
from pixtrawl.dedup.near import Level, Match, NearDuplicates

__all__ = ["HashIndex", "Level", "Match", "NearDuplicates", "aligned_distance"]
