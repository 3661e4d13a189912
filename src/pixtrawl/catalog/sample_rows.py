"""Look up single rows of images, in whatever state, and the row that a person refers to."""

from __future__ import annotations

import sqlite3

from msgspec import Struct

from pixtrawl.catalog.schema.states import KEPT, SampleState

__all__ = ["Meant", "Places", "SampleRow", "better_copy", "find", "of_bytes", "one", "places_of"]

_COLUMNS = "s.id, s.label, s.file_name, s.sha256, s.state"


class SampleRow(Struct, frozen=True):
    """An image and its state."""

    id: int
    label: str
    file_name: str
    sha256: str  # hexadecimal
    state: SampleState


class Meant(Struct, frozen=True):
    """An image as a person referred to it; its name and label may have changed since."""

    label: str
    file_name: str
    sha256: str  # hexadecimal


class Places(Struct, frozen=True):
    """How an image counts towards the number that its query wants."""

    query_id: int
    filled: int  # 1: it counts as one of the query's images
    left_empty: int  # 1: it was refused, and its place is not to be filled again


def one(db: sqlite3.Connection, sample_id: int) -> SampleRow:
    """Return the image of a row. Raise LookupError where there is none."""
    row = db.execute(f"SELECT {_COLUMNS} FROM sample s WHERE s.id = ?", (sample_id,)).fetchone()
    if row is None:
        raise LookupError(f"there is no image {sample_id}")
    return _row(row)


def of_bytes(db: sqlite3.Connection, sha256: str) -> list[int]:
    """Return every row with these bytes."""
    rows = db.execute("SELECT id FROM sample WHERE sha256 = ?", (bytes.fromhex(sha256),))
    return [row[0] for row in rows]


def find(db: sqlite3.Connection, meant: Meant, states: str) -> SampleRow | None:
    """Return the row of the image referred to, in one of `states` (`states.any_of`), or None.

    Rows with the same bytes under a label that the image never had do not match.
    """
    row = db.execute(
        f"SELECT {_COLUMNS} FROM sample s WHERE s.sha256 = ?1 AND "
        f"s.state IN {states} AND (s.label = ?2 OR EXISTS "
        "(SELECT 1 FROM sample o WHERE o.sha256 = ?1 AND o.label = ?2 AND "
        f"o.state = {SampleState.RELABELLED})) "
        "ORDER BY s.file_name = ?3 DESC, s.label = ?2 DESC, s.id LIMIT 1",
        (bytes.fromhex(meant.sha256), meant.label, meant.file_name),
    ).fetchone()
    return None if row is None else _row(row)


def better_copy(db: sqlite3.Connection, sample_id: int) -> SampleRow | None:
    """Return the image that replaced this one; None where none did."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM candidate c JOIN sample s ON s.id = c.sample_id "
        "WHERE c.id = (SELECT candidate_id FROM sample WHERE id = ?)",
        (sample_id,),
    ).fetchone()
    return None if row is None or row[0] == sample_id else _row(row)


def places_of(db: sqlite3.Connection, sample_id: int) -> Places | None:
    """Return how the image counts for its query; None where there is no such image."""
    row = db.execute(
        f"SELECT q.id, s.state IN {KEPT} AND s.label = q.label, "
        f"s.state = {SampleState.WITHDRAWN} AND EXISTS "
        "(SELECT 1 FROM refused r WHERE r.sample_id = s.id AND NOT r.refill) "
        "FROM sample s JOIN query q ON q.id = s.query_id WHERE s.id = ?",
        (sample_id,),
    ).fetchone()
    return None if row is None else Places(*row)


def _row(row: tuple[int, str, str, bytes, int]) -> SampleRow:
    return SampleRow(row[0], row[1], row[2], row[3].hex(), SampleState(row[4]))
