"""Single rows of images, whatever became of them, and which one somebody means."""

from __future__ import annotations

import sqlite3

from msgspec import Struct

from pixtrawl.catalog.states import KEPT, SampleState

__all__ = ["Meant", "Places", "SampleRow", "better_copy", "find", "of_bytes", "one", "places_of"]

_COLUMNS = "s.id, s.label, s.file_name, s.sha256, s.state"


class SampleRow(Struct, frozen=True):
    """An image and where it stands."""

    id: int
    label: str
    file_name: str
    sha256: str  # hexadecimal
    state: SampleState


class Meant(Struct, frozen=True):
    """An image as a person named it; it may have another name by now, or another label."""

    label: str
    file_name: str
    sha256: str  # hexadecimal


class Places(Struct, frozen=True):
    """What an image means for the places of its query."""

    query_id: int
    filled: int  # 1: it counts as one of the query's images
    left_empty: int  # 1: it was refused, and its place is not to be filled again


def one(db: sqlite3.Connection, sample_id: int) -> SampleRow:
    """The image of a row. Raises LookupError."""
    row = db.execute(f"SELECT {_COLUMNS} FROM sample s WHERE s.id = ?", (sample_id,)).fetchone()
    if row is None:
        raise LookupError(f"there is no image {sample_id}")
    return _row(row)


def of_bytes(db: sqlite3.Connection, sha256: str) -> list[int]:
    """Every row of these bytes."""
    rows = db.execute("SELECT id FROM sample WHERE sha256 = ?", (bytes.fromhex(sha256),))
    return [row[0] for row in rows]


def find(db: sqlite3.Connection, meant: Meant, states: str) -> SampleRow | None:
    """The row of an image that somebody means, in one of `states` (`states.any_of`).

    The same bytes under a label that it never had are another image.
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
    """The image that has taken the place of this one; None where it is nobody's copy."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM candidate c JOIN sample s ON s.id = c.sample_id "
        "WHERE c.id = (SELECT candidate_id FROM sample WHERE id = ?)",
        (sample_id,),
    ).fetchone()
    return None if row is None or row[0] == sample_id else _row(row)


def places_of(db: sqlite3.Connection, sample_id: int) -> Places | None:
    """What the image means for its query's places; None where there is no such image."""
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
