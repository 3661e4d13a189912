"""Rows of images and of candidates that were not kept, as a person looks at them, by id."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from pixtrawl.catalog.id_array import id_array
from pixtrawl.catalog.schema.states import KEPT, KEPT_STATES, CandidateState, SampleState
from pixtrawl.catalog.views.filter import Conditions, LookFilter, LookSort, in_list, like
from pixtrawl.model import Reason

__all__ = [
    "NEVER_SHOWN",
    "DecidedCandidate",
    "LookRow",
    "PictureRow",
    "candidate_picture",
    "candidate_rows",
    "candidates_by_id",
    "found_at",
    "ids_of_number",
    "not_kept_count",
    "not_kept_ids",
    "sample_picture",
    "sample_rows_of",
]

# Owners, a person or a list of hashes said no: their pictures are not shown either.
NEVER_SHOWN: Final = frozenset(
    {
        Reason.TAKEN_DOWN, Reason.BLOCKED_HASH, Reason.ROBOTS_TXT, Reason.ROBOTS_HEADER,
        Reason.OPTED_OUT,
    }
)  # fmt: skip
_SETTLED: Final = f"c.state = {CandidateState.SETTLED} AND c.reason <> '{Reason.SAVED.value}'"
_SHOWN_STATES: Final = frozenset(
    {*KEPT_STATES, SampleState.WITHDRAWN, SampleState.REPLACED, SampleState.RELABELLED}
)


class LookRow(Struct, frozen=True):
    """One image or candidate in a page of a view; `reason` is empty for a kept image."""

    id: int
    number: int | None
    label: str
    file_name: str
    width: int | None
    height: int | None
    sha256: str  # hexadecimal; "" where it was not fetched
    state: SampleState | None
    reason: str
    detail: str
    title: str
    host: str
    licence: str


class PictureRow(Struct, frozen=True):
    """Where the picture of an image or candidate may be."""

    file_name: str  # "" where it can only be in quarantine
    sha256: str
    format: str  # "" where it was not decoded


_SAMPLE: Final = (
    "SELECT s.id, s.number, s.label, s.file_name, s.width, s.height, lower(hex(s.sha256)), "
    "s.state, coalesce(s.withdrawn_for, ''), coalesce(r.words, ''), coalesce(c.title, ''), c.host, "
    "coalesce(c.license, '') FROM sample s JOIN candidate c ON c.id = s.candidate_id "
    "LEFT JOIN refused r ON r.sample_id = s.id "
)


def sample_rows_of(db: sqlite3.Connection, ids: Sequence[int]) -> list[LookRow]:
    """Return the rows of these images, whatever their state, in the order of `ids`."""
    rows = db.execute(
        f"{_SAMPLE}WHERE s.id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
    )
    found = {row[0]: _look_row(row) for row in rows}
    return [found[one] for one in ids if one in found]


def _look_row(row: tuple[Any, ...]) -> LookRow:
    found = LookRow(*row)
    return found if found.state is None else replace(found, state=SampleState(found.state))


def candidate_rows(db: sqlite3.Connection, ids: Sequence[int]) -> list[LookRow]:
    """Return the rows of these candidates in the order of `ids`."""
    rows = db.execute(
        "SELECT c.id, NULL, q.label, '', c.width, c.height, coalesce(lower(hex(c.sha256)), ''), "
        "NULL, coalesce(c.reason, ''), coalesce(c.detail, ''), coalesce(c.title, ''), c.host, "
        "coalesce(c.license, '') FROM candidate c JOIN query q ON q.id = c.query_id "
        "WHERE c.id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    found = {row[0]: LookRow(*row) for row in rows}
    return [found[one] for one in ids if one in found]


def not_kept_ids(db: sqlite3.Connection, wanted: LookFilter, sort: LookSort) -> array[int]:
    """Return the candidates that were not kept, newest first unless sorted otherwise.

    Raise ValueError for a filter or an order that only images have.
    """
    if wanted.ranges or wanted.decisions or wanted.colour:
        raise ValueError("what was not kept has no measures, colours and decisions to filter by")
    found = Conditions()
    in_list(found, "q.label", wanted.labels)
    in_list(found, "c.source", wanted.sources)
    in_list(found, "c.host", wanted.hosts)
    in_list(found, "coalesce(c.license, '')", wanted.licences)
    in_list(found, "c.reason", wanted.reasons)
    text = "c.url || ' ' || coalesce(c.title, '') || ' ' || coalesce(c.page_url, '')"
    for word in wanted.text.split():
        found.add(f"{text} LIKE ? ESCAPE '!'", like(word))
    orders = {
        "number": "c.id", "newest": "-c.id",
        "random": "(c.id * 2654435761) % 4294967291, c.id",
    }  # fmt: skip
    if sort.by not in orders:
        raise ValueError(f"what was not kept cannot be sorted by {sort.by!r}")
    order = orders[sort.by]
    ids = id_array(
        db,
        "SELECT c.id FROM candidate c JOIN query q ON q.id = c.query_id "
        f"WHERE {_SETTLED} AND {found.sql} ORDER BY {order}",
        found.values,
    )
    return ids[::-1] if sort.descending else ids


def not_kept_count(db: sqlite3.Connection) -> int:
    """Return how many candidates have an outcome other than `saved`."""
    return int(db.execute(f"SELECT count(*) FROM candidate c WHERE {_SETTLED}").fetchone()[0])


def sample_picture(db: sqlite3.Connection, sample_id: int) -> PictureRow | None:
    """Return where the picture of an image is; None where it must not be shown or is gone."""
    row = db.execute(
        "SELECT state, coalesce(withdrawn_for, ''), file_name, lower(hex(sha256)), format "
        "FROM sample WHERE id = ?",
        (sample_id,),
    ).fetchone()
    if row is None or row[0] not in _SHOWN_STATES or row[1] in NEVER_SHOWN or _barred(db, row[3]):
        return None
    return PictureRow(row[2] if row[0] in KEPT_STATES else "", row[3], row[4])


def candidate_picture(db: sqlite3.Connection, candidate_id: int) -> PictureRow | None:
    """Return where the picture of a candidate may be; None where it must not be shown."""
    row = db.execute(
        "SELECT c.state, coalesce(c.reason, ''), lower(hex(c.sha256)) FROM candidate c "
        "WHERE c.id = ? AND c.sha256 IS NOT NULL",
        (candidate_id,),
    ).fetchone()
    if row is None or row[0] != CandidateState.SETTLED or row[1] in NEVER_SHOWN:
        return None
    if _barred(db, row[2]):
        return None
    same = db.execute(
        f"SELECT file_name, format FROM sample WHERE sha256 = ? AND state IN {KEPT} LIMIT 1",
        (bytes.fromhex(row[2]),),
    ).fetchone()
    return PictureRow("", row[2], "") if same is None else PictureRow(same[0], row[2], same[1])


def _barred(db: sqlite3.Connection, sha256: str) -> bool:
    """Return whether a takedown or a list of hashes holds these bytes under any name."""
    digest = bytes.fromhex(sha256)
    row = db.execute(
        f"SELECT 1 FROM sample WHERE sha256 = ?1 AND state = {SampleState.TAKEN_DOWN} UNION ALL "
        "SELECT 1 FROM takedown WHERE kind = 'sha256' AND value = ?2 UNION ALL "
        "SELECT 1 FROM candidate WHERE sha256 = ?1 AND reason IN (?3, ?4) LIMIT 1",
        (digest, sha256, Reason.TAKEN_DOWN.value, Reason.BLOCKED_HASH.value),
    ).fetchone()
    return row is not None


def found_at(db: sqlite3.Connection, candidate_id: int) -> list[dict[str, object]]:
    """Return every place where a candidate was found, the first one first."""
    rows = db.execute(
        "SELECT source, rank, url, page_url, title, license, license_url, creator FROM candidate "
        "WHERE id = ?1 UNION ALL "
        "SELECT a.source, a.rank, coalesce(a.url, c.url), a.page_url, a.title, a.license, "
        "a.license_url, a.creator FROM also_found a JOIN candidate c ON c.id = a.candidate_id "
        "WHERE a.candidate_id = ?1",
        (candidate_id,),
    )
    names = ("source", "rank", "url", "page_url", "title", "license", "license_url", "creator")
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in rows
    ]


def ids_of_number(db: sqlite3.Connection, number: int) -> frozenset[int]:
    """Return the images that have or had this number."""
    rows = db.execute("SELECT id FROM sample WHERE number = ?", (number,))
    return frozenset(row[0] for row in rows)


class DecidedCandidate(Struct, frozen=True):
    """The columns of a candidate that a decision about it needs."""

    id: int
    url: str
    sha256: str  # hexadecimal; "" where it was not fetched
    reason: str
    sample_id: int | None
    label: str


def candidates_by_id(db: sqlite3.Connection, ids: Iterable[int]) -> list[DecidedCandidate]:
    """Return these candidates that were not kept."""
    rows = db.execute(
        "SELECT c.id, coalesce(c.fetched_url, c.url), coalesce(lower(hex(c.sha256)), ''), "
        "c.reason, c.sample_id, q.label FROM candidate c JOIN query q ON q.id = c.query_id "
        f"WHERE {_SETTLED} AND "
        "c.id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    return [DecidedCandidate(*row) for row in rows]
