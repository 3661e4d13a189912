"""Images whose files a person edited: their rows describe the file as it is now."""

from __future__ import annotations

import sqlite3

import msgspec

from pixtrawl.catalog.run_log import now
from pixtrawl.catalog.schema.states import KEPT
from pixtrawl.catalog.scores import columns as scores, embeddings
from pixtrawl.model import ImageInfo

__all__ = ["count", "take"]


def take(db: sqlite3.Connection, sample_id: int, info: ImageInfo) -> None:
    """Describe the edited file in its row, and keep the hash of the bytes that were fetched.

    Scores and embeddings of the former picture are deleted.
    """
    db.execute(
        "INSERT OR IGNORE INTO edited (sample_id, at, sha256) "
        "SELECT id, ?, sha256 FROM sample WHERE id = ?",
        (now(), sample_id),
    )
    measures = msgspec.json.encode(dict(info.measures)).decode()
    db.execute(
        "UPDATE sample SET sha256 = ?, format = ?, width = ?, height = ?, frames = ?, "
        "size_bytes = ?, orientation = ?, flat = ?, phash = ?, phash_trim = ?, thumb = ?, "
        "measures = ? WHERE id = ?",
        (
            bytes.fromhex(info.sha256), info.format, info.width, info.height, info.frames,
            info.size_bytes, info.orientation, int(info.flat), info.phash, info.phash_trim,
            info.thumb, measures, sample_id,
        ),
    )  # fmt: skip
    scores.forget(db, sample_id)
    embeddings.forget(db, sample_id)


def count(db: sqlite3.Connection) -> int:
    """Return how many kept images a person edited."""
    row = db.execute(
        f"SELECT count(*) FROM edited e JOIN sample s ON s.id = e.sample_id WHERE s.state IN {KEPT}"
    ).fetchone()
    return int(row[0])
