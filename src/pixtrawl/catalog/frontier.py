"""The frontier: every candidate once per query, in the order found, until it is settled.

The pipeline calls these functions inside `Catalog.write`. Claims are kept in memory only (the data
set has one writer), so a killed run leaves nothing to release: what is not settled is open again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from pixtrawl.catalog import own_columns
from pixtrawl.catalog.merging import merge, picture_key
from pixtrawl.catalog.run_log import now
from pixtrawl.catalog.schema.states import KEPT, CandidateState, SampleState
from pixtrawl.model import (
    REASONS,
    Alternate,
    Candidate,
    Kind,
    Outcome,
    Query,
    Reason,
    Status,
    Task,
)
from pixtrawl.urls import host_of, url_key

FILTERS_UNKNOWN: Final = -1  # as `query.run_id`: the next run that asks for it sets its filters

_COLUMNS: Final = (
    "url, kind, source, rank, page_url, title, width, height, thumb_url, license, license_url, "
    "creator, alternates, extra, file_stem, alt, page_text, page_said"
)
_INSERT: Final = (
    f"INSERT INTO candidate (query_id, key, host, {_COLUMNS}, picture) "
    f"VALUES ({', '.join('?' * (_COLUMNS.count(',') + 5))}) "
    "ON CONFLICT (query_id, key) DO NOTHING RETURNING id"
)
_KNOWN: Final = (
    "SELECT id, url, kind, source, rank, width, height, alternates, state FROM candidate "
    "WHERE query_id = ? AND key = ? UNION ALL "
    "SELECT id, url, kind, source, rank, width, height, alternates, state FROM candidate "
    "WHERE query_id = ? AND picture = ? LIMIT 1"
)
_SETTLE: Final = (
    f"UPDATE candidate SET state = {CandidateState.SETTLED}, reason = ?, detail = ?, "
    "http_status = ?, attempts = ?, "
    "fetched_url = ?, final_url = ?, sha256 = ?, size_bytes = ?, elapsed_s = ?, sample_id = ?, "
    "distance = ?, run_id = ?, settled_at = ? WHERE id = ?"
)


class QueryRow(Struct, frozen=True):
    """A query with its row. `saved` counts the images that are in place now."""

    id: int
    query: Query
    saved: int
    awaited: int = 0  # removed images that a person wants back; `saved` leaves room for them
    excess: int = 0  # images in place that `saved` leaves out to make that room


def filters_json(query: Query) -> str:
    """Return the filters as JSON with sorted keys; part of a query's identity."""
    return json.dumps(query.filters.given(), sort_keys=True, ensure_ascii=False)


def ensure_query(db: sqlite3.Connection, query: Query, run_id: int) -> QueryRow:
    """Add the query, or find its row, and set its `wanted` to the limit of this run.

    A renamed label may be given by its old name; the query in the returned row has the current one.
    """
    label = actual_label(db, query.label)
    query = query if label == query.label else replace(query, label=label)
    db.execute(  # one of a catalog that was made again, where the filters were not known
        "UPDATE OR IGNORE query SET filters = ? WHERE text = ? AND label = ? AND run_id = ?",
        (filters_json(query), query.text, query.label, FILTERS_UNKNOWN),
    )
    row = db.execute(
        "INSERT INTO query (text, label, filters, wanted, run_id, extra) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (text, label, filters) DO UPDATE SET wanted = excluded.wanted, "
        "run_id = excluded.run_id, extra = coalesce(excluded.extra, extra) RETURNING id",
        (query.text, query.label, filters_json(query), query.limit, run_id, query.extra or None),
    ).fetchone()
    if query.extra:
        own_columns.note(db, [query.extra])
    (awaited,) = db.execute(
        f"SELECT count(*) FROM sample WHERE query_id = ? AND state = {SampleState.WANTED_BACK}",
        (row[0],),
    ).fetchone()
    saved = saved_count(db, row[0])
    if query.limit is not None and (empty := unfilled_count(db, row[0])):
        query = replace(query, limit=max(0, query.limit - empty))
    counted = saved if query.limit is None else min(saved, query.limit - awaited)
    return QueryRow(row[0], query, counted, awaited, saved - counted)


def actual_label(db: sqlite3.Connection, label: str) -> str:
    """Return the current name of a label: itself where it was never renamed."""
    row = db.execute("SELECT new FROM label_alias WHERE old = ?", (label,)).fetchone()
    return label if row is None else str(row[0])


def saved_count(db: sqlite3.Connection, query_id: int) -> int:
    """Count the images of the query that are accepted or in place.

    Images that a person moved to another label are left out: another one takes their place.
    """
    row = db.execute(
        "SELECT count(*) FROM sample s JOIN query q ON q.id = s.query_id "
        f"WHERE s.query_id = ? AND s.state IN {KEPT} AND s.label = q.label",
        (query_id,),
    ).fetchone()
    return int(row[0])


