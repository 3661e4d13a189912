"""A narrow temporary copy of the images' columns, by which a person filters and sorts them.

A row of `sample` is 5 KB (it holds a thumbnail), so a filter over 100,000 of them would read half a
gigabyte. The copy has about 200 bytes a row, belongs to one connection, lives in SQLite's temporary
file, and is brought up to date with what changed before each use.
"""

from __future__ import annotations

import sqlite3
import zlib
from array import array
from collections.abc import Mapping, Sequence
from typing import Final

from pixtrawl.catalog import scores
from pixtrawl.catalog.decisions import DecisionState
from pixtrawl.catalog.look_filter import LookFilter, LookSort, look_conditions
from pixtrawl.catalog.states import KEPT, SampleState
from pixtrawl.model import Reason

__all__ = ["LookTable", "kept_ids", "marked_ids"]

_STEP: Final = (1, 1e-6)  # bars do not overlap: bounds are inclusive, pixels whole numbers
_PLAIN: Final = ("width", "height", "size_bytes", "aspect")
_REFUSED: Final = (
    f"s.state = {SampleState.WITHDRAWN} AND s.withdrawn_for = '{Reason.REFUSED_BY_PERSON.value}'"
)

_MARKED: Final = (
    "SELECT j.value FROM decision d, json_each(d.note, '$.samples') j "
    f"WHERE d.state = {DecisionState.HOLDS} AND "
    "json_extract(d.line, '$.action') IN ('keep', 'restore')"
)


def marked_ids(db: sqlite3.Connection) -> frozenset[int]:
    """Return the images that a person marked as wanted, or brought back."""
    return frozenset(row[0] for row in db.execute(_MARKED))


def kept_ids(db: sqlite3.Connection) -> array[int]:
    """Return the kept images by number, from an index alone: a first view of any size is quick."""
    rows = db.execute(
        f"SELECT id FROM sample INDEXED BY sample_kept WHERE state IN {KEPT} ORDER BY number, id"
    )
    return array("I", (row[0] for row in rows))


