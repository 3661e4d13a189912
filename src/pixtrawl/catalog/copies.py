"""Candidates that were dropped in favour of a kept image, or withdrawn, and can be restored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from pixtrawl.catalog.schema.states import KEPT, CandidateState, SampleState
from pixtrawl.model import Reason

__all__ = [
    "DroppedCopy",
    "FetchRecord",
    "digests_aside",
    "every",
    "fetched",
    "of_bytes",
    "replaced_files",
]

# The files of candidates with these reasons are kept outside the data set.
_ASIDE: Final = (
    Reason.SAME_PICTURE,
    Reason.BETTER_COPY_KEPT,
    Reason.PLACEHOLDER,
    Reason.LABEL_CONFLICT,
)


class DroppedCopy(Struct, frozen=True):
    """A dropped candidate, for review."""

    candidate_id: int
    label: str
    sha256: str
    url: str
    reason: str
    distance: int | None  # bits of the perceptual hash
    of: str  # file name of the kept image; "" where there is none any more


class FetchRecord(Struct, frozen=True):
    """The transfer of a candidate: addresses, HTTP status, attempts and run."""

    url: str
    final_url: str
    http_status: int
    attempts: int
    run_id: int


def every(db: sqlite3.Connection) -> Iterator[DroppedCopy]:
    """Yield near duplicates, placeholders and label conflicts, by label and kept image."""
    rows = db.execute(
        "SELECT c.id, q.label, lower(hex(c.sha256)), coalesce(c.fetched_url, c.url), c.reason, "
        f"c.distance, CASE WHEN s.state IN {KEPT} THEN s.file_name ELSE '' END FROM candidate c "
        "JOIN query q ON q.id = c.query_id LEFT JOIN sample s ON s.id = c.sample_id "
        f"WHERE c.state = {CandidateState.SETTLED} AND c.reason IN ({_marks(_ASIDE)}) "
        "AND c.sha256 IS NOT NULL ORDER BY q.label, s.number, c.id",
        _ASIDE,
    )
    return (DroppedCopy(*row) for row in rows)


def of_bytes(db: sqlite3.Connection, label: str, sha256: str) -> DroppedCopy | None:
    """Return the dropped copy with these bytes under a label; None where there is none."""
    row = db.execute(
        "SELECT c.id, q.label, lower(hex(c.sha256)), coalesce(c.fetched_url, c.url), c.reason, "
        "c.distance, '' FROM candidate c JOIN query q ON q.id = c.query_id "
        f"WHERE c.sha256 = ? AND q.label = ? AND c.state = {CandidateState.SETTLED} "
        f"AND c.reason IN ({_marks(_ASIDE)}) ORDER BY c.id LIMIT 1",
        (bytes.fromhex(sha256), label, *_ASIDE),
    ).fetchone()
    return None if row is None else DroppedCopy(*row)


def digests_aside(db: sqlite3.Connection) -> list[str]:
    """Return the SHA-256 of every file that may be kept aside, refused images included."""
    reasons = (*_ASIDE, Reason.REFUSED_BY_PERSON)
    rows = db.execute(
        "SELECT DISTINCT lower(hex(sha256)) FROM candidate "
        f"WHERE reason IN ({_marks(reasons)}) AND sha256 IS NOT NULL",
        reasons,
    )
    return [sha256 for (sha256,) in rows]


def fetched(db: sqlite3.Connection, candidate_id: int) -> FetchRecord:
    """Return the transfer of a settled candidate; "" and 0 stand for unknown values."""
    return FetchRecord(
        *db.execute(
            "SELECT coalesce(fetched_url, url), coalesce(final_url, ''), "
            "coalesce(http_status, 0), coalesce(attempts, 0), run_id FROM candidate WHERE id = ?",
            (candidate_id,),
        ).fetchone()
    )


def _marks(values: tuple[Reason, ...]) -> str:
    return ", ".join("?" * len(values))


def replaced_files(db: sqlite3.Connection, label: str, number: int) -> dict[str, str]:
    """Return SHA-256 (hex) and file name of the copies that had this number before a better one.

    Most of them may never have been in place: a batch can replace one copy by several in turn.
    """
    rows = db.execute(
        "SELECT lower(hex(sha256)), file_name FROM sample "
        f"WHERE label = ? AND number = ? AND state = {SampleState.REPLACED}",
        (label, number),
    )
    return dict(rows.fetchall())
