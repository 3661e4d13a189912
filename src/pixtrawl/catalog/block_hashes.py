"""Hashes of kept and held files for block lists, and the traces of pictures that these refuse."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from msgspec import Struct

from pixtrawl.catalog import samples
from pixtrawl.catalog.schema.states import KEPT, SampleState, any_of
from pixtrawl.model import ContentHashes, Reason

__all__ = ["Stored", "known", "note", "refuse", "stored", "withhold"]

_GONE = any_of(SampleState.TAKEN_DOWN)


class Stored(Struct, frozen=True):
    """A kept image: its file and the hash of its bytes."""

    file_name: str
    sha256: str


def note(db: sqlite3.Connection, sha256: str, content: ContentHashes) -> None:
    """Remember the hashes of a file; one that is None does not replace a known one."""
    if content.md5 is None and content.pdq is None:
        return
    db.execute(
        "INSERT INTO content_hash (sha256, md5, pdq) VALUES (?, ?, ?) ON CONFLICT (sha256) DO "
        "UPDATE SET md5 = coalesce(excluded.md5, md5), pdq = coalesce(excluded.pdq, pdq)",
        (bytes.fromhex(sha256), content.md5, content.pdq),
    )


def known(db: sqlite3.Connection, sha256: str) -> ContentHashes:
    """Return the remembered hashes of a file."""
    row = db.execute(
        "SELECT md5, pdq FROM content_hash WHERE sha256 = ?", (bytes.fromhex(sha256),)
    ).fetchone()
    return ContentHashes(*row) if row is not None else ContentHashes()


def stored(db: sqlite3.Connection) -> Iterator[Stored]:
    """Yield the kept images, each SHA-256 once."""
    rows = db.execute(
        f"SELECT min(file_name), sha256 FROM sample WHERE state IN {KEPT} GROUP BY sha256"
    )
    for name, sha256 in rows:
        yield Stored(name, sha256.hex())


def refuse(db: sqlite3.Connection, sha256: str) -> None:
    """Mark every row of these bytes as taken down by a block list, and blank what shows them."""
    digest = bytes.fromhex(sha256)
    _overwrite(db)
    rows = db.execute(
        f"SELECT id FROM sample WHERE sha256 = ? AND state NOT IN {_GONE}", (digest,)
    ).fetchall()
    for (sample_id,) in rows:
        samples.mark(db, sample_id, SampleState.TAKEN_DOWN)
    db.execute(
        "UPDATE sample SET thumb = X'', chroma = X'', fine = X'' WHERE sha256 = ?", (digest,)
    )
    candidates = db.execute("SELECT id FROM candidate WHERE sha256 = ?", (digest,)).fetchall()
    for (candidate_id,) in candidates:
        db.execute(
            "UPDATE candidate SET reason = ? WHERE id = ?",
            (Reason.BLOCKED_HASH.value, candidate_id),
        )
        withhold(db, candidate_id)


def withhold(db: sqlite3.Connection, candidate_id: int) -> None:
    """Remove from a candidate every URL that contains the picture itself (`data:`)."""
    _overwrite(db)
    for table, key in (("candidate", "id"), ("also_found", "candidate_id")):
        db.execute(
            f"UPDATE {table} SET url = 'data:,' WHERE {key} = ? AND url LIKE 'data:%'",
            (candidate_id,),
        )
    for column in ("thumb_url", "fetched_url", "final_url"):
        db.execute(
            f"UPDATE candidate SET {column} = NULL WHERE id = ? AND {column} LIKE 'data:%'",
            (candidate_id,),
        )
    db.execute(
        "UPDATE candidate SET alternates = NULL WHERE id = ? AND alternates LIKE '%\"data:%'",
        (candidate_id,),
    )


def _overwrite(db: sqlite3.Connection) -> None:
    """Have SQLite overwrite what this connection deletes from now on: free pages show pictures."""
    db.execute("PRAGMA secure_delete = ON")
