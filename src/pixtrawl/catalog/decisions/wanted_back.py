"""Removed images that a person wants again: the next run fetches them, since their bytes are gone.

Until then each keeps its row and number (`WANTED_BACK`), its candidate is open and claimed first,
and its query has one place to fill, until the image is fetched or given up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from pixtrawl.catalog.schema.states import REMOVED, CandidateState, SampleState
from pixtrawl.model import Reason

__all__ = ["Awaited", "arrived", "awaited", "give_up", "stop_waiting", "want_back"]


class Awaited(Struct, frozen=True):
    """A row whose image is to be fetched again."""

    sample_id: int
    candidate_id: int
    number: int


def want_back(db: sqlite3.Connection, sample_ids: Sequence[int]) -> int:
    """Open the candidates of removed images again. Return how many images were removed ones."""
    count = 0
    for sample_id in sample_ids:
        count += db.execute(
            f"UPDATE sample SET state = {SampleState.WANTED_BACK} "
            f"WHERE id = ? AND state IN {REMOVED}",
            (sample_id,),
        ).rowcount
        db.execute(
            f"UPDATE candidate SET state = {CandidateState.OPEN}, reason = NULL, detail = NULL, "
            "sample_id = NULL "
            "WHERE id = (SELECT candidate_id FROM sample "
            f"WHERE id = ? AND state = {SampleState.WANTED_BACK})",
            (sample_id,),
        )
    return count


def awaited(db: sqlite3.Connection, query_id: int) -> list[Awaited]:
    """Return the images of a query that are to be fetched again."""
    rows = db.execute(
        "SELECT id, candidate_id, number FROM sample "
        f"WHERE query_id = ? AND state = {SampleState.WANTED_BACK}",
        (query_id,),
    )
    return [Awaited(*row) for row in rows]


def arrived(db: sqlite3.Connection, sample_id: int) -> None:
    """Delete the waiting row; the fetched image has a new one."""
    db.execute("DELETE FROM conflict WHERE sample_id = ?1 OR other_id = ?1", (sample_id,))
    db.execute(
        f"DELETE FROM sample WHERE id = ? AND state = {SampleState.WANTED_BACK}", (sample_id,)
    )


def stop_waiting(db: sqlite3.Connection, sample_id: int, former: SampleState) -> bool:
    """Undo `want_back`: restore the former state. Return False where the image has arrived."""
    row = db.execute(
        f"UPDATE sample SET state = ? WHERE id = ? AND state = {SampleState.WANTED_BACK} "
        "RETURNING candidate_id",
        (former.value, sample_id),
    ).fetchone()
    if row is None:
        return False
    down = former is SampleState.TAKEN_DOWN
    reason = Reason.TAKEN_DOWN if down else Reason.REMOVED_BY_USER
    db.execute(
        f"UPDATE candidate SET state = {CandidateState.SETTLED}, reason = ?, sample_id = ? "
        "WHERE id = ?",
        (reason.value, sample_id, row[0]),
    )
    return True


def give_up(db: sqlite3.Connection, sample_id: int) -> None:
    """Mark the image as deleted again, since it cannot be fetched any more."""
    db.execute(
        f"UPDATE sample SET state = {SampleState.DELETED_BY_HAND} "
        f"WHERE id = ? AND state = {SampleState.WANTED_BACK}",
        (sample_id,),
    )
