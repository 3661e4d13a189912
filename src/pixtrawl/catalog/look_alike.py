"""The columns by which images are ordered by likeness: hashes, thumbnails, embeddings."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from msgspec import Struct

__all__ = ["LookOf", "all_embedded", "embeddings", "looks"]


class LookOf(Struct, frozen=True):
    """The look of one image."""

    id: int
    phash: bytes
    thumb: bytes  # grey, 64 x 64


def looks(db: sqlite3.Connection, ids: Sequence[int]) -> list[LookOf]:
    """Return the look of these images."""
    rows = db.execute(
        "SELECT id, phash, thumb FROM sample WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    return [LookOf(*row) for row in rows]


def all_embedded(db: sqlite3.Connection, ids: Sequence[int]) -> bool:
    """Return whether each of these images has an embedding, all of one model."""
    row = db.execute(
        "SELECT count(*), count(DISTINCT model) FROM relevance "
        "WHERE sample_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(set(ids))),),
    ).fetchone()
    return bool(row[0] == len(set(ids)) and row[1] == 1)


def embeddings(db: sqlite3.Connection, ids: Sequence[int]) -> list[tuple[int, bytes]]:
    """Return id and embedding (float16) of those of these images that have one."""
    return list(
        db.execute(
            "SELECT sample_id, embedding FROM relevance "
            "WHERE sample_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
    )
