"""Images whose files a person deleted, and how a file that comes back is recognised."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from msgspec import Struct

from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.model import Reason

__all__ = ["DeletedImage", "every", "put_back", "sizes_bytes"]


class DeletedImage(Struct, frozen=True):
    """A row whose file was deleted by hand."""

    sample_id: int
    label: str
    file_name: str
    size_bytes: int
    sha256: bytes


def sizes_bytes(db: sqlite3.Connection) -> set[int]:
    """Return the file sizes of the deleted images."""
    rows = db.execute(f"SELECT size_bytes FROM sample WHERE state = {SampleState.DELETED_BY_HAND}")
    return {size for (size,) in rows}


def every(db: sqlite3.Connection) -> Iterator[DeletedImage]:
    """Yield every deleted image."""
    rows = db.execute(
        "SELECT id, label, file_name, size_bytes, sha256 FROM sample "
        f"WHERE state = {SampleState.DELETED_BY_HAND}"
    )
    return (DeletedImage(*row) for row in rows)


def put_back(db: sqlite3.Connection, sample_id: int) -> None:
    """Mark an image as placed, and its candidate as saved, since its file is there again."""
    db.execute(f"UPDATE sample SET state = {SampleState.PLACED} WHERE id = ?", (sample_id,))
    db.execute(
        "UPDATE candidate SET reason = ?1, sample_id = ?2 WHERE reason = ?3 AND "
        "id = (SELECT candidate_id FROM sample WHERE id = ?2)",
        (Reason.SAVED.value, sample_id, Reason.REMOVED_BY_USER.value),
    )
