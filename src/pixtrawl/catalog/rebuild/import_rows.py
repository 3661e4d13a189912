"""Import rows of one catalog into another: queries, candidates, decisions, answers of sources.

Columns are matched by name; those that only one catalog has are left out. Every import is
idempotent: rows that are there already are not added again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from pixtrawl.catalog import frontier, labels, samples
from pixtrawl.catalog.decisions import refusals
from pixtrawl.catalog.rebuild.import_scores import take_scores
from pixtrawl.catalog.schema.states import KEPT_STATES, CandidateState, SampleState, any_of
from pixtrawl.model import REASONS, Reason, Sample, Task

__all__ = [
    "open_task",
    "take_queries",
    "take_removed",
    "take_rest",
    "take_rules",
    "transfer_of",
]

Row = dict[str, Any]

_OUTCOME: Final = (
    "state", "reason", "detail", "http_status", "attempts", "fetched_url", "final_url", "sha256",
    "size_bytes", "elapsed_s", "distance", "alike", "settled_at",
)  # fmt: skip
_OUT: Final = any_of(
    SampleState.DELETED_BY_HAND,
    SampleState.TAKEN_DOWN,
    SampleState.WITHDRAWN,
    SampleState.RELABELLED,
)


def _rows(db: sqlite3.Connection, query: str, *values: object) -> Iterator[Row]:
    found = db.execute(query, values)
    names = [one[0] for one in found.description]
    for row in found:
        yield dict(zip(names, row, strict=True))


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]


def _insert(db: sqlite3.Connection, table: str, row: Row) -> int:
    """Insert the columns that the table has. Return the row's id; 0 where it was there already."""
    own = [name for name in _columns(db, table) if name in row]
    marks = ", ".join("?" * len(own))
    done = db.execute(
        f"INSERT OR IGNORE INTO {table} ({', '.join(own)}) VALUES ({marks})",
        [row[name] for name in own],
    )
    return int(done.lastrowid or 0) if done.rowcount else 0


def take_rules(db: sqlite3.Connection, source: sqlite3.Connection) -> None:
    """Import takedown rules, pardons, the names of lists' own columns, and runs."""
    for table in ("takedown", "taken_with", "pardon", "own_column", "caption_chain"):
        for row in _rows(source, f"SELECT * FROM {table}") if _columns(source, table) else ():
            row.pop("id", None)
            _insert(db, table, row)
    for row in _rows(source, "SELECT * FROM run ORDER BY id"):
        known = db.execute(
            "SELECT 1 FROM run WHERE started_at = ? AND settings = ? AND elapsed_s = ?",
            (row["started_at"], row["settings"], row["elapsed_s"]),
        ).fetchone()
        if known is None:
            row.pop("id")
            _insert(db, "run", row | {"end_reason": row["end_reason"] or "interrupted"})


def take_queries(db: sqlite3.Connection, source: sqlite3.Connection) -> dict[int, int]:
    """Import the queries; return the target's row by the source's. The larger `wanted` holds."""
    found = {}
    (run_id,) = db.execute("SELECT coalesce(max(id), 0) FROM run").fetchone()
    for row in _rows(source, "SELECT * FROM query ORDER BY id"):
        label = label_of(db, row["label"])
        key = (row["text"], label, row["filters"])
        known = db.execute(
            "SELECT id, wanted FROM query WHERE text = ? AND label = ? AND filters = ?", key
        ).fetchone()
        if known is None:
            own = row.pop("id")
            found[own] = _insert(db, "query", row | {"label": label, "run_id": run_id})
            continue
        found[row["id"]] = known[0]
        every = known[1] is None or row["wanted"] is None
        wanted = None if every else max(known[1], row["wanted"])
        db.execute("UPDATE query SET wanted = ? WHERE id = ?", (wanted, known[0]))
    return found


