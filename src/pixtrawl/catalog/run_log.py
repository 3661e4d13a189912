"""The log of runs, and of the answers of each source to each query."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from msgspec import Struct

from pixtrawl.model import SourceOutcome


class SourceState(Struct, frozen=True):
    """The last answer of a source to a query or a slice of it, and where to go on from."""

    outcome: SourceOutcome | None
    found: int
    new: int
    detail: Mapping[str, object]
    position: Mapping[str, object] | None
    exhausted: bool


def now() -> str:
    """Return the time in UTC, to the second, as ISO 8601."""
    return _stamp(int(time.time()))


@lru_cache(maxsize=1)
def _stamp(second: int) -> str:
    """Format a time in seconds; cached, since many rows share a second."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def begin_run(db: sqlite3.Connection, version: str, settings: Mapping[str, object]) -> int:
    """Add a run and return its id."""
    text = json.dumps(settings, sort_keys=True, default=str, ensure_ascii=False)
    # A path in another encoding than the locale's holds lone surrogates.
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    row = db.execute(
        "INSERT INTO run (started_at, version, settings) VALUES (?, ?, ?) RETURNING id",
        (now(), version, text),
    ).fetchone()
    return int(row[0])


def end_run(
    db: sqlite3.Connection, run_id: int, *, reason: str, elapsed_s: float, fetched_bytes: int
) -> None:
    """Store how and when a run ended."""
    db.execute(
        "UPDATE run SET ended_at = ?, end_reason = ?, elapsed_s = ?, fetched_bytes = ? "
        "WHERE id = ?",
        (now(), reason, elapsed_s, fetched_bytes, run_id),
    )


def note_steering(db: sqlite3.Connection, run_id: int, steering: Mapping[str, object]) -> None:
    """Store beside a run's settings how its candidates were ordered by a person's likes."""
    db.execute(
        "UPDATE run SET settings = json_set(settings, '$.steering', json(?)) WHERE id = ?",
        (json.dumps(steering), run_id),
    )


def runs_without_durability(db: sqlite3.Connection) -> int:
    """Return how many runs left it to the system when their files reach the disk."""
    row = db.execute(
        "SELECT count(*) FROM run WHERE json_extract(settings, '$.job.durability') = 'none'"
    ).fetchone()
    return int(row[0])


class Run(Struct, frozen=True):
    """One run, ended or not."""

    id: int
    has_ended: bool  # else it is at work, or was killed
    end_reason: str | None
    elapsed_s: float
    fetched_bytes: int


class Answer(Struct, frozen=True):
    """The answer of a source to a query or to one slice of it; `slice` is "" for the query."""

    source: str
    slice: str
    outcome: SourceOutcome | None
    found: int
    new: int
    detail: str  # a JSON object
    exhausted: bool


def last_run(db: sqlite3.Connection) -> Run | None:
    """Return the newest run; None where there was none."""
    row = db.execute(
        "SELECT id, ended_at IS NOT NULL, end_reason, elapsed_s, fetched_bytes FROM run "
        "ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else Run(row[0], bool(row[1]), *row[2:])


def started_at(db: sqlite3.Connection, run_id: int) -> str:
    """Return when a run began, in UTC and ISO 8601."""
    return str(db.execute("SELECT started_at FROM run WHERE id = ?", (run_id,)).fetchone()[0])


def elapsed_in_all_s(db: sqlite3.Connection) -> float:
    """Return the total time of all runs in seconds."""
    (elapsed_s,) = db.execute("SELECT coalesce(sum(elapsed_s), 0) FROM run").fetchone()
    return float(elapsed_s)


def answers(db: sqlite3.Connection, query_id: int) -> list[Answer]:
    """Return a query's answers by source, its slices in the order in which runs asked them."""
    rows = db.execute(
        "SELECT source, slice, outcome, found, new, detail, exhausted FROM source_state "
        "WHERE query_id = ? ORDER BY source, run_id, slice",
        (query_id,),
    )
    return [
        Answer(
            source, slice_, SourceOutcome(outcome) if outcome else None, found, new, detail,
            bool(exhausted),
        )
        for source, slice_, outcome, found, new, detail, exhausted in rows
    ]  # fmt: skip


def last_settings(db: sqlite3.Connection) -> dict[str, Any]:
    """Return the settings of the newest run, by group; empty where there was none."""
    row = db.execute("SELECT settings FROM run ORDER BY id DESC LIMIT 1").fetchone()
    settings: dict[str, Any] = json.loads(row[0]) if row else {}
    return settings


def every_settings(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return the settings of each run, oldest first."""
    rows = db.execute("SELECT settings FROM run ORDER BY id")
    return [json.loads(settings) for (settings,) in rows]


def change_settings(
    db: sqlite3.Connection, run_id: int, groups: Mapping[str, Mapping[str, object]]
) -> None:
    """Replace these groups of a run's settings."""
    (text,) = db.execute("SELECT settings FROM run WHERE id = ?", (run_id,)).fetchone()
    text = json.dumps(json.loads(text) | dict(groups), sort_keys=True, ensure_ascii=False)
    db.execute("UPDATE run SET settings = ? WHERE id = ?", (text, run_id))


def source_state(
    db: sqlite3.Connection, query_id: int, source: str, slice_: str = ""
) -> SourceState | None:
    """Return the last answer; None where the source was never asked for this slice of the query."""
    row = db.execute(
        "SELECT outcome, found, detail, position, exhausted, new FROM source_state "
        "WHERE query_id = ? AND source = ? AND slice = ?",
        (query_id, source, slice_),
    ).fetchone()
    if row is None:
        return None
    return SourceState(
        SourceOutcome(row[0]) if row[0] else None,
        row[1],
        row[5],
        json.loads(row[2]),
        json.loads(row[3]) if row[3] else None,
        bool(row[4]),
    )


def note_source(
    db: sqlite3.Connection,
    query_id: int,
    source: str,
    slice_: str,
    run_id: int,
    state: SourceState,
) -> None:
    """Store the answer of a source to a query, or to one slice of it."""
    db.execute(
        "INSERT OR REPLACE INTO source_state (query_id, source, slice, outcome, found, new, "
        "detail, position, exhausted, run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            query_id, source, slice_, state.outcome.value if state.outcome else None,
            state.found, state.new, json.dumps(state.detail, default=str, ensure_ascii=False),
            None if state.position is None else json.dumps(state.position, ensure_ascii=False),
            int(state.exhausted), run_id,
        ),
    )  # fmt: skip
