"""Rows of a catalog that is made again: removed images, queries, decisions and what they undid."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from pixtrawl.catalog import sample_rows, samples
from pixtrawl.catalog.decisions import recorded as decisions, refusals, takedown
from pixtrawl.catalog.decisions.recorded import DecisionState
from pixtrawl.catalog.decisions.refusals import Refusal
from pixtrawl.catalog.decisions.takedown import Rule
from pixtrawl.catalog.frontier import FILTERS_UNKNOWN
from pixtrawl.catalog.rebuild.described import Described, add
from pixtrawl.catalog.schema.states import KEPT, SampleState
from pixtrawl.urls import host_of, url_key

__all__ = [
    "add_image",
    "delete",
    "give_aliases",
    "give_filters",
    "kept_row",
    "next_id",
    "note_decision",
    "refuse",
    "rows_of",
    "take_down",
]


def next_id(db: sqlite3.Connection) -> int:
    """Return a free id for an image and its candidate."""
    (last,) = db.execute("SELECT coalesce(max(id), 0) FROM sample").fetchone()
    return int(last) + 1


def add_image(db: sqlite3.Connection, image: Described) -> int:
    """Add an image as kept, its candidate under the key of its URL. Return its row."""
    row_id = next_id(db)
    key = url_key(image.url) if image.url else image.sha256[:16]
    query = "SELECT id FROM query WHERE text = ? AND label = ?"
    taken = db.execute(
        f"SELECT 1 FROM candidate WHERE key = ? AND query_id IN ({query})",
        (key, image.query, image.query_label or image.label),
    ).fetchone()
    if taken is not None:
        key = row_id.to_bytes(16)
    add(db, replace(image, id=row_id, key=key, run_id=FILTERS_UNKNOWN))
    db.execute("UPDATE candidate SET host = ? WHERE id = ?", (host_of(image.url) or "", row_id))
    return row_id


def kept_row(db: sqlite3.Connection, label: str, sha256: str) -> int | None:
    """Return the kept image of a label with these bytes, or None."""
    row = db.execute(
        f"SELECT id FROM sample WHERE label = ? AND sha256 = ? AND state IN {KEPT} LIMIT 1",
        (label, bytes.fromhex(sha256)),
    ).fetchone()
    return None if row is None else int(row[0])


def rows_of(db: sqlite3.Connection, sha256: str) -> list[int]:
    """Return every row with these bytes."""
    return sample_rows.of_bytes(db, sha256)


def delete(db: sqlite3.Connection, row_id: int) -> None:
    """Mark an image as deleted by hand."""
    samples.mark(db, row_id, SampleState.DELETED_BY_HAND)


def refuse(db: sqlite3.Connection, row_id: int, *, refill: bool, words: str) -> None:
    """Withdraw an image as refused by a person."""
    refusals.refuse(db, row_id, Refusal(refill, words))


def take_down(db: sqlite3.Connection, row_id: int, sha256: str, because: str) -> None:
    """Mark an image as taken down, and keep its bytes out."""
    samples.mark(db, row_id, SampleState.TAKEN_DOWN)
    if because:
        takedown.note_cause(db, sha256, because)
    takedown.remember(db, [Rule("sha256", sha256)])


def give_filters(
    db: sqlite3.Connection, queries: Iterable[tuple[str, str, str, int | None]]
) -> None:
    """Set filters and number of queries that are known from elsewhere; add those without images."""
    for text, label, filters, wanted in queries:
        own = "text = ? AND label = ? AND run_id = ?"
        done = db.execute(
            f"UPDATE OR IGNORE query SET filters = ?, wanted = ?, run_id = 0 WHERE {own}",
            (filters, wanted, text, label, FILTERS_UNKNOWN),
        )
        if not done.rowcount:
            db.execute(
                "INSERT OR IGNORE INTO query (text, label, filters, wanted, run_id) "
                "VALUES (?, ?, ?, ?, 0)",
                (text, label, filters, wanted),
            )


def give_aliases(db: sqlite3.Connection, aliases: Mapping[str, str]) -> None:
    """Record renamed labels, but for those that are in use again under the old name."""
    for old, new in aliases.items():
        if db.execute("SELECT 1 FROM query WHERE label = ?", (old,)).fetchone() is None:
            db.execute("INSERT OR REPLACE INTO label_alias VALUES (?, ?)", (old, new))


def note_decision(
    db: sqlite3.Connection,
    record: tuple[str, str, bytes],
    state: DecisionState,
    note: Mapping[str, Any] | None = None,
) -> None:
    """Add a decision (id, batch, line) that was carried out before, with what undoing it needs."""
    decisions.note(db, *record)
    decisions.set_state(db, record[0], state, note)