def label_of(db: sqlite3.Connection, label: str) -> str:
    """Return the label's name in the target, where labels that differ in case only are one."""
    label = frontier.actual_label(db, label)
    return labels.as_spelt(db, label)


def _candidate(source: sqlite3.Connection, sample_id: int) -> Row:
    return next(
        _rows(
            source,
            "SELECT c.* FROM candidate c JOIN sample s ON s.candidate_id = c.id WHERE s.id = ?",
            sample_id,
        )
    )


def _known(db: sqlite3.Connection, query_id: int, key: bytes) -> tuple[int, int, int | None] | None:
    row: tuple[int, int, int | None] | None = db.execute(
        "SELECT id, state, sample_id FROM candidate WHERE query_id = ? AND key = ?", (query_id, key)
    ).fetchone()
    return row


def open_task(
    db: sqlite3.Connection,
    source: sqlite3.Connection,
    queries: Mapping[int, int],
    sample: Sample,
    taken: dict[int, int],
) -> Task | None:
    """Return the target's task for an image of the source; None where nothing is to be decided.

    Where the target has the image already, `taken` maps the source's row to the target's.
    """
    row = _candidate(source, sample.id)
    (query_id,) = (
        queries[one]
        for (one,) in source.execute("SELECT query_id FROM sample WHERE id = ?", (sample.id,))
    )
    label = label_of(db, sample.label)
    known = _known(db, query_id, row["key"])
    if known is not None and known[2] is not None:
        kept = db.execute(
            "SELECT lower(hex(sha256)), label, state FROM sample WHERE id = ?", (known[2],)
        ).fetchone()
        if kept is not None and kept[2] in KEPT_STATES:
            if kept[:2] == (sample.info.sha256, label):
                taken[sample.id] = known[2]
                return None
            # The URL gave other bytes here: keep both images, each with a candidate of its own.
            row["key"] = bytes.fromhex(sample.info.sha256)[:16]
            known = _known(db, query_id, row["key"])
            if known is not None and known[1] == CandidateState.SETTLED:
                return None
    row |= {
        "query_id": query_id,
        "state": CandidateState.OPEN.value,
        "sample_id": None,
        "run_id": None,
        "reason": None,
    }
    if known is None:
        row.pop("id")
        candidate_id = _insert(db, "candidate", row)
    else:
        candidate_id = known[0]
    return Task(candidate_id, query_id, row["host"], replace(sample.candidate, label=label))


def take_removed(
    db: sqlite3.Connection,
    source: sqlite3.Connection,
    queries: Mapping[int, int],
    name_of: Callable[[str, int, str], str],
) -> None:
    """Import the removed images, so that the target does not accept them again.

    `name_of` gives the file name for a label, a number and an extension.
    """
    refuses = bool(_columns(source, "refused"))
    for row in _rows(source, f"SELECT * FROM sample WHERE state IN {_OUT} ORDER BY id"):
        label = label_of(db, row["label"])
        known = db.execute(
            "SELECT id FROM sample WHERE label = ? AND sha256 = ? ORDER BY state",
            (label, row["sha256"]),
        ).fetchone()
        refusal = refusals.refusal_of(source, row["id"]) if refuses else None
        if known is not None:
            if refusal is not None:  # a person's refusal also holds for the target's copy
                refusals.refuse(db, known[0], refusal)
            continue
        found = _candidate(source, row["id"])
        query_id = queries[row["query_id"]]
        own = _known(db, queries[found["query_id"]], found["key"])
        found |= {"query_id": queries[found["query_id"]], "sample_id": None, "run_id": None}
        if row["state"] == SampleState.RELABELLED:
            found |= {
                "state": CandidateState.OPEN.value,
                "reason": None,
            }  # the image itself is in another row
        found.pop("id")
        candidate_id = own[0] if own is not None else _insert(db, "candidate", found)
        number = samples.next_number(db)
        extension = row["file_name"].rpartition(".")[2].lower()
        row |= {
            "label": label, "number": number, "query_id": query_id, "candidate_id": candidate_id,
            "file_name": name_of(label, number, extension), "staged_name": None,
        }  # fmt: skip
        row.pop("id")
        sample_id = _insert(db, "sample", row)
        if refusal is not None:
            refusals.note(db, sample_id, refusal)
        if row["state"] != SampleState.RELABELLED:
            db.execute(
                "UPDATE candidate SET sample_id = ? "
                f"WHERE id = ? AND state = {CandidateState.SETTLED} "
                "AND sample_id IS NULL",
                (sample_id, candidate_id),
            )


