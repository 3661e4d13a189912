"""The queries that a data set has been asked for."""

from __future__ import annotations

import sqlite3

from msgspec import Struct

__all__ = ["Asked", "asked_or_filed", "filters_of_kept", "labels_and_texts"]


class Asked(Struct, frozen=True):
    """A query without its count; `filters` is a JSON object with sorted keys."""

    text: str
    label: str
    filters: str


def labels_and_texts(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """(label, text) pairs, oldest first."""
    return list(db.execute("SELECT label, text FROM query ORDER BY id"))


def asked_or_filed(db: sqlite3.Connection) -> list[Asked]:
    """Every query under each label that images of it have, also one that a person gave them.

    In the order of label, text and filters.
    """
    rows = db.execute(
        "SELECT text, label, filters FROM query UNION "
        "SELECT q.text, s.label, q.filters FROM sample s JOIN query q ON q.id = s.query_id "
        "WHERE s.state IN (0, 1) AND s.label <> q.label ORDER BY 2, 1, 3"
    )
    return [Asked(*row) for row in rows]


def filters_of_kept(db: sqlite3.Connection) -> dict[int, str]:
    """By the id of each kept image: the filters of its query."""
    return dict(
        db.execute(
            "SELECT s.id, q.filters FROM sample s JOIN query q ON q.id = s.query_id "
            "WHERE s.state IN (0, 1)"
        ).fetchall()
    )
