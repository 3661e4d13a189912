"""The digest of all files' names and records when they were last found as the rows say.

Triggers drop it, and count a revision, in each transaction that changes an image or the record of
its file. A digest is saved only if the revision is the one from before the rows were compared, so
it can never vouch for rows that changed meanwhile.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from pixtrawl.catalog.database import connect

__all__ = ["KnownFiles", "put", "read", "save"]


class KnownFiles(Struct, frozen=True):
    """A digest of all files, and the revision of the rows that they agreed with."""

    revision: int
    digest: bytes | None  # None: rows changed since the files were last compared with them
    folders: bytes | None = None  # of the folders' times, before; None: they tell nothing


def read(db: sqlite3.Connection) -> KnownFiles:
    """Return the saved digest and today's revision; nothing is known where the row is gone."""
    row = db.execute("SELECT revision, digest, folders FROM file_listing").fetchone()
    return KnownFiles(0, None) if row is None else KnownFiles(*row)


def save(catalog: Path, known: KnownFiles) -> None:
    """Save a digest, unless a row changed since the revision of `known` was read.

    Do not wait for another process that writes. Raise StorageError or sqlite3.Error.
    """
    with closing(connect(catalog)) as db:
        db.execute("PRAGMA busy_timeout = 0")
        put(db, known)


def put(db: sqlite3.Connection, known: KnownFiles) -> None:
    """Store a digest, unless a row changed since the revision of `known` was read."""
    db.execute(
        "UPDATE file_listing SET digest = ?, folders = ? WHERE revision = ?",
        (known.digest, known.folders, known.revision),
    )
