"""Removed images that a person wants again: their bytes are gone, so the next run fetches them.

Each keeps its row and number meanwhile (`WANTED_BACK`), its candidate is open and comes first, and
its query counts as one short until it is there or cannot be had.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from pixtrawl.catalog.states import REMOVED, CandidateState, SampleState
from pixtrawl.model import Reason

__all__ = ["Awaited", "arrived", "awaited", "give_up", "stop_waiting", "want_back"]


class Awaited(Struct, frozen=True):
    """A row that waits for its bytes."""

    sample_id: int
    candidate_id: int
    number: int


def want_back(db: sqlite3.Connection, sample_ids: Sequence[int]) -> int:
    """Opens the candidates of removed images again. Returns how many there are."""
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
    """What a query waits for."""
    rows = db.execute(
        "SELECT id, candidate_id, number FROM sample "
        f"WHERE query_id = ? AND state = {SampleState.WANTED_BACK}",
        (query_id,),
    )
    return [Awaited(*row) for row in rows]


def arrived(db: sqlite3.Connection, sample_id: int) -> None:
    """A row of its own keeps the image from now on."""
    db.execute("DELETE FROM conflict WHERE sample_id = ?1 OR other_id = ?1", (sample_id,))
    db.execute(
        f"DELETE FROM sample WHERE id = ? AND state = {SampleState.WANTED_BACK}", (sample_id,)
    )


def stop_waiting(db: sqlite3.Connection, sample_id: int, former: SampleState) -> bool:
    """Nobody wants it back any more: it is again what it was. False where it has arrived."""
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
    """It cannot be had any more: removed, as it was."""
    db.execute(
        f"UPDATE sample SET state = {SampleState.DELETED_BY_HAND} "
        f"WHERE id = ? AND state = {SampleState.WANTED_BACK}",
        (sample_id,),
    )
