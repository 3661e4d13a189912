"""Rows of dropped copies that become images, beside the kept one or in its place, and back.

A copy that is brought back has a row in the state REPLACED first: nothing of the data set shows it.
Its candidate keeps its outcome until then, and gets it back where that is undone.
"""

from __future__ import annotations

import sqlite3

from msgspec import Struct

from pixtrawl.catalog import relations, samples
from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.model import Reason

__all__ = [
    "CopyPlace",
    "Former",
    "former_of",
    "own_number",
    "place_of",
    "prepared",
    "put",
    "put_back",
    "take_over",
]


class Former(Struct, frozen=True, array_like=True):
    """The outcome of a copy's candidate before it was brought back."""

    reason: str
    of: int | None  # the kept image
    distance: int | None
    detail: str | None
    pardoned: bool  # it was to stay already


class CopyPlace(Struct, frozen=True):
    """Label, number, file name and query of an image."""

    label: str
    number: int
    file_name: str
    query_id: int


def prepared(db: sqlite3.Connection, label: str, sha256: str) -> tuple[int, str] | None:
    """Return row and file name of a copy that has a row in the state REPLACED; None if none has."""
    row = db.execute(
        "SELECT id, file_name FROM sample WHERE label = ? AND sha256 = ? "
        f"AND state = {SampleState.REPLACED} ORDER BY id LIMIT 1",
        (label, bytes.fromhex(sha256)),
    ).fetchone()
    return None if row is None else (int(row[0]), str(row[1]))


def former_of(db: sqlite3.Connection, sample_id: int) -> Former:
    """Return the outcome of the candidate that an image was made of."""
    row = db.execute(
        "SELECT coalesce(c.reason, ''), c.sample_id, c.distance, c.detail, EXISTS "
        "(SELECT 1 FROM pardon p WHERE p.label = s.label AND p.sha256 = s.sha256) "
        "FROM sample s JOIN candidate c ON c.id = s.candidate_id WHERE s.id = ?",
        (sample_id,),
    ).fetchone()
    return Former(row[0], row[1], row[2], row[3], bool(row[4]))


def place_of(db: sqlite3.Connection, sample_id: int) -> CopyPlace:
    """Return the place of an image."""
    row = db.execute(
        "SELECT label, number, file_name, query_id FROM sample WHERE id = ?", (sample_id,)
    ).fetchone()
    return CopyPlace(*row)


def own_number(db: sqlite3.Connection, sample_id: int) -> int | None:
    """Return the number of an image; None where another row has it, too."""
    row = db.execute(
        "SELECT number FROM sample s WHERE id = ? AND NOT EXISTS "
        "(SELECT 1 FROM sample o WHERE o.number = s.number AND o.id <> s.id)",
        (sample_id,),
    ).fetchone()
    return None if row is None else int(row[0])


def put(db: sqlite3.Connection, sample_id: int, number: int, file_name: str) -> None:
    """Make a copy an image of the data set, which is not dropped as a copy again."""
    label, sha256 = db.execute(
        "UPDATE sample SET state = ?, number = ?, file_name = ? WHERE id = ? "
        "RETURNING label, sha256",
        (SampleState.PLACED, number, file_name, sample_id),
    ).fetchone()
    db.execute(
        "UPDATE candidate SET reason = ?, sample_id = ?, distance = NULL, detail = 'taken back' "
        "WHERE id = (SELECT candidate_id FROM sample WHERE id = ?)",
        (Reason.SAVED.value, sample_id, sample_id),
    )
    relations.pardon(db, label, sha256.hex())


def take_over(db: sqlite3.Connection, old_id: int, new_id: int, distance: int) -> None:
    """Give an image's query, places found, caption and conflicts to the copy that replaces it."""
    samples.set_state(db, old_id, SampleState.REPLACED)
    db.execute(
        "UPDATE sample SET query_id = (SELECT query_id FROM sample WHERE id = ?) WHERE id = ?",
        (old_id, new_id),
    )
    samples.inherit(db, old_id, new_id, distance)


def put_back(db: sqlite3.Connection, sample_id: int, former: Former) -> None:
    """Make an image a dropped copy again."""
    samples.set_state(db, sample_id, SampleState.REPLACED)
    db.execute(
        "UPDATE candidate SET reason = ?, sample_id = ?, distance = ?, detail = ? "
        "WHERE id = (SELECT candidate_id FROM sample WHERE id = ?)",
        (former.reason, former.of, former.distance, former.detail, sample_id),
    )
    if not former.pardoned:
        db.execute(
            "DELETE FROM pardon WHERE (label, sha256) IN "
            "(SELECT label, sha256 FROM sample WHERE id = ?)",
            (sample_id,),
        )
