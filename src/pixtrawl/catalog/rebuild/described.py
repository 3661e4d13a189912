"""Build a catalog from records of its images, such as the lines of metadata.jsonl."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct

from pixtrawl.catalog import own_columns, written
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.files import records as file_records
from pixtrawl.catalog.schema.states import CandidateState, SampleState
from pixtrawl.catalog.schema.tables import migrate
from pixtrawl.catalog.scores import columns as scores
from pixtrawl.model import Caption

__all__ = ["Described", "add", "creating"]


class Described(Struct, frozen=True, kw_only=True):
    """One image. `measures`, `rights` and `own` (columns of the user's list) are JSON objects."""

    id: int
    query: str
    label: str
    number: int
    file_name: str
    url: str
    final_url: str | None
    kind: str
    source: str
    rank: int
    page_url: str | None
    title: str | None
    license: str | None
    license_url: str | None
    creator: str | None
    sha256: bytes
    format: str
    width: int
    height: int
    frames: int
    size_bytes: int
    phash: bytes
    measures: str
    rights: str
    fetched_at: str
    own: str | None
    relevance: float | None
    outlier: bool
    written: Caption | None = None  # a caption by a person or a model
    query_label: str = ""  # of its query, if a person moved the image to another label
    key: bytes = b""  # of its candidate; by default made of the id
    run_id: int = 0  # of its query
    phash_trim: bytes = b""
    thumb: bytes = b""
    chroma: bytes = b""
    fine: bytes = b""
    flat: bool = False
    orientation: int = 1
    alt: str | None = None
    page_text: str | None = None


@contextmanager
def creating(path: Path) -> Iterator[Callable[[Described], int]]:
    """Create a catalog at `path`; give a function that adds an image. Commit at the end."""
    with closing(connect(path)) as db:
        migrate(db)
        db.execute("BEGIN")
        yield lambda image: add(db, image)
        file_records.advance(db)
        db.execute("COMMIT")


def add(db: sqlite3.Connection, image: Described) -> int:
    """Add a kept image with its candidate and, if need be, its query. Return the query's row."""
    names = (image.query, image.query_label or image.label)
    found = "SELECT id FROM query WHERE text = ? AND label = ? ORDER BY id LIMIT 1"
    row = db.execute(found, names).fetchone()
    if row is None:
        db.execute(
            "INSERT INTO query (text, label, filters, run_id) VALUES (?, ?, '{}', ?)",
            (*names, image.run_id),
        )
        row = db.execute(found, names).fetchone()
    query_id = int(row[0])
    if image.own is not None:
        own_columns.note(db, [image.own])
    db.execute(
        "INSERT INTO candidate (id, query_id, key, url, host, kind, source, rank, page_url, title, "
        "license, license_url, creator, state, reason, fetched_url, final_url, sha256, size_bytes, "
        "sample_id, extra, alt, page_text) "
        "VALUES (?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?, ?, "
        f"{CandidateState.SETTLED}, 'saved', ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            image.id, query_id, image.key or image.id.to_bytes(16), image.url, image.kind,
            image.source, image.rank, image.page_url, image.title, image.license, image.license_url,
            image.creator, image.url, image.final_url, image.sha256, image.size_bytes, image.id,
            image.own, image.alt, image.page_text,
        ),
    )  # fmt: skip
    db.execute(
        "INSERT INTO sample (id, label, number, file_name, query_id, candidate_id, state, sha256, "
        "format, width, height, frames, size_bytes, orientation, flat, phash, phash_trim, thumb, "
        "chroma, fine, measures, kind, rights, fetched_at) "
        f"VALUES (?, ?, ?, ?, ?, ?, {SampleState.PLACED}, "
        "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            image.id, image.label, image.number, image.file_name, query_id, image.id, image.sha256,
            image.format, image.width, image.height, image.frames, image.size_bytes,
            image.orientation, int(image.flat), image.phash, image.phash_trim, image.thumb,
            image.chroma, image.fine, image.measures, image.kind, image.rights, image.fetched_at,
        ),
    )  # fmt: skip
    if image.written is not None:
        written.give(db, image.id, image.written)
    if image.relevance is not None:
        score, flag = scores.begin(
            db, "relevance", "", {"relevance": "float", "relevance_outlier": "bool"}
        )
        scores.put(db, [(image.id, score.id, image.relevance), (image.id, flag.id, image.outlier)])
    return query_id
