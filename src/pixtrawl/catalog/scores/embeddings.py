"""Embeddings of images by models: vectors of length 1, stored once, as float16, little-endian."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence

from msgspec import Struct

from pixtrawl.catalog.schema.states import KEPT

__all__ = [
    "Embedded",
    "EmbeddingModel",
    "QueryKey",
    "embedded",
    "embedding_models",
    "forget",
    "ids_of",
    "labels",
    "mark_of",
    "of_images",
    "queries",
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


class EmbeddingModel(Struct, frozen=True):
    """A model by which kept images have embeddings, and how many."""

    id: int
    name: str
    images: int


def without_embedding(
    db: sqlite3.Connection, model: str, *, after: int, count: int
) -> list[tuple[int, str, str]]:
    """Return id, file name and SHA-256 of at most `count` kept images above the id `after` that
    have no embedding by this model, by id.
    """
    return db.execute(
        "SELECT s.id, s.file_name, lower(hex(s.sha256)) FROM sample s "
        f"WHERE s.state IN {KEPT} AND s.id > ? AND NOT EXISTS (SELECT 1 FROM embedding e "
        "JOIN model m ON m.id = e.model_id WHERE e.sample_id = s.id AND m.name = ?) "
        "ORDER BY s.id LIMIT ?",
        (after, model, count),
    ).fetchall()


def store(db: sqlite3.Connection, model_id: int, rows: Sequence[tuple[int, bytes]]) -> None:
    """Store embeddings by image."""
    db.executemany(
        "INSERT OR REPLACE INTO embedding (sample_id, model_id, vector) VALUES (?, ?, ?)",
        ((sample_id, model_id, vector) for sample_id, vector in rows),
    )


def embedding_models(db: sqlite3.Connection) -> list[EmbeddingModel]:
    """Return the models by which kept images have embeddings, the one with most images first."""
    rows = db.execute(
        "SELECT m.id, m.name, count(*) AS n FROM embedding e JOIN model m ON m.id = e.model_id "
        f"JOIN sample s ON s.id = e.sample_id WHERE s.state IN {KEPT} "
        "GROUP BY m.id ORDER BY n DESC, m.id DESC"
    )
    return [EmbeddingModel(*row) for row in rows]


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
    db: sqlite3.Connection, model: str, *, query_id: int | None = None, label: str | None = None
) -> Iterator[Embedded]:
    """Yield the kept images with an embedding by this model, by label and number.

    Only those of a query, or of a label, if given.
    """
    only, values = "", [model]
    for column, value in (("query_id", query_id), ("label", label)):
        if value is not None:
            only += f" AND s.{column} = ?"
            values.append(value)  # type: ignore[arg-type]
    rows = db.execute(
        "SELECT s.id, s.file_name, e.vector FROM model m JOIN embedding e ON e.model_id = m.id "
        "JOIN sample s ON s.id = e.sample_id "
        f"WHERE m.name = ? AND s.state IN {KEPT}{only} ORDER BY s.label, s.number",
        values,
    )
    for row in rows:
        yield Embedded(*row)


def of_images(db: sqlite3.Connection, model_id: int, ids: Sequence[int]) -> list[tuple[int, bytes]]:
    """Return id and embedding of those of these images that have one by this model."""
    return db.execute(
        "SELECT sample_id, vector FROM embedding "
        "WHERE model_id = ? AND sample_id IN (SELECT value FROM json_each(?))",
        (model_id, json.dumps(list(ids))),
    ).fetchall()


def ids_of(db: sqlite3.Connection, model_id: int) -> list[int]:
    """Return the kept images that have an embedding by this model, in ascending order."""
    rows = db.execute(
        "SELECT s.id FROM sample s JOIN embedding e ON e.sample_id = s.id "
        f"WHERE e.model_id = ? AND s.state IN {KEPT} ORDER BY s.id",
        (model_id,),
    )
    return [row[0] for row in rows]


def mark_of(db: sqlite3.Connection, model_id: int) -> tuple[int, int]:
    """Return two numbers that change where embeddings are added or removed, by no decision."""
    row = db.execute(
        "SELECT count(*), coalesce(sum(sample_id), 0) FROM embedding WHERE model_id = ?",
        (model_id,),
    ).fetchone()
    return int(row[0]), int(row[1])


def forget(db: sqlite3.Connection, sample_id: int) -> None:
    """Remove the embeddings of an image whose picture has changed."""
    db.execute("DELETE FROM embedding WHERE sample_id = ?", (sample_id,))
