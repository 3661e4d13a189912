"""Images that are accepted, and whose files are not in place yet or are lost."""

from __future__ import annotations

import sqlite3

from msgspec import Struct

from pixtrawl.catalog.files import records as file_records
from pixtrawl.catalog.schema.states import CandidateState, SampleState

__all__ = ["Unplaced", "drop", "every"]


class Unplaced(Struct, frozen=True):
    """An accepted image whose rename may not have happened; `sha256` is hexadecimal."""

    id: int
    label: str
    number: int
    file_name: str
    staged_name: str | None
    sha256: str


def every(db: sqlite3.Connection) -> list[Unplaced]:
    """Return the images that are accepted but not placed, oldest first."""
    rows = db.execute(
        "SELECT id, label, number, file_name, staged_name, lower(hex(sha256)) FROM sample "
        f"WHERE state = {SampleState.ACCEPTED} ORDER BY id"
    )
    return [Unplaced(*row) for row in rows]


def drop(db: sqlite3.Connection, sample_id: int) -> None:
    """Delete an image whose file is lost, and open its candidates again; its number stays taken."""
    row = db.execute("SELECT number FROM sample WHERE id = ?", (sample_id,)).fetchone()
    file_records.raise_number(db, row[0])
    db.execute(
        f"UPDATE candidate SET state = {CandidateState.OPEN}, sample_id = NULL WHERE sample_id = ?",
        (sample_id,),
    )
    db.execute("DELETE FROM sample WHERE id = ?", (sample_id,))
