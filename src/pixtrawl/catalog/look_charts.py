"""Numbers for charts that no summary has."""

from __future__ import annotations

import sqlite3

from pixtrawl.catalog.states import KEPT

__all__ = ["sources_over_time"]


def sources_over_time(db: sqlite3.Connection) -> list[dict[str, object]]:
    """Return for each source and hour how many of the kept images it found first."""
    rows = db.execute(
        "SELECT substr(s.fetched_at, 1, 13) AS hour, c.source, count(*) FROM sample s "
        f"JOIN candidate c ON c.id = s.candidate_id WHERE s.state IN {KEPT} "
        "GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return [{"hour": hour, "source": source, "n": n} for hour, source, n in rows]
