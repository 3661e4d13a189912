"""Order images by their likeness to others."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

import numpy as np

from pixtrawl.scoring.likeness.spaces import Space
from pixtrawl.scoring.models.interface import unit

__all__ = ["order_by_likeness"]

_FEW: Final = 4  # up to so many examples, the nearest of them counts; of more, their mean


def order_by_likeness(
    db: sqlite3.Connection, space: Space, ids: Sequence[int], examples: Sequence[int]
) -> list[tuple[int, float]]:
    """Return those of `ids` that have a vector, the most alike first, each with its cosine.

    The result is empty where none of `examples` has a vector.
    """
    _, given = space.vectors(db, examples)
    if not len(given):
        return []
    if len(given) > _FEW:
        given = unit(given.mean(axis=0, keepdims=True))
    found: list[tuple[int, float]] = []
    for block, vectors in space.blocks(db, ids):
        cosines = np.clip((vectors @ given.T).max(axis=1), -1, 1)
        found += zip(block, cosines.tolist(), strict=True)
    found.sort(key=lambda one: (-one[1], one[0]))
    return found
