"""Check the classes of a data set: read what the check needs from the catalog."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from pixtrawl.catalog.scores import embeddings
from pixtrawl.catalog.views import pairs as look_pairs
from pixtrawl.catalog.views.pairs import CheckedImage
from pixtrawl.scoring.classes.check import Audit, audit
from pixtrawl.scoring.classes.label_model import MOST_CELLS
from pixtrawl.scoring.likeness.spaces import Space, demand_model, space_of
from pixtrawl.scoring.models.interface import Vectors, unit

__all__ = ["audit_of"]

_MOST: Final = 0.5
_BLOCK: Final = 4096  # rows at a time
_MODELS: Final = 3  # whose embeddings are put together


def audit_of(
    db: sqlite3.Connection,
    *,
    model: str = "",
    on_progress: Callable[[float], None] = lambda done: None,
) -> Audit:
    """Return the class check of the kept images.

    By embeddings if at least half of the images have one (those without are left out), else by
    looks. `model` is the start of the name of the model to take; without it the embeddings of
    every model that covers the same images are put together: two know more than one.
    `on_progress` is called with the share that is done; it may raise, to end the work.
    Raises UsageError where no model of that name gave embeddings.
    """
    demand_model(db, model)
    images, space, names, vectors = _read(db, model, lambda done: on_progress(0.3 * done))
    trusted = frozenset(one.id for one in look_pairs.marked(db) if one.wanted)

    def looks(rows: Sequence[int]) -> Vectors:
        if space.by == "look":
            return vectors[rows]
        return Space("look").vectors(db, [images[at].id for at in rows])[1]

    return audit(
        images, vectors, looks, by=space.by, model=names, trusted=trusted,
        on_progress=lambda done: on_progress(0.3 + 0.7 * done),
    )  # fmt: skip


def _read(
    db: sqlite3.Connection, model: str, on_progress: Callable[[float], None]
) -> tuple[Sequence[CheckedImage], Space, str, Vectors]:
    """Return the images to be checked, their space, the models' names, and their vectors."""
    images: Sequence[CheckedImage] = look_pairs.images(db)
    ids = array("I", (one.id for one in images))
    space = space_of(db, (), model)
    found, vectors = space.comparable(db, ids, on_progress)
    names = space.model
    if space.by == "embedding" and len(found) < _MOST * len(images):
        space, names = Space("look"), ""
        found, vectors = space.comparable(db, ids, on_progress)
    elif space.by == "embedding" and not model:
        names, vectors = _together(db, space, found, vectors)
    if len(found) < len(images):
        there = set(found)
        images = [one for one in images if one.id in there]
    return images, space, names, vectors


def _together(
    db: sqlite3.Connection, first: Space, ids: Sequence[int], vectors: Vectors
) -> tuple[str, Vectors]:
    """Return the names and the joint vectors of all models by which all the images have one."""
    names, parts = [first.model], [vectors]
    for one in embeddings.embedding_models(db):
        if one.id == first.model_id or one.images < len(ids) or len(parts) == _MODELS:
            continue
        there, others = Space("embedding", one.id, one.name).comparable(db, ids)
        width = sum(part.shape[1] for part in (*parts, others))
        if there == list(ids) and width * len(ids) <= MOST_CELLS:
            names.append(one.name)
            parts.append(others)
    return " + ".join(names), _joined(parts)


def _joined(parts: Sequence[Vectors]) -> Vectors:
    """Return the rows of all parts side by side, of length 1; of one part in its own place."""
    width = sum(part.shape[1] for part in parts)
    size = (len(parts[0]), width)
    found = parts[0] if len(parts) == 1 else np.empty(size, parts[0].dtype)
    for start in range(0, len(found), _BLOCK):
        rows = slice(start, start + _BLOCK)
        found[rows] = unit(np.concatenate([part[rows] for part in parts], axis=1))
    return found
