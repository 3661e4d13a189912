"""How typical an image is of its label: the mean cosine with its nearest neighbours there."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

import numpy as np

from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.scores import embeddings
from pixtrawl.catalog.scores.columns import ScoreColumn
from pixtrawl.scoring.likeness.neighbours import EXACT, near_neighbours
from pixtrawl.scoring.models.interface import Vectors, from_bytes
from pixtrawl.scoring.relevance import QueryScores, store_group

__all__ = ["label_scores", "typicality"]

_NEIGHBOURS: Final = 5
_ROWS: Final = 512  # rows per matrix product with all others of the label


def label_scores(
    catalog: Catalog, model: str, flag_below: float | None, columns: Sequence[ScoreColumn]
) -> list[QueryScores]:
    """Store how typical each image is of its label, and whether it is an outlier there."""

    def write(db: sqlite3.Connection, label: str) -> QueryScores | None:
        images = list(embeddings.embedded(db, model, label=label))
        if not images:
            return None
        values = typicality(from_bytes([one.embedding for one in images])).tolist()
        return store_group(db, (label, label), images, values, flag_below, columns)

    found = [
        catalog.write_now(lambda db, label=label: write(db, label))  # type: ignore[misc]
        for label in catalog.write_now(embeddings.labels)
    ]
    return [one for one in found if one is not None]


def typicality(vectors: Vectors) -> Vectors:
    """Return for each row the mean cosine with its five nearest others; 1 for a single row."""
    if len(vectors) <= EXACT:  # else a block at a time
        vectors = np.asarray(vectors, dtype=np.float32)
    count = len(vectors)
    nearest = min(_NEIGHBOURS, count - 1)
    found = np.ones(count, np.float32)
    if not nearest:
        return found
    if count > EXACT:
        found[:] = near_neighbours(vectors, nearest)[1].mean(axis=1)
        return np.clip(found, -1, 1)
    for start in range(0, count, _ROWS):
        cosines = vectors[start : start + _ROWS] @ vectors.T
        own = np.arange(len(cosines))
        cosines[own, start + own] = -2.0
        best = np.partition(cosines, count - nearest, axis=1)[:, count - nearest :]
        found[start : start + _ROWS] = best.mean(axis=1)
    return np.clip(found, -1, 1)
