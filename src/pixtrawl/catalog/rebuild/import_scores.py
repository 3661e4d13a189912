"""Import scores and embeddings of one catalog into another."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from pixtrawl.catalog.scores import columns as scores

__all__ = ["take_scores"]


def take_scores(
    db: sqlite3.Connection, source: sqlite3.Connection, taken: Mapping[int, int]
) -> None:
    """Import the scores and embeddings of the images in `taken` (rows there to rows here).

    Columns that the target has by another model keep its own values.
    """
    models = {}
    for id_, name, note in source.execute("SELECT id, name, note FROM model"):
        db.execute("INSERT OR IGNORE INTO model (name, note) VALUES (?, ?)", (name, note))
        models[id_] = db.execute("SELECT id FROM model WHERE name = ?", (name,)).fetchone()[0]
    columns = {}
    for one in scores.columns(source):
        db.execute(
            "INSERT OR IGNORE INTO score_column (name, type, scoring, model) VALUES (?, ?, ?, ?)",
            (one.name, one.type, one.scoring, one.model),
        )
        own = {here.name: here for here in scores.columns(db)}[one.name]
        if (own.type, own.model) == (one.type, one.model):
            columns[one.id] = own.id
    for sample_id, model_id, vector in source.execute("SELECT * FROM embedding"):
        if (image := taken.get(sample_id)) is not None:
            db.execute(
                "INSERT OR IGNORE INTO embedding VALUES (?, ?, ?)",
                (image, models[model_id], vector),
            )
    for sample_id, column_id, value in source.execute("SELECT * FROM score"):
        if (image := taken.get(sample_id)) is not None and column_id in columns:
            db.execute(
                "INSERT OR IGNORE INTO score VALUES (?, ?, ?)", (image, columns[column_id], value)
            )
