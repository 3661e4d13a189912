"""The queries that a data set has been asked for."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable

from msgspec import Struct

from pixtrawl.catalog import frontier
from pixtrawl.catalog.schema.states import KEPT
from pixtrawl.model import Query

__all__ = [
    "QueryIdentity",
    "StoredQuery",
    "asked_or_filed",
    "every",
    "filters_of_kept",
    "id_of",
    "labels_and_texts",
    "of_run",
    "of_same_words",
    "one",
    "wanted_in_all",
]


class QueryIdentity(Struct, frozen=True):
    """A query without its count; `filters` is a JSON object with sorted keys."""

    text: str
    label: str
    filters: str


class StoredQuery(Struct, frozen=True):
    """A row of the table of queries."""

    id: int
    text: str
    label: str
    wanted: int | None  # None: all there are
    filters: str


def every(db: sqlite3.Connection) -> list[StoredQuery]:
    """Return all queries, in the order in which they were first asked."""
    rows = db.execute("SELECT id, text, label, wanted, filters FROM query ORDER BY id")
    return [StoredQuery(*row) for row in rows]


def of_run(db: sqlite3.Connection, run_id: int) -> list[StoredQuery]:
    """Return the queries that this run was the last to ask for."""
    rows = db.execute(
        "SELECT id, text, label, wanted, filters FROM query WHERE run_id = ? ORDER BY id", (run_id,)
    )
    return [StoredQuery(*row) for row in rows]


def one(db: sqlite3.Connection, query_id: int) -> StoredQuery:
    """Return the query of a row. Raise LookupError where there is none."""
    row = db.execute(
        "SELECT id, text, label, wanted, filters FROM query WHERE id = ?", (query_id,)
    ).fetchone()
    if row is None:
        raise LookupError(f"there is no query {query_id}")
    return StoredQuery(*row)


def id_of(db: sqlite3.Connection, query: Query) -> int | None:
    """Return the row of a query, by the current name of its label; None if it was never asked."""
    row = db.execute(
        "SELECT id FROM query WHERE text = ? AND label = ? AND filters = ?",
        (query.text, frontier.actual_label(db, query.label), frontier.filters_json(query)),
    ).fetchone()
    return None if row is None else int(row[0])


def want(db: sqlite3.Connection, query_id: int, limit: int) -> int:
    """Set how many images a query wants. Return that less the places that are to stay empty."""
    db.execute("UPDATE query SET wanted = ? WHERE id = ?", (limit, query_id))
    return max(0, limit - frontier.unfilled_count(db, query_id))


def of_same_words(db: sqlite3.Connection, query_id: int) -> list[StoredQuery]:
    """Return the queries with the same text and label as this one, but other filters."""
    rows = db.execute(
        "SELECT o.id, o.text, o.label, o.wanted, o.filters FROM query q "
        "JOIN query o ON o.text = q.text AND o.label = q.label AND o.id <> q.id "
        "WHERE q.id = ? ORDER BY o.id",
        (query_id,),
    )
    return [StoredQuery(*row) for row in rows]


def wanted_in_all(db: sqlite3.Connection) -> int:
    """Return the sum of the images asked for; queries without a limit are left out."""
    (wanted,) = db.execute("SELECT sum(wanted) FROM query").fetchone()
    return int(wanted or 0)


def labels_and_texts(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return (label, text) of each query, oldest first."""
    return list(db.execute("SELECT label, text FROM query ORDER BY id"))


def asked_or_filed(db: sqlite3.Connection) -> list[QueryIdentity]:
    """Return every query under its own label and under those that a person gave its images.

    In the order of label, text and filters.
    """
    rows = db.execute(
        "SELECT text, label, filters FROM query UNION "
        "SELECT q.text, s.label, q.filters FROM sample s JOIN query q ON q.id = s.query_id "
        f"WHERE s.state IN {KEPT} AND s.label <> q.label ORDER BY 2, 1, 3"
    )
    return [QueryIdentity(*row) for row in rows]


def filters_of_kept(db: sqlite3.Connection) -> Callable[[int], str]:
    """Return a function from the id of a kept image to the filters of its query.

    It holds 8 bytes for each image that the data set ever had.
    """
    filters = dict(db.execute("SELECT id, filters FROM query").fetchall())
    (most,) = db.execute("SELECT coalesce(max(id), 0) FROM sample").fetchone()
    query_ids = array("q", bytes(8 * (most + 1)))
    for sample_id, query_id in db.execute(f"SELECT id, query_id FROM sample WHERE state IN {KEPT}"):
        query_ids[sample_id] = query_id
    return lambda sample_id: filters[query_ids[sample_id]]
