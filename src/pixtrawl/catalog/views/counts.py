"""Counts for the summary of a data set, as a person looks at it."""

from __future__ import annotations

import sqlite3
from typing import Final

from msgspec import Struct

from pixtrawl.catalog.decisions.recorded import DecisionState
from pixtrawl.catalog.schema.states import KEPT, CandidateState, SampleState
from pixtrawl.model import Reason

__all__ = [
    "QueryCount",
    "history",
    "host_counts",
    "label_counts",
    "licence_counts",
    "query_counts",
    "reason_counts",
    "refusal_counts",
    "refused_count",
    "source_counts",
]  # fmt: skip

# Of candidates alone, since rows of images have 5 KB each: a kept image has one that is `saved`.
_KEPT_BY: Final = (
    "SELECT {column}, count(*) FROM candidate c "
    f"WHERE c.state = {CandidateState.SETTLED} AND c.reason = '{Reason.SAVED.value}' "
    "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?"
)


class QueryCount(Struct, frozen=True):
    """A query with the number of its images."""

    id: int
    text: str
    label: str
    wanted: int | None
    saved: int


def label_counts(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return each label with the number of its kept images, by name."""
    return list(
        db.execute(
            "SELECT label, count(*) FROM sample INDEXED BY sample_kept "
            f"WHERE state IN {KEPT} GROUP BY label ORDER BY label"
        )
    )


def query_counts(db: sqlite3.Connection) -> list[QueryCount]:
    """Return every query with the number of images that count for it, oldest first."""
    rows = db.execute(
        "SELECT q.id, q.text, q.label, q.wanted, coalesce(n.saved, 0) FROM query q LEFT JOIN "
        "(SELECT query_id, count(*) AS saved FROM sample INDEXED BY sample_kept "
        f"WHERE state IN {KEPT} GROUP BY query_id) n ON n.query_id = q.id ORDER BY q.id"
    )
    return [QueryCount(*row) for row in rows]


def refusal_counts(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return why a person refused images, in their words, and how many; the most frequent first."""
    rows = db.execute(
        "SELECT r.words, count(*) FROM refused r JOIN sample s ON s.id = r.sample_id "
        f"WHERE s.state = {SampleState.WITHDRAWN} AND s.withdrawn_for = ? "
        "GROUP BY 1 ORDER BY 2 DESC, 1",
        (Reason.REFUSED_BY_PERSON.value,),
    )
    return rows.fetchall()


def refused_count(db: sqlite3.Connection) -> int:
    """Return how many images a person refused."""
    row = db.execute(
        f"SELECT count(*) FROM sample WHERE state = {SampleState.WITHDRAWN} AND withdrawn_for = ?",
        (Reason.REFUSED_BY_PERSON.value,),
    ).fetchone()
    return int(row[0])


def source_counts(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return each source with the number of kept images that it found first, most first."""
    return list(db.execute(_KEPT_BY.format(column="c.source"), (-1,)))


def host_counts(db: sqlite3.Connection, limit: int) -> list[tuple[str, int]]:
    """Return the hosts with most kept images."""
    return list(db.execute(_KEPT_BY.format(column="c.host"), (limit,)))


def licence_counts(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return each licence claim with the number of kept images; "" stands for none."""
    return list(db.execute(_KEPT_BY.format(column="coalesce(c.license, '')"), (-1,)))


def reason_counts(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return each reason of candidates that were not kept with their number, most first."""
    return list(
        db.execute(
            f"SELECT reason, count(*) FROM candidate WHERE state = {CandidateState.SETTLED} "
            "AND reason <> ? GROUP BY reason ORDER BY 2 DESC, 1",
            (Reason.SAVED.value,),
        )
    )


def history(db: sqlite3.Connection, sha256: str) -> list[tuple[str, bool]]:
    """Return the decisions about these bytes as JSON, oldest first, and whether each holds."""
    rows = db.execute(
        "SELECT line, state FROM decision WHERE json_extract(line, '$.sha256') = ? ORDER BY seq",
        (sha256,),
    )
    return [(row[0], row[1] == DecisionState.HOLDS) for row in rows]
