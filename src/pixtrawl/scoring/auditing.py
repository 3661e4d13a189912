"""Check the classes of a data set: read what the check needs from the catalog."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

import numpy as np

from pixtrawl.catalog import look_pairs
from pixtrawl.scoring.class_check import Audit, audit
from pixtrawl.scoring.spaces import Space, space_of

__all__ = ["audit_of"]

_MOST: Final = 0.5


def audit_of(
    db: sqlite3.Connection, *, model: str = "", tell: Callable[[float], None] = lambda done: None
) -> Audit:
    """Return the class check of the kept images.

    By embeddings if at least half of the images have one (those without are left out), else by
    looks. `model` is the start of the name of the model to take. `tell` is called with the
    share that is done; it may raise, to end the work.
    """
    images = look_pairs.images(db)
    order = {one.id: at for at, one in enumerate(images)}
    ids = list(order)
    looks_of, looks = Space("look").comparable(db, ids, lambda done: tell(0.3 * done))
    space = space_of(db, (), model)
    found, vectors = looks_of, looks
    if space.by == "embedding":
        found, vectors = space.comparable(db, ids, lambda done: tell(0.3 + 0.1 * done))
    if len(found) < _MOST * len(images):
        space, found, vectors = Space("look"), looks_of, looks
    chosen = [images[order[one]] for one in found]
    row_of_look = {one: at for at, one in enumerate(looks_of)}
    rows = [row_of_look[one] for one in found if one in row_of_look]
    own_looks = looks[rows] if len(rows) == len(found) else np.zeros((0, 1), np.float32)
    trusted = frozenset(one.id for one in look_pairs.marked(db) if one.wanted)
    return audit(
        chosen, vectors, own_looks, by=space.by, model=space.model, trusted=trusted,
        tell=lambda done: tell(0.4 + 0.6 * done),
    )  # fmt: skip