def unfilled_count(db: sqlite3.Connection, query_id: int) -> int:
    """Count the refused images of the query that are not to be replaced by other ones."""
    row = db.execute(
        "SELECT count(*) FROM sample s JOIN refused r ON r.sample_id = s.id "
        f"WHERE s.query_id = ? AND s.state = {SampleState.WITHDRAWN} AND NOT r.refill",
        (query_id,),
    ).fetchone()
    return int(row[0])


def moved_count(db: sqlite3.Connection, query_id: int) -> int:
    """Count the images of the query that a person put under another label."""
    row = db.execute(
        "SELECT count(*) FROM sample s JOIN query q ON q.id = s.query_id "
        f"WHERE s.query_id = ? AND s.state IN {KEPT} AND s.label <> q.label",
        (query_id,),
    ).fetchone()
    return int(row[0])


def add(
    db: sqlite3.Connection, query_id: int, candidates: Iterable[Candidate], *, thumbnails: bool
) -> int:
    """Add candidates; merge those with a known URL or picture into the candidate that is there.

    Thumbnails are settled at once unless `thumbnails`.

    Returns:
        How many candidates this opened.
    """
    new = 0
    own: list[str] = []
    for candidate in candidates:
        if candidate.extra:
            own.append(candidate.extra)
        key = url_key(candidate.url)
        picture = picture_key(candidate.thumb_url)
        row = (query_id, key, host_of(candidate.url), *_values(candidate), picture)
        known = (query_id, key, query_id, picture)
        # Without a picture id only the URL can match, and the insert detects that conflict itself.
        shown = picture and db.execute(_KNOWN, known).fetchone()
        inserted = None if shown else db.execute(_INSERT, row).fetchone()
        if inserted is None:
            new += merge(db, shown or db.execute(_KNOWN, known).fetchone(), candidate)
            continue
        if candidate.kind is Kind.THUMBNAIL and not thumbnails:
            db.execute(
                f"UPDATE candidate SET state = {CandidateState.SETTLED}, reason = ? WHERE id = ?",
                (Reason.THUMBNAIL.value, inserted[0]),
            )
        else:
            new += 1
    own_columns.note(db, own)
    return new


def _values(c: Candidate) -> tuple[object, ...]:
    alternates = (
        json.dumps([[a.url, a.kind.value] for a in c.alternates], ensure_ascii=False)
        if c.alternates
        else None
    )
    return (
        c.url, c.kind.value, c.source, c.rank, c.page_url, c.title, c.width, c.height, c.thumb_url,
        c.license, c.license_url, c.creator, alternates, c.extra or None, c.file_stem,
        c.alt, c.page_text, c.page_said,
    )  # fmt: skip


def candidate_of(row: Sequence[Any], query: Query) -> Candidate:
    """Rebuild a candidate from the columns of `_COLUMNS`."""
    (
        url, kind, source, rank, page_url, title, width, height, thumb_url, license_, license_url,
        creator, alternates, extra, file_stem, alt, page_text, page_said,
    ) = row  # fmt: skip
    ways = tuple(Alternate(u, Kind(k)) for u, k in json.loads(alternates)) if alternates else ()
    return Candidate(
        url=url, query=query.text, label=query.label, source=source, rank=rank, kind=Kind(kind),
        page_url=page_url, title=title, width=width, height=height, thumb_url=thumb_url,
        license=license_, license_url=license_url, creator=creator, alternates=ways,
        extra=extra or "", file_stem=file_stem, alt=alt, page_text=page_text,
        page_said=page_said,
    )  # fmt: skip


def claim(
    db: sqlite3.Connection, row: QueryRow, *, after: int, count: int, thumbnails: bool = False
) -> list[Task]:
    """Return up to `count` open candidates with ids above `after`: thumbnails, or all others."""
    rows = db.execute(
        f"SELECT id, host, {_COLUMNS} FROM candidate "
        # "Below SETTLED" is redundant, but without it SQLite does not use the partial index on open
        # candidates and scans all of the query's: 85 % of the run time at 850,000 candidates.
        f"WHERE query_id = ? AND state = {CandidateState.OPEN} "
        f"AND state < {CandidateState.SETTLED} AND (kind = 'thumbnail') = ? AND id > ? "
        "ORDER BY id LIMIT ?",
        (row.id, int(thumbnails), after, count),
    )
    return [Task(r[0], row.id, r[1], candidate_of(r[2:], row.query)) for r in rows]


def claim_awaited(db: sqlite3.Connection, row: QueryRow) -> list[Task]:
    """Return the open candidates of the images that a person wants back."""
    rows = db.execute(
        f"SELECT id, host, {_COLUMNS} FROM candidate "
        f"WHERE query_id = ?1 AND state = {CandidateState.OPEN} AND id IN "
        "(SELECT candidate_id FROM sample "
        f"WHERE query_id = ?1 AND state = {SampleState.WANTED_BACK}) ORDER BY id",
        (row.id,),
    )
    return [Task(r[0], row.id, r[1], candidate_of(r[2:], row.query)) for r in rows]


