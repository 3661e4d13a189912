"""Progress of a run as the catalog has it, for whoever watches from another process."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Any, Final

from pixtrawl.catalog.schema.states import KEPT, CandidateState
from pixtrawl.catalog.views.counts import query_counts
from pixtrawl.model import REASONS, Reason, Status

__all__ = ["newest", "query_ids", "rows"]

_COLUMN: Final = {
    Status.SAVED: "saved", Status.DUPLICATE: "duplicates", Status.NEAR_DUPLICATE: "duplicates",
    Status.REJECTED: "refused", Status.FAILED: "failed",
}  # fmt: skip


def newest(db: sqlite3.Connection, count: int) -> list[int]:
    """Return the rows of the newest kept images, newest first."""
    found = db.execute(
        f"SELECT id FROM sample WHERE state IN {KEPT} ORDER BY id DESC LIMIT ?", (count,)
    )
    return [int(one) for (one,) in found]


def query_ids(db: sqlite3.Connection) -> dict[str, int]:
    """Return the row of each query by its text; of the same words, the newest."""
    return dict(db.execute("SELECT text, id FROM query ORDER BY id"))


def rows(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return the counts of each query, also by source."""
    found: dict[int, dict[str, Any]] = {
        one.id: {
            "id": one.id, "text": one.text, "wanted": one.wanted, "found": 0, "saved": one.saved,
            "duplicates": 0, "refused": 0, "failed": 0, "by_source": {},
        }
        for one in query_counts(db)
    }  # fmt: skip
    counted = db.execute(
        "SELECT query_id, source, state, coalesce(reason, ''), count(*) FROM candidate "
        "GROUP BY 1, 2, 3, 4"
    )
    for query_id, source, state, reason, n in counted:
        row = found.get(query_id)
        if row is None:
            continue
        own = row["by_source"].setdefault(source, Counter())
        row["found"] += n
        own["found"] += n
        known = state == CandidateState.SETTLED and reason in Reason.__members__.values()
        column = _COLUMN.get(REASONS[Reason(reason)].status) if known else None
        if column:
            own[column] += n
            if column != "saved":  # counted above, by the images that are there now
                row[column] += n
    return list(found.values())
