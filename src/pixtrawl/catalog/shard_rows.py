"""Rows of a set of shards while duplicates are looked for: sorted on disk, and who became what.

The spool is a file of its own; `judged` stands beside the tables of a catalog that is thrown away.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pixtrawl.catalog.sample_columns import COLUMNS, in_sql

__all__ = ["RowFilter", "RowSpool", "add_judged", "create_judged", "places_of", "verdicts"]

_VERDICTS: Final = (
    "SELECT j.row, j.shard, c.reason, o.row, c.distance, c.detail FROM judged j "
    "JOIN candidate c ON c.id = j.candidate LEFT JOIN sample s ON s.id = c.sample_id "
    "LEFT JOIN judged o ON o.candidate = s.candidate_id WHERE c.reason <> 'saved' ORDER BY j.row"
)
_OF_SAMPLE: Final = (
    "SELECT j.row FROM sample s JOIN judged j ON j.candidate = s.candidate_id WHERE s.id = ?"
)
_COLUMNS: Final = ("row", "shard", "reason", "of_row", "distance", "detail")


class RowSpool:
    """Packed rows by number, in a file that any thread may open."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; "
            "CREATE TABLE spooled (row INTEGER PRIMARY KEY, shard TEXT, body BLOB)"
        )

    def add(self, shard: str, rows: Iterable[tuple[int, bytes]]) -> None:
        """Add the rows of a shard."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO spooled VALUES (?, ?, ?)", ((row, shard, body) for row, body in rows)
        )
        self._db.execute("COMMIT")

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Yield shard and body, by number."""
        yield from self._db.execute("SELECT shard, body FROM spooled ORDER BY row")

    def body(self, row: int) -> bytes:
        """Return the body of a row."""
        found = self._db.execute("SELECT body FROM spooled WHERE row = ?", (row,)).fetchone()
        return bytes(found[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()


class RowFilter:
    """Conditions of `Dataset.filter` on rows that stand in no catalog.

    They are checked by the same SQL as those on a catalog, in a table of one shard.
    """

    def __init__(self, conditions: Mapping[str, object]) -> None:
        found = in_sql(conditions)
        self.rest = found.rest  # have no form in SQL
        self._where, self._values = " AND ".join(found.terms), found.values
        self._db = sqlite3.connect(":memory:")
        self._db.execute(f"CREATE TABLE shard (place INTEGER PRIMARY KEY, {', '.join(COLUMNS)})")

    @property
    def is_empty(self) -> bool:
        """Whether no condition has a form in SQL."""
        return not self._where

    def matching(self, rows: Iterable[tuple[object, ...]]) -> list[int]:
        """Return the places of the rows that match, from 0. A row holds `COLUMNS`."""
        self._db.execute("DELETE FROM shard")
        places = ((place, *row) for place, row in enumerate(rows))
        marks = ", ".join("?" * (len(COLUMNS) + 1))
        self._db.executemany(f"INSERT INTO shard VALUES ({marks})", places)
        found = self._db.execute(
            f"SELECT place FROM shard s WHERE {self._where} ORDER BY place", self._values
        )
        return [row[0] for row in found]

    def close(self) -> None:
        """Free the table."""
        self._db.close()


def create_judged(db: sqlite3.Connection) -> None:
    """Make the table of the rows that were decided on."""
    db.execute("CREATE TABLE judged (candidate INTEGER PRIMARY KEY, row INTEGER, shard TEXT)")


def add_judged(db: sqlite3.Connection, candidate_id: int, row: int, shard: str) -> None:
    """Note the row and the shard of a candidate."""
    db.execute("INSERT INTO judged VALUES (?, ?, ?)", (candidate_id, row, shard))


def places_of(
    db: sqlite3.Connection, sample_ids: Iterable[int], candidate_ids: Iterable[int]
) -> tuple[dict[int, int], dict[int, int]]:
    """Return the row of each sample, and of each candidate."""
    of_candidate = "SELECT row FROM judged WHERE candidate = ?"
    return (
        {one: int(db.execute(_OF_SAMPLE, (one,)).fetchone()[0]) for one in sample_ids},
        {one: int(db.execute(of_candidate, (one,)).fetchone()[0]) for one in candidate_ids},
    )


def verdicts(db: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """Yield the rows that were not kept: why, and the row of the image that stands for them."""
    for found in db.execute(_VERDICTS):
        yield dict(zip(_COLUMNS, found, strict=True))
