"""Images that left the data set, with what the journal keeps of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.model import Reason

__all__ = ["Departed", "any_there", "every", "named"]

_COLUMNS: Final = (
    "lower(hex(s.sha256)), s.file_name, q.text, coalesce(c.fetched_url, c.url), s.state "
    "FROM sample s JOIN candidate c ON c.id = s.candidate_id JOIN query q ON q.id = s.query_id "
)
_KINDS: Final = {
    SampleState.DELETED_BY_HAND: "deleted",
    SampleState.TAKEN_DOWN: "taken",
    SampleState.WITHDRAWN: "refused",
}
_GONE: Final = (
    f"(s.state IN ({SampleState.DELETED_BY_HAND}, {SampleState.TAKEN_DOWN}) OR "
    f"s.state = {SampleState.WITHDRAWN} AND s.withdrawn_for = '{Reason.REFUSED_BY_PERSON.value}')"
)


class Departed(Struct, frozen=True):
    """One image; `sha256` is hexadecimal, `kind` is deleted, taken or refused ("" if kept)."""

    sha256: str
    file_name: str
    query: str
    url: str
    kind: str


def named(db: sqlite3.Connection, file_name: str) -> Departed | None:
    """Return the newest image that has or had this file name, or None."""
    row = db.execute(
        f"SELECT {_COLUMNS} WHERE s.label = ? AND s.file_name = ? ORDER BY s.id DESC LIMIT 1",
        (file_name.partition("/")[0], file_name),
    ).fetchone()
    return None if row is None else _departed(row)


def every(db: sqlite3.Connection) -> Iterator[Departed]:
    """Yield every image that was deleted, taken down or refused by a person."""
    for row in db.execute(f"SELECT {_COLUMNS} WHERE {_GONE} ORDER BY s.id"):
        yield _departed(row)


def any_there(db: sqlite3.Connection) -> bool:
    """Return whether any image was removed, or any takedown rule is there."""
    row = db.execute(
        f"SELECT 1 FROM sample s WHERE {_GONE} UNION ALL SELECT 1 FROM takedown LIMIT 1"
    ).fetchone()
    return row is not None


def _departed(row: tuple[str, str, str, str, int]) -> Departed:
    return Departed(*row[:4], _KINDS.get(SampleState(row[4]), ""))
