"""Columns of scores that models of the user's choice gave to images.

A scoring (the name of `--as`) has one or several columns, which are replaced together. The
embeddings that scores are made from are in `catalog.scores.embeddings`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from pixtrawl.catalog.schema.states import KEPT

__all__ = [
    "ColumnType",
    "ScoreColumn",
    "ScoreTypes",
    "begin",
    "columns",
    "drop",
    "forget",
    "models",
    "note_model",
    "other_owner",
    "put",
    "types",
    "values",
    "values_of",
    "without_score",
]

ColumnType = Literal["bool", "float", "text"]
ScoreTypes = Mapping[str, tuple[str, ColumnType]]  # name and type by the column's id, as text


class ScoreColumn(Struct, frozen=True):
    """A column of scores, and the model that filled it."""

    id: int
    name: str
    type: ColumnType
    scoring: str
    model: str


def columns(db: sqlite3.Connection) -> list[ScoreColumn]:
    """Return the columns of scores, in the order in which they were made."""
    rows = db.execute("SELECT id, name, type, scoring, model FROM score_column ORDER BY id")
    return [ScoreColumn(*row) for row in rows]


def types(db: sqlite3.Connection) -> ScoreTypes:
    """Return name and type of the columns by their ids, as the JSON text of a row has them."""
    return {str(one.id): (one.name, one.type) for one in columns(db)}


def begin(
    db: sqlite3.Connection, scoring: str, model: str, wanted: Mapping[str, ColumnType]
) -> list[ScoreColumn]:
    """Return the columns of a scoring, and make them where need be.

    Those of another model, or of other names or types, are emptied first: scores of two models do
    not mix.
    """
    found = [one for one in columns(db) if one.scoring == scoring]
    same = [(one.name, one.type, one.model) for one in found]
    if same != [(name, type_, model) for name, type_ in wanted.items()]:
        drop(db, scoring)
        db.executemany(
            "INSERT INTO score_column (name, type, scoring, model) VALUES (?, ?, ?, ?)",
            [(name, type_, scoring, model) for name, type_ in wanted.items()],
        )
        found = [one for one in columns(db) if one.scoring == scoring]
    return found


def drop(db: sqlite3.Connection, scoring: str) -> int:
    """Remove the columns of a scoring with all their values; return how many there were."""
    own = "SELECT id FROM score_column WHERE scoring = ?"
    db.execute(f"DELETE FROM score WHERE column_id IN ({own})", (scoring,))
    return db.execute("DELETE FROM score_column WHERE scoring = ?", (scoring,)).rowcount


def put(db: sqlite3.Connection, rows: Iterable[tuple[int, int, float | str | bool]]) -> None:
    """Store values as (image, column, value); numbers keep six significant digits."""
    db.executemany(
        "INSERT OR REPLACE INTO score (sample_id, column_id, value) VALUES (?, ?, ?)",
        ((image, column, _stored(value)) for image, column, value in rows),
    )


def _stored(value: float | str | bool) -> float | str | int:
    if isinstance(value, bool):
        return int(value)
    return float(f"{value:.6g}") if isinstance(value, float) else value


def without_score(
    db: sqlite3.Connection, column_id: int, *, after: int, count: int
) -> list[tuple[int, str, str]]:
    """Return id, file name and SHA-256 of at most `count` kept images above the id `after` that
    have no value in this column, by id.
    """
    return db.execute(
        "SELECT s.id, s.file_name, lower(hex(s.sha256)) FROM sample s "
        f"WHERE s.state IN {KEPT} AND s.id > ? AND NOT EXISTS "
        "(SELECT 1 FROM score v WHERE v.sample_id = s.id AND v.column_id = ?) "
        "ORDER BY s.id LIMIT ?",
        (after, column_id, count),
    ).fetchall()


def values_of(text: str | None, known: ScoreTypes) -> dict[str, float | str | bool | None]:
    """Return the scores of an image by name, None where it has none, from its row's JSON text."""
    given = msgspec.json.decode(text) if text else {}
    found: dict[str, float | str | bool | None] = {}
    for key, (name, type_) in known.items():
        value = given.get(key)
        found[name] = bool(value) if type_ == "bool" and value is not None else value
    return found


def values(db: sqlite3.Connection, column_id: int) -> list[float | str]:
    """Return the values of a column over the kept images."""
    rows = db.execute(
        "SELECT v.value FROM score v JOIN sample s ON s.id = v.sample_id "
        f"WHERE v.column_id = ? AND s.state IN {KEPT}",
        (column_id,),
    )
    return [row[0] for row in rows]


def forget(db: sqlite3.Connection, sample_id: int) -> None:
    """Remove the scores of an image whose picture has changed."""
    db.execute("DELETE FROM score WHERE sample_id = ?", (sample_id,))


def note_model(db: sqlite3.Connection, name: str, note: Mapping[str, object]) -> int:
    """Register a model with where its files are from; return its id."""
    text = msgspec.json.encode(dict(note)).decode()
    db.execute("INSERT OR IGNORE INTO model (name, note) VALUES (?, ?)", (name, text))
    if note:
        db.execute("UPDATE model SET note = ? WHERE name = ?", (text, name))
    return int(db.execute("SELECT id FROM model WHERE name = ?", (name,)).fetchone()[0])


def models(db: sqlite3.Connection) -> list[dict[str, object]]:
    """Return the models whose scores or embeddings the data set has, with their notes."""
    rows = db.execute(
        "SELECT name, note FROM model m WHERE name IN (SELECT model FROM score_column) OR "
        "EXISTS (SELECT 1 FROM embedding e WHERE e.model_id = m.id) ORDER BY name"
    )
    return [{"model": name, **msgspec.json.decode(note)} for name, note in rows]


def other_owner(db: sqlite3.Connection, scoring: str, names: Sequence[str]) -> str | None:
    """Return which of these names another scoring or a list's own column has; None if none."""
    for name in names:
        row = db.execute(
            "SELECT 1 FROM score_column WHERE name = ?1 AND scoring <> ?2 "
            "UNION ALL SELECT 1 FROM own_column WHERE name = ?1",
            (name, scoring),
        ).fetchone()
        if row is not None:
            return name
    return None