def take_rest(
    db: sqlite3.Connection,
    source: sqlite3.Connection,
    queries: Mapping[int, int],
    taken: Mapping[int, int],
) -> None:
    """Import all other candidates with outcomes and provenance, sources' answers and scores."""
    ways = source.execute("SELECT 1 FROM also_found LIMIT 1").fetchone() is not None
    for row in _rows(source, "SELECT * FROM candidate ORDER BY id"):
        own_id = row.pop("id")
        row |= {
            "query_id": queries[row["query_id"]], "run_id": None,
            "sample_id": taken.get(row["sample_id"]) if row["sample_id"] is not None else None,
        }  # fmt: skip
        known = _known(db, row["query_id"], row["key"])
        if known is None:
            if row["reason"] == Reason.SAVED and row["sample_id"] is None:
                row |= {"state": CandidateState.OPEN.value, "reason": None}  # its image is not here
            candidate_id = _insert(db, "candidate", row)
        else:
            candidate_id = known[0]
            _settle_as(db, candidate_id, known[1], row)
        if ways:
            for way in _rows(source, "SELECT * FROM also_found WHERE candidate_id = ?", own_id):
                _insert(db, "also_found", way | {"candidate_id": candidate_id})
    _take_answers(db, source, queries)
    take_scores(db, source, taken)
    for row in _rows(source, "SELECT * FROM caption"):
        if (image := taken.get(row["sample_id"])) is not None:
            _insert(db, "caption", row | {"sample_id": image})


def _settle_as(db: sqlite3.Connection, candidate_id: int, state: int, row: Row) -> None:
    """Copy a permanent outcome, but not `saved`, to the target's candidate if it is unsettled."""
    settled = CandidateState.SETTLED
    if state == settled or row["state"] != settled or row["reason"] == Reason.SAVED:
        return
    if REASONS[Reason(row["reason"])].transient:
        return
    own = [name for name in (*_OUTCOME, "sample_id") if name in row]
    own = [name for name in own if name in _columns(db, "candidate")]
    db.execute(
        f"UPDATE candidate SET {', '.join(f'{name} = ?' for name in own)} WHERE id = ?",
        [*(row[name] for name in own), candidate_id],
    )


def _take_answers(
    db: sqlite3.Connection, source: sqlite3.Connection, queries: Mapping[int, int]
) -> None:
    """Import the answers of sources; an exhausted one replaces one that is not."""
    for row in _rows(source, "SELECT * FROM source_state"):
        row |= {"query_id": queries[row["query_id"]]}
        if not _insert(db, "source_state", row) and row["exhausted"]:
            db.execute(
                "DELETE FROM source_state WHERE query_id = ? AND source = ? AND slice = ? "
                "AND NOT exhausted",
                (row["query_id"], row["source"], row["slice"]),
            )
            _insert(db, "source_state", row)


def transfer_of(source: sqlite3.Connection, sample_id: int) -> tuple[int, int]:
    """Return the HTTP status and the attempts of an image's transfer; 0 where unknown."""
    row = source.execute(
        "SELECT coalesce(c.http_status, 0), coalesce(c.attempts, 0) FROM sample s "
        "JOIN candidate c ON c.id = s.candidate_id WHERE s.id = ?",
        (sample_id,),
    ).fetchone()
    return int(row[0]), int(row[1])
