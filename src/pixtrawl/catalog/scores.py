"""Scores and embeddings of images, computed with a model of the user's choice.

An image has one row, which a later model's replaces. When an image leaves the data set the trigger
`relevance_gone` deletes its row, since an embedding reveals much of the picture.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from msgspec import Struct

from pixtrawl.catalog.states import KEPT
from pixtrawl.model import Relevance

__all__ = [
    "Embedded",
    "QueryKey",
    "Scored",
    "clear_scores",
    "embedded",
    "has_scores",
    "labels",
    "queries",
    "relevance_of",
    "set_scores",
    "store",
    "without_embedding",
]


class QueryKey(Struct, frozen=True):
    """A query that has kept images."""

    id: int
    text: str
    label: str


class Embedded(Struct, frozen=True):
    """A kept image and its embedding (float16, little-endian)."""

    sample_id: int
    file_name: str
    embedding: bytes


class Scored(Struct, frozen=True):
    """The score of one image: the cosine with its query, and whether it is an outlier."""

    sample_id: int
    score: float
    flagged: bool


def without_embedding(
    db: sqlite3.Connection, model: str, *, after: int, count: int
) -> list[tuple[int, str, str]]:
    """Return id, file name and SHA-256 of at most `count` kept images above the id `after` that
    have no embedding by this model, by id.
    """
    return db.execute(
        "SELECT s.id, s.file_name, lower(hex(s.sha256)) FROM sample s LEFT JOIN relevance r "
        "ON r.sample_id = s.id AND r.model = ? "
        f"WHERE s.state IN {KEPT} AND r.sample_id IS NULL AND s.id > ? ORDER BY s.id LIMIT ?",
        (model, after, count),
    ).fetchall()


def store(db: sqlite3.Connection, model: str, rows: Sequence[tuple[int, bytes]]) -> None:
    """Store embeddings by sample id; this clears the images' earlier scores."""
    db.executemany(
        "INSERT OR REPLACE INTO relevance (sample_id, model, embedding) VALUES (?, ?, ?)",
        ((sample_id, model, embedding) for sample_id, embedding in rows),
    )


def queries(db: sqlite3.Connection) -> list[QueryKey]:
    """Return the queries that have kept images, by label and text."""
    rows = db.execute(
        "SELECT q.id, q.text, q.label FROM query q WHERE EXISTS "
        f"(SELECT 1 FROM sample s WHERE s.query_id = q.id AND s.state IN {KEPT}) "
        "ORDER BY q.label, q.text, q.id"
    )
    return [QueryKey(*row) for row in rows]


def labels(db: sqlite3.Connection) -> list[str]:
    """Return the labels that have kept images, sorted."""
    rows = db.execute(f"SELECT DISTINCT label FROM sample WHERE state IN {KEPT} ORDER BY label")
    return [row[0] for row in rows]


def embedded(
    db: sqlite3.Connection, model: str, *, query_id: int | None = None, label: str = ""
) -> Iterator[Embedded]:
    """Yield the embedded kept images of a query, or of a label, by label and number."""
    column, value = ("label", label) if query_id is None else ("query_id", query_id)
    rows = db.execute(
        "SELECT s.id, s.file_name, r.embedding FROM sample s "
        f"JOIN relevance r ON r.sample_id = s.id WHERE s.{column} = ? AND s.state IN {KEPT} "
        "AND r.model = ? ORDER BY s.label, s.number",
        (value, model),
    )
    for row in rows:
        yield Embedded(*row)


def clear_scores(db: sqlite3.Connection) -> None:
    """Clear all scores and flags, so that old scores do not mix with those of a new scoring."""
    db.execute("UPDATE relevance SET score = NULL, flagged = 0")


def set_scores(db: sqlite3.Connection, rows: Sequence[Scored]) -> None:
    """Store scores and flags of images that have an embedding."""
    db.executemany(
        "UPDATE relevance SET score = ?, flagged = ? WHERE sample_id = ?",
        ((row.score, int(row.flagged), row.sample_id) for row in rows),
    )


def has_scores(db: sqlite3.Connection) -> bool:
    """Return whether any image has a score."""
    row = db.execute("SELECT 1 FROM relevance WHERE score IS NOT NULL LIMIT 1").fetchone()
    return row is not None


def relevance_of(score: float | None, flagged: int | None) -> Relevance:
    """Build a `Relevance` from a row's columns; the score is rounded to four places."""
    return Relevance() if score is None else Relevance(round(float(score), 4), bool(flagged))