def task_of(db: sqlite3.Connection, candidate_id: int) -> Task:
    """Return the task of a candidate's row, in whatever state."""
    own = ", ".join(f"c.{name.strip()}" for name in _COLUMNS.split(","))  # `query` has some, too
    row = db.execute(
        f"SELECT q.id, q.text, q.label, c.host, {own} FROM candidate c "
        "JOIN query q ON q.id = c.query_id WHERE c.id = ?",
        (candidate_id,),
    ).fetchone()
    return Task(candidate_id, row[0], row[3], candidate_of(row[4:], Query(row[1], row[2])))


def everything(db: sqlite3.Connection, row: QueryRow) -> Iterator[Candidate]:
    """Yield every candidate of a query, in whatever state, in the order found."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM candidate WHERE query_id = ? ORDER BY id",
        (row.id,),
    )
    for columns in rows:
        yield candidate_of(columns, row.query)


def set_aside(db: sqlite3.Connection, tasks: Iterable[Task]) -> None:
    """Put claimed candidates back until their crowded host has room again."""
    db.executemany(
        f"UPDATE candidate SET state = {CandidateState.CROWDED} WHERE id = ?",
        ((task.id,) for task in tasks),
    )


def claim_set_aside(db: sqlite3.Connection, row: QueryRow, host: str, count: int) -> list[Task]:
    """Claim up to `count` candidates of one host that were set aside, oldest first."""
    rows = db.execute(
        f"SELECT id, host, {_COLUMNS} FROM candidate "
        f"WHERE query_id = ? AND host = ? AND state = {CandidateState.CROWDED} ORDER BY id LIMIT ?",
        (row.id, host, count),
    ).fetchall()
    tasks = [Task(r[0], row.id, r[1], candidate_of(r[2:], row.query)) for r in rows]
    db.executemany(
        f"UPDATE candidate SET state = {CandidateState.OPEN} WHERE id = ?", ((t.id,) for t in tasks)
    )
    return tasks


def settle(
    db: sqlite3.Connection,
    task_id: int,
    outcome: Outcome,
    run_id: int,
    *,
    sample_id: int | None = None,
    distance: int | None = None,
) -> None:
    """Write the outcome of a candidate and settle it."""
    sha256 = bytes.fromhex(outcome.info.sha256) if outcome.info else None
    db.execute(
        _SETTLE,
        (
            outcome.reason.value, outcome.detail or None, outcome.http_status or None,
            outcome.attempts, outcome.url or None, outcome.final_url or None, sha256,
            outcome.size_bytes, round(outcome.elapsed_s, 4), sample_id, distance, run_id, now(),
            task_id,
        ),
    )  # fmt: skip


def reopen(db: sqlite3.Connection, query_id: int, retry: str, *, thumbnails: bool) -> int:
    """Open the settled candidates that this run may try again. Return how many.

    `retry` is `transient` (failures that may be temporary), `failed` (every failure, robots.txt
    and refused addresses too) or `none`; `thumbnails` opens those that were refused as such.
    Candidates that were skipped for a transient reason are always opened.
    """
    db.execute(
        f"UPDATE candidate SET state = {CandidateState.OPEN} "
        f"WHERE query_id = ? AND state = {CandidateState.CROWDED}",
        (query_id,),
    )
    reasons: set[Reason] = {
        r for r, info in REASONS.items() if info.status is Status.SKIPPED and info.transient
    }
    if retry != "none":
        reasons |= {r for r, i in REASONS.items() if i.status is Status.FAILED and i.transient}
    if retry == "failed":
        reasons |= {r for r, i in REASONS.items() if i.status is Status.FAILED}
        reasons |= {Reason.ROBOTS_TXT, Reason.ROBOTS_HEADER, Reason.OPTED_OUT}
        reasons |= {Reason.ADDRESS_REFUSED, Reason.HTML}
    if thumbnails:
        reasons.add(Reason.THUMBNAIL)
    marks = ", ".join("?" * len(reasons))
    return db.execute(
        f"UPDATE candidate SET state = {CandidateState.OPEN} "
        f"WHERE query_id = ? AND state = {CandidateState.SETTLED} AND reason IN ({marks})",
        (query_id, *reasons),
    ).rowcount


def full_size_count(db: sqlite3.Connection, query_id: int) -> int:
    """Count the candidates of a query that are no thumbnails, in whatever state."""
    row = db.execute(
        "SELECT count(*) FROM candidate WHERE query_id = ? AND kind <> 'thumbnail'", (query_id,)
    ).fetchone()
    return int(row[0])


def open_count(db: sqlite3.Connection, query_id: int) -> int:
    """Count the candidates of a query that are not settled."""
    row = db.execute(
        f"SELECT count(*) FROM candidate WHERE query_id = ? AND state < {CandidateState.SETTLED}",
        (query_id,),
    ).fetchone()
    return int(row[0])
