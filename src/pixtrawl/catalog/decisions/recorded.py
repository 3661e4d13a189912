"""People's decisions in the catalog: which were read in, the state of each, and how to undo it.

The journal of decisions beside the catalog is the record; these rows hold its effects.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from msgspec import Struct

__all__ = [
    "DecisionState",
    "Noted",
    "are_waiting",
    "batch_of_labels",
    "mark",
    "note",
    "of_batch",
    "read_to",
    "set_state",
    "waiting",
    "waiting_count",
]


class DecisionState(IntEnum):
    """The state of a decision; the values of `decision.state`."""

    WAITS = 0  # for the end of the run that holds the data set
    HOLDS = 1
    UNDONE = 2
    VOID = 3  # it had nothing to change


class Noted(Struct, frozen=True):
    """A decision that was read from the journal."""

    id: str
    state: DecisionState
    line: bytes  # the record as JSON
    note: Mapping[str, Any]  # what undoing it needs


def note(db: sqlite3.Connection, record_id: str, batch: str, line: bytes) -> bool:
    """Add a decision; idempotent. Return False where it was there already."""
    done = db.execute(
        "INSERT OR IGNORE INTO decision (id, batch, state, line) VALUES (?, ?, 0, ?)",
        (record_id, batch, line.decode()),
    )
    return done.rowcount > 0


def set_state(
    db: sqlite3.Connection,
    record_id: str,
    state: DecisionState,
    note: Mapping[str, Any] | None = None,
) -> None:
    """Set the state of a decision, and the note that undoing it needs; None keeps the old note."""
    db.execute("UPDATE decision SET state = ? WHERE id = ?", (state.value, record_id))
    if note is not None:
        db.execute("UPDATE decision SET note = ? WHERE id = ?", (json.dumps(note), record_id))


def of_batch(db: sqlite3.Connection, batch: str) -> list[Noted]:
    """Return the decisions of a batch, in their order."""
    return _noted(db, "batch = ?", batch)


def waiting(db: sqlite3.Connection) -> list[Noted]:
    """Return the decisions that wait for the end of the current run, in their order."""
    return _noted(db, "state = ?", DecisionState.WAITS.value)


def are_waiting(db: sqlite3.Connection) -> bool:
    """Return whether any decision waits; False in a catalog of an older version."""
    try:
        waits = f"SELECT 1 FROM decision WHERE state = {DecisionState.WAITS} LIMIT 1"
        return db.execute(waits).fetchone() is not None
    except sqlite3.OperationalError:  # of an older version, on a read-only medium
        return False


def waiting_count(db: sqlite3.Connection) -> int:
    """Return how many decisions wait; 0 in a catalog of an older version."""
    try:
        waits = f"SELECT count(*) FROM decision WHERE state = {DecisionState.WAITS}"
        return int(db.execute(waits).fetchone()[0])
    except sqlite3.OperationalError:  # of an older version, on a read-only medium
        return 0


def batch_of_labels(db: sqlite3.Connection, relabelled: int) -> str | None:
    """Return the batch of decisions that led to this batch of the table `relabelled`, or None."""
    row = db.execute(
        f"SELECT batch FROM decision WHERE state = {DecisionState.HOLDS} "
        "AND json_extract(note, '$.relabelled') = ?",
        (relabelled,),
    ).fetchone()
    return None if row is None else str(row[0])


def _noted(db: sqlite3.Connection, where: str, value: object) -> list[Noted]:
    rows = db.execute(
        f"SELECT id, state, line, note FROM decision WHERE {where} ORDER BY seq",
        (value,),
    ).fetchall()
    return [
        Noted(row[0], DecisionState(row[1]), row[2].encode(), json.loads(row[3])) for row in rows
    ]


def read_to(db: sqlite3.Connection) -> int:
    """Return how far the journal was read, in bytes; 0 in a catalog of an older version."""
    try:
        row = db.execute("SELECT offset FROM journal_mark").fetchone()
    except sqlite3.OperationalError:  # of an older version, on a read-only medium
        return 0
    return 0 if row is None else int(row[0])


def mark(db: sqlite3.Connection, offset: int) -> None:
    """Store the offset in bytes up to which the journal was read."""
    db.execute("INSERT OR REPLACE INTO journal_mark VALUES (0, ?)", (offset,))
