"""Outcomes of candidates: counts, and rows for reports by URL."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any, Final

from msgspec import Struct

from pixtrawl.catalog.schema.states import KEPT, CandidateState
from pixtrawl.model import REASONS, Reason
from pixtrawl.reasons import LOOKS_LIKE

__all__ = [
    "CandidateRow",
    "Efforts",
    "ImageOfCandidate",
    "OutcomeSelection",
    "count",
    "details_of",
    "efforts",
    "image_of",
    "junk_kept",
    "opt_outs",
    "rows",
    "settled_counts",
]

_UNSETTLED: Final = f"c.state < {CandidateState.SETTLED}"
# As in the partial index, so that SQLite uses it.
_KEPT_JUNK: Final = (
    f"c.state = {CandidateState.SETTLED} AND c.reason = '{Reason.SAVED.value}' "
    f"AND substr(c.detail, 1, {len(LOOKS_LIKE)}) = '{LOOKS_LIKE}'"
)


class CandidateRow(Struct, frozen=True):
    """A candidate with its query, its outcome and the image that it became or is a copy of."""

    url: str
    query: str
    label: str
    source: str
    reason: Reason | None  # None: it has no outcome yet
    detail: str | None
    http_status: int | None
    file_name: str | None
    attempts: int | None
    final_url: str | None
    rank: int
    settled_at: str | None


class OutcomeSelection(Struct, frozen=True):
    """A selection of candidates, by reason and query."""

    reasons: frozenset[Reason] = frozenset(REASONS)
    unsettled: bool = True  # those without an outcome, too
    query_ids: tuple[int, ...] | None = None  # None: of every query
    junk_kept: bool = False  # only those that were saved and look like junk

    def condition(self) -> tuple[str, list[Any]]:
        """Return a WHERE clause, "" where everything is selected, and its values."""
        parts: list[str] = []
        values: list[Any] = []
        if len(self.reasons) < len(REASONS):
            also = f" OR {_UNSETTLED}" if self.unsettled else ""
            settled = f"c.state = {CandidateState.SETTLED} AND c.reason IN ({_marks(self.reasons)})"
            parts.append(f"(({settled}){also})")
            values += sorted(self.reasons)
        if self.query_ids is not None:
            parts.append(f"c.query_id IN ({_marks(self.query_ids)})")
            values += self.query_ids
        if self.junk_kept:
            parts.append(_KEPT_JUNK)
        return (f" WHERE {' AND '.join(parts)}" if parts else ""), values


def rows(db: sqlite3.Connection, choice: OutcomeSelection) -> Iterator[CandidateRow]:
    """Stream the selected candidates in the order in which they were found."""
    where, values = choice.condition()
    found = db.execute(
        "SELECT c.url, q.text, q.label, c.source, "
        f"CASE WHEN {_UNSETTLED} THEN NULL ELSE c.reason END, "
        "c.detail, c.http_status, s.file_name, c.attempts, c.final_url, c.rank, "
        "coalesce(c.settled_at, CASE WHEN c.reason = 'saved' THEN s.fetched_at END) "
        "FROM candidate c JOIN query q ON q.id = c.query_id "
        f"LEFT JOIN sample s ON s.id = c.sample_id AND s.state IN {KEPT}{where} ORDER BY c.id",
        values,
    )
    for url, query, label, source, reason, *rest in found:
        yield CandidateRow(url, query, label, source, Reason(reason) if reason else None, *rest)


def count(db: sqlite3.Connection, choice: OutcomeSelection) -> int:
    """Return the number of selected candidates."""
    where, values = choice.condition()
    return int(db.execute(f"SELECT count(*) FROM candidate c{where}", values).fetchone()[0])


def settled_counts(db: sqlite3.Connection, query_id: int) -> dict[str, int]:
    """Return a query's number of settled candidates by reason, the most frequent first."""
    return dict(
        db.execute(
            "SELECT reason, count(*) FROM candidate "
            f"WHERE query_id = ? AND state = {CandidateState.SETTLED} GROUP BY 1 ORDER BY 2 DESC",
            (query_id,),
        ).fetchall()
    )


def junk_kept(db: sqlite3.Connection, query_id: int) -> Counter[str]:
    """Count a query's kept candidates that look like junk, by the reason of such junk."""
    found = db.execute(
        "SELECT c.detail, count(*) FROM candidate c "
        f"WHERE c.query_id = ? AND {_KEPT_JUNK} GROUP BY c.detail",
        (query_id,),
    )
    counts: Counter[str] = Counter()
    for detail, number in found:
        counts[detail.removeprefix(LOOKS_LIKE).partition(":")[0]] += number
    return counts


def details_of(db: sqlite3.Connection, reason: Reason) -> dict[str | None, int]:
    """Return the number of settled candidates with this reason by their detail."""
    return dict(
        db.execute(
            "SELECT detail, count(*) FROM candidate "
            f"WHERE state = {CandidateState.SETTLED} AND reason = ? GROUP BY detail",
            (reason.value,),
        ).fetchall()
    )


def opt_outs(db: sqlite3.Connection) -> dict[Reason, int]:
    """Return the number of candidates that their owners refuse, by reason."""
    found = db.execute(  # phrased as in the partial indexes, so that SQLite uses them
        "SELECT reason, count(*) FROM candidate WHERE reason IN ('robots_txt', 'robots_header') "
        f"AND state = {CandidateState.SETTLED} GROUP BY reason UNION ALL "
        "SELECT reason, count(*) FROM candidate WHERE reason = 'opted_out' "
        f"AND state = {CandidateState.SETTLED} GROUP BY reason"
    )
    return {Reason(reason): number for reason, number in found}


class Efforts(Struct, frozen=True):
    """Totals of the candidates that were tried."""

    tried: int
    saved: int
    fetched_bytes: int


def efforts(db: sqlite3.Connection) -> Efforts:
    """Return the totals over all queries and runs."""
    return Efforts(
        *db.execute(
            "SELECT count(*), coalesce(sum(reason = 'saved'), 0), coalesce(sum(size_bytes), 0) "
            "FROM candidate WHERE attempts > 0"
        ).fetchone()
    )


class ImageOfCandidate(Struct, frozen=True):
    """The outcome of one URL of a query."""

    reason: Reason | None
    detail: str | None
    final_url: str | None
    sha256: str  # hexadecimal; "" where none is known
    file_name: str | None  # of the kept image


def image_of(db: sqlite3.Connection, query_id: int, url: str) -> ImageOfCandidate | None:
    """Return the outcome of a URL; None where the query has no such candidate."""
    row = db.execute(
        "SELECT c.reason, c.detail, c.final_url, lower(hex(c.sha256)), s.file_name "
        "FROM candidate c "
        f"LEFT JOIN sample s ON s.id = c.sample_id AND s.state IN {KEPT} "
        "WHERE c.query_id = ? AND c.url = ?",
        (query_id, url),
    ).fetchone()
    if row is None:
        return None
    reason, detail, final_url, sha256, file_name = row
    return ImageOfCandidate(
        Reason(reason) if reason else None, detail, final_url, sha256 or "", file_name
    )


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
