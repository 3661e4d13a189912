"""The columns by which images are ordered by likeness: hashes, thumbnails, colours, embeddings."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from pixtrawl.catalog.schema.states import KEPT
from pixtrawl.catalog.scores.embeddings import embedding_models

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


def model_of_all(
    db: sqlite3.Connection, ids: Sequence[int], name: str = ""
) -> tuple[int, str] | None:
    """Return a model by which each of these images has an embedding, and its name; None if there
    is none.

    Of several, the one by which most images of the data set have one. `name` is the start of the
    model's name.
    """
    wanted = set(ids)
    rows = db.execute(  # models without any kept image are none
        "SELECT m.id, m.name FROM embedding e JOIN model m ON m.id = e.model_id "
        "WHERE e.sample_id IN (SELECT value FROM json_each(?)) GROUP BY m.id HAVING count(*) = ? "
        "AND EXISTS (SELECT 1 FROM embedding o JOIN sample s ON s.id = o.sample_id "
        f"WHERE o.model_id = m.id AND s.state IN {KEPT})",
        (json.dumps(sorted(wanted)), len(wanted)),
    )
    found = {id_: own for id_, own in rows if own.startswith(name)}
    if len(found) > 1:  # counting 100,000 embeddings takes as long as comparing them
        first = next(one.id for one in embedding_models(db) if one.id in found)
        return first, found[first]
    return next(iter(found.items()), None)