class LookTable:
    """The copy of one catalog's columns; not thread-safe."""

    def __init__(self, db: sqlite3.Connection, measures: Sequence[str]) -> None:
        """Create the empty table in `db`, a connection of its own. `measures` are our own names."""
        self._db = db
        self._measures = tuple(measures)
        self._version = -1
        measured = "".join(f", {name} REAL" for name in measures)
        db.execute("PRAGMA temp.cache_size = -16384")
        db.execute(
            "CREATE TEMP TABLE look (id INTEGER PRIMARY KEY, label TEXT, number INTEGER, "
            "decision INTEGER, source TEXT, host TEXT, licence TEXT, width INTEGER, "
            f"height INTEGER, size_bytes INTEGER, aspect REAL{measured})"
        )
        db.execute("CREATE TEMP TABLE look_text (id INTEGER PRIMARY KEY, words TEXT)")
        db.execute("CREATE TEMP TABLE look_marked (id INTEGER PRIMARY KEY)")

    @property
    def columns(self) -> Mapping[str, str]:
        """SQL of each measure by its name; scores by models are read where they are."""
        found = {name: name for name in (*_PLAIN, *self._measures)}
        for one in scores.columns(self._db):
            if one.type != "text":
                found.setdefault(
                    one.name,
                    "(SELECT v.value FROM main.score v WHERE v.sample_id = look.id "
                    f"AND v.column_id = {one.id:d})",
                )
        return found

    def update(self) -> None:
        """Take over all changes of the catalog; nearly free where there are none."""
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return
        self._db.execute("BEGIN")
        try:
            self._follow()
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._version = version

    def _follow(self) -> None:
        db = self._db
        there = (
            f"SELECT id FROM sample s WHERE s.state IN {KEPT} UNION ALL "
            f"SELECT id FROM sample s WHERE {_REFUSED}"
        )
        db.execute(f"DELETE FROM look WHERE id NOT IN ({there})")
        db.execute("DELETE FROM look_text WHERE id NOT IN (SELECT id FROM look)")
        new = f"(s.state IN {KEPT} OR {_REFUSED}) AND s.id IN ({there} EXCEPT SELECT id FROM look)"
        measured = "".join(f", json_extract(s.measures, '$.{one}')" for one in self._measures)
        db.execute(
            "INSERT INTO look_text SELECT s.id, lower(coalesce(c.title, '') || char(10) || "
            "coalesce(c.page_url, '') || char(10) || c.url || char(10) || s.file_name) "
            f"FROM sample s JOIN candidate c ON c.id = s.candidate_id WHERE {new}"
        )
        db.execute(
            "INSERT INTO look SELECT s.id, s.label, s.number, 0, c.source, c.host, "
            "coalesce(c.license, ''), s.width, s.height, s.size_bytes, "
            f"CAST(s.width AS REAL) / s.height{measured} "
            f"FROM sample s JOIN candidate c ON c.id = s.candidate_id WHERE {new}"
        )
        db.execute(
            "UPDATE look SET label = s.label, number = s.number FROM sample s "
            "INDEXED BY sample_kept "
            f"WHERE s.id = look.id AND s.state IN {KEPT} AND "
            "(s.label <> look.label OR s.number <> look.number)"
        )
        self._mark_decisions()

    def _mark_decisions(self) -> None:
        db = self._db
        db.execute("DELETE FROM look_marked")
        db.execute(f"INSERT OR IGNORE INTO look_marked {_MARKED}")
        decision = (
            f"CASE WHEN id IN (SELECT s.id FROM sample s WHERE {_REFUSED}) THEN 2 "
            "ELSE id IN (SELECT id FROM look_marked) END"
        )
        db.execute(f"UPDATE look SET decision = {decision} WHERE decision <> {decision}")

    def ids(self, wanted: LookFilter, sort: LookSort) -> array[int]:
        """Return the rows that match, in order. Raise ValueError for an unknown measure."""
        conditions = look_conditions(wanted, self.columns)
        rows = self._db.execute(
            f"SELECT id FROM look WHERE {conditions.sql} ORDER BY {self._order(sort)}",
            conditions.values,
        )
        return array("I", (row[0] for row in rows))

    def histogram(self, name: str, edges: Sequence[float]) -> list[tuple[float, float | None, int]]:
        """Return lower and upper edge, and the kept images between, of each bar.

        The last bar is open (None). Raise ValueError for an unknown measure.
        """
        value = self.columns.get(name)
        if value is None:
            raise ValueError(f"{name!r} is no measure of this data set")
        found: list[tuple[float, float | None, int]] = []
        for low, high in zip(edges, (*edges[1:], None), strict=True):
            below = "" if high is None else f" AND {value} <= ?"
            bounds = (low,) if high is None else (low, high - _STEP[name == "aspect"])
            (n,) = self._db.execute(
                f"SELECT count(*) FROM look WHERE decision < 2 AND {value} >= ?{below}", bounds
            ).fetchone()
            found.append((low, None if high is None else bounds[-1], n))
        return found

    def _order(self, sort: LookSort) -> str:
        way = "DESC" if sort.descending else "ASC"
        if sort.by in {"number", "similar", "outlier"}:  # the caller orders by the last two
            return f"number {way}, id {way}"
        if sort.by == "newest":
            return f"id {'ASC' if sort.descending else 'DESC'}"
        if sort.by == "random":
            return f"(id * 2654435761 + {zlib.crc32(b'random')}) % 4294967291 {way}, id"
        value = self.columns.get(sort.by)
        if value is None:
            raise ValueError(f"images cannot be sorted by {sort.by!r}")
        return f"{value} {way} NULLS LAST, number, id"

    def close(self) -> None:
        """Close the connection."""
        self._db.close()
