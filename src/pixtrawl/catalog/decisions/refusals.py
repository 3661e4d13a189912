"""Take images that a person refused out of the data set with all their copies, and restore them.

This module writes rows only; files are moved after the commit. A refused image is withdrawn
(`relations.withdraw`), so that neither it nor a near duplicate is accepted under its label again.
"""

from __future__ import annotations

import sqlite3

from msgspec import Struct

from pixtrawl.catalog import relations
from pixtrawl.catalog.relations import Withdrawal
from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.model import Reason

__all__ = ["Refusal", "bring_back", "note", "refusal_of", "refuse"]


class Refusal(Struct, frozen=True):
    """How a person refused an image: whether to fill its place again, and the reason given."""

    refill: bool
    words: str


def refuse(db: sqlite3.Connection, sample_id: int, refusal: Refusal) -> Withdrawal | None:
    """Withdraw a kept image and record its refusal. Return None where it was not kept."""
    withdrawal = relations.withdraw(db, sample_id, Reason.REFUSED_BY_PERSON)
    if withdrawal is not None:
        note(db, sample_id, refusal)
        db.execute(
            "UPDATE candidate SET detail = ? WHERE sample_id = ? AND reason = ?",
            (refusal.words or None, sample_id, Reason.REFUSED_BY_PERSON.value),
        )
    return withdrawal


def note(db: sqlite3.Connection, sample_id: int, refusal: Refusal) -> None:
    """Record the refusal of an image that is already withdrawn."""
    db.execute(
        "INSERT OR REPLACE INTO refused VALUES (?, ?, ?)",
        (sample_id, int(refusal.refill), refusal.words),
    )


def refusal_of(db: sqlite3.Connection, sample_id: int) -> Refusal | None:
    """Return the refusal of an image; None where it is not refused."""
    row = db.execute(
        "SELECT r.refill, r.words FROM refused r JOIN sample s ON s.id = r.sample_id "
        f"WHERE s.id = ? AND s.state = {SampleState.WITHDRAWN} AND s.withdrawn_for = ?",
        (sample_id, Reason.REFUSED_BY_PERSON.value),
    ).fetchone()
    return None if row is None else Refusal(bool(row[0]), row[1])


def bring_back(db: sqlite3.Connection, sample_id: int) -> None:
    """Restore a refused image with its number, and the outcomes of its candidates."""
    db.execute(
        f"UPDATE sample SET state = {SampleState.PLACED}, withdrawn_for = NULL WHERE id = ?",
        (sample_id,),
    )
    db.execute("DELETE FROM refused WHERE sample_id = ?", (sample_id,))
    db.execute(
        "UPDATE candidate SET detail = NULL, reason = CASE "
        "WHEN id = (SELECT candidate_id FROM sample WHERE id = ?1) THEN ?3 "
        "WHEN sha256 = (SELECT sha256 FROM sample WHERE id = ?1) THEN ?4 ELSE ?5 END "
        "WHERE sample_id = ?1 AND reason = ?2",
        (
            sample_id, Reason.REFUSED_BY_PERSON.value, Reason.SAVED.value,
            Reason.SAME_BYTES.value, Reason.SAME_PICTURE.value,
        ),
    )  # fmt: skip
