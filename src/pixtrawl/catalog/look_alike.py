"""The columns by which images are ordered by likeness: hashes, thumbnails, colours, embeddings."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from pixtrawl.catalog.embeddings import embedding_models, of_images

__all__ = ["LookOf", "looks", "model_of_all"]


class LookOf(Struct, frozen=True):
    """The look of one image."""

    id: int
    thumb: bytes  # grey, 64 x 64
    chroma: bytes  # Cb and Cr of 16 x 16 cells
    measures: str  # JSON


def looks(db: sqlite3.Connection, ids: Sequence[int]) -> list[LookOf]:
    """Return the look of these images."""
    rows = db.execute(
        "SELECT id, thumb, chroma, measures FROM sample "
        "WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    return [LookOf(*row) for row in rows]


def model_of_all(db: sqlite3.Connection, ids: Sequence[int], name: str = "") -> int | None:
    """Return a model by which each of these images has an embedding; None if there is none.

    Of several, the one by which most images of the data set have one. `name` is the start of the
    model's name.
    """
    wanted = set(ids)
    for model in embedding_models(db):
        if model.name.startswith(name) and len(of_images(db, model.id, sorted(wanted))) == len(
            wanted
        ):
            return model.id
    return None
