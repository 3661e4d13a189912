"""What the catalog knows of runs and of how each source answered each query."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pixtrawl.model import SourceOutcome


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source last answered for a query."""

    outcome: SourceOutcome | None
    found: int
    detail: Mapping[str, object]
    position: Mapping[str, object] | None
    exhausted: bool


def now() -> str:
    """The time in UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def begin_run(db: sqlite3.Connection, version: str, settings: Mapping[str, object]) -> int:
    """Notes that a run begins and returns its id."""
    text = json.dumps(settings, sort_keys=True, default=str, ensure_ascii=False)
    row = db.execute(
        "INSERT INTO run (started_at, version, settings) VALUES (?, ?, ?) RETURNING id",
        (now(), version, text),
    ).fetchone()
    return int(row[0])


def end_run(
    db: sqlite3.Connection, run_id: int, *, reason: str, elapsed_s: float, fetched_bytes: int
) -> None:
    """Notes how and when it ended."""
    db.execute(
        "UPDATE run SET ended_at = ?, end_reason = ?, elapsed_s = ?, fetched_bytes = ? "
        "WHERE id = ?",
        (now(), reason, elapsed_s, fetched_bytes, run_id),
    )


def source_state(db: sqlite3.Connection, query_id: int, source: str) -> SourceState | None:
    """What is known, or None when the source was never asked."""
    row = db.execute(
        "SELECT outcome, found, detail, position, exhausted FROM source_state "
        "WHERE query_id = ? AND source = ?",
        (query_id, source),
    ).fetchone()
    if row is None:
        return None
    return SourceState(
        SourceOutcome(row[0]) if row[0] else None,
        row[1],
        json.loads(row[2]),
        json.loads(row[3]) if row[3] else None,
        bool(row[4]),
    )


def note_source(  # noqa: PLR0913 - the columns of one row
    db: sqlite3.Connection,
    query_id: int,
    source: str,
    run_id: int,
    *,
    outcome: SourceOutcome | None,
    found: int,
    detail: Mapping[str, object],
    position: Mapping[str, object] | None,
    exhausted: bool,
) -> None:
    """Writes how a source stands with a query."""
    db.execute(
        "INSERT INTO source_state (query_id, source, outcome, found, detail, position, exhausted, "
        "run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (query_id, source) DO UPDATE SET "
        "outcome = excluded.outcome, found = excluded.found, detail = excluded.detail, "
        "position = excluded.position, exhausted = excluded.exhausted, run_id = excluded.run_id",
        (
            query_id, source, outcome.value if outcome else None, found,
            json.dumps(detail, default=str, ensure_ascii=False),
            None if position is None else json.dumps(position, ensure_ascii=False),
            int(exhausted), run_id,
        ),
    )  # fmt: skip
