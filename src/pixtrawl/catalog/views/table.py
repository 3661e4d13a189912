"""A narrow temporary copy of the images' columns, by which a person filters and sorts them.

A row of `sample` is 5 KB (it holds a thumbnail), so a filter over 100,000 of them would read half a
gigabyte. The copy has about 200 bytes a row, belongs to one connection, lives in SQLite's temporary
file, and is brought up to date with what changed before each use: in parts, where that is much.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from array import array
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from pixtrawl.catalog.decisions.recorded import DecisionState
from pixtrawl.catalog.id_array import id_array
from pixtrawl.catalog.schema.states import KEPT, SampleState
from pixtrawl.catalog.scores import columns as scores
from pixtrawl.catalog.views.filter import LookFilter, LookSort, look_conditions
from pixtrawl.model import Reason

__all__ = ["LookTable", "kept_ids", "marked_ids"]

_STEP: Final = (1, 1e-6)  # bars do not overlap: bounds are inclusive, pixels whole numbers
_PLAIN: Final = ("width", "height", "size_bytes", "aspect")
_REFUSED: Final = (
    f"s.state = {SampleState.WITHDRAWN} AND s.withdrawn_for = '{Reason.REFUSED_BY_PERSON.value}'"
)
# Numbers that change where an image of a label comes, goes, or gets another number.
_SEALS: Final = (
    "SELECT label, sum(n), sum(a), sum(b), sum(c) FROM (SELECT label, count(*) AS n, "
    "sum(id) AS a, sum(number) AS b, sum(id * number % 1000003) AS c FROM sample "
    f"INDEXED BY sample_kept WHERE state IN {KEPT} GROUP BY label UNION ALL "
    "SELECT label, 0, 0, 0, sum(-id * id % 1000003) FROM look_refused GROUP BY label) "
    "GROUP BY label"
)
_MARKED: Final = (
    "SELECT j.value FROM decision d, json_each(d.note, '$.samples') j "
    f"WHERE d.state = {DecisionState.HOLDS} AND "
    "json_extract(d.line, '$.action') IN ('keep', 'restore')"
)

_DECISION: Final = (
    "CASE WHEN {id} IN (SELECT id FROM look_refused) THEN 2 "
    "ELSE {id} IN (SELECT id FROM look_marked) END"
)
_CACHE_KB: Final = 4096  # of the copy; the system has the rest in its cache


def marked_ids(db: sqlite3.Connection) -> frozenset[int]:
    """Return the images that a person marked as wanted, or brought back."""
    return frozenset(row[0] for row in db.execute(_MARKED))


def kept_ids(db: sqlite3.Connection) -> array[int]:
    """Return the kept images by number, from an index alone: a first view of any size is quick."""
    return id_array(
        db,
        f"SELECT id FROM sample INDEXED BY sample_kept WHERE state IN {KEPT} ORDER BY number, id",
    )


class LookTable:
    """The copy of one catalog's columns; not thread-safe."""

    def __init__(self, db: sqlite3.Connection, measures: Sequence[str]) -> None:
        """Create the empty table in `db`, a connection of its own. `measures` are our own names."""
        self._db = db
        self._measures = tuple(measures)
        self._version = -1
        self._seals: dict[str, tuple[int, ...]] = {}  # what changes with the images of a label
        self._left = 0  # new images that are not in the copy yet
        measured = "".join(f", {name} REAL" for name in measures)
        db.execute(f"PRAGMA temp.cache_size = -{_CACHE_KB}")
        db.execute(
            "CREATE TEMP TABLE look (id INTEGER PRIMARY KEY, label TEXT, number INTEGER, "
            "decision INTEGER, source TEXT, host TEXT, licence TEXT, width INTEGER, "
            f"height INTEGER, size_bytes INTEGER, aspect REAL, hour TEXT{measured})"
        )
        db.execute("CREATE TEMP TABLE look_text (id INTEGER PRIMARY KEY, words TEXT)")
        db.execute("CREATE TEMP TABLE look_new (id INTEGER PRIMARY KEY)")
        db.execute("CREATE TEMP TABLE look_part (id INTEGER PRIMARY KEY)")
        db.execute("CREATE TEMP TABLE look_marked (id INTEGER PRIMARY KEY)")
        db.execute("CREATE TEMP TABLE look_refused (id INTEGER PRIMARY KEY, label TEXT)")

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

    def update(self, *, most: int | None = None) -> float:
        """Take over all changes of the catalog; nearly free where there are none.

        With `most` take over at most so many new images: call again for the others. Return the
        share of the images that are in the copy.
        """
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        if version == self._version and not self._left:
            return 1.0
        seals = self._seals
        self._db.execute("BEGIN")
        try:
            if version != self._version:
                seals = self._follow()
            left = self._add(most)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._version, self._seals, self._left = version, seals, left
        return 1 - left / max(sum(seal[0] for seal in seals.values()), left, 1)

    def _follow(self) -> dict[str, tuple[int, ...]]:
        """Take over changes of the images that are there, and note the new ones, of those labels
        whose images have changed. Return the seals of all labels.
        """
        db = self._db
        db.execute("DELETE FROM look_refused")
        db.execute(f"INSERT INTO look_refused SELECT s.id, s.label FROM sample s WHERE {_REFUSED}")
        seals = {label: tuple(seal) for label, *seal in db.execute(_SEALS)}
        labels = {
            label for label in seals.keys() | self._seals.keys()
            if seals.get(label) != self._seals.get(label)
        }  # fmt: skip
        if labels:
            self._follow_labels(json.dumps(sorted(labels)))
        self._mark_decisions()
        return seals

    def _follow_labels(self, labels: str) -> None:
        db = self._db
        named = "(SELECT value FROM json_each(?1))"
        kept = f"sample s INDEXED BY sample_kept WHERE s.state IN {KEPT} AND s.label IN {named}"
        there = f"SELECT s.id FROM {kept} UNION ALL SELECT id FROM look_refused"
        db.execute(f"DELETE FROM look WHERE label IN {named} AND id NOT IN ({there})", (labels,))
        db.execute("DELETE FROM look_text WHERE id NOT IN (SELECT id FROM look)")
        db.execute(f"INSERT OR IGNORE INTO look_new {there} EXCEPT SELECT id FROM look", (labels,))
        db.execute(
            "UPDATE look SET label = s.label, number = s.number FROM "
            f"(SELECT s.id, s.label, s.number FROM {kept}) s "
            "WHERE s.id = look.id AND (s.label <> look.label OR s.number <> look.number)",
            (labels,),
        )

    def _add(self, most: int | None) -> int:
        """Copy at most so many of the new images, the first by row; return how many are left."""
        db = self._db
        db.execute(
            "INSERT INTO look_part SELECT id FROM look_new ORDER BY id LIMIT ?",
            (-1 if most is None else most,),
        )
        new = (  # some may have gone since they were noted
            "look_part p CROSS JOIN sample s ON s.id = p.id JOIN candidate c "
            f"ON c.id = s.candidate_id WHERE s.state IN {KEPT} OR p.id IN (SELECT id FROM "
            "look_refused)"
        )
        measured = "".join(f", json_extract(s.measures, '$.{one}')" for one in self._measures)
        db.execute(
            "INSERT INTO look_text SELECT s.id, lower(coalesce(c.title, '') || char(10) || "
            "coalesce(c.page_url, '') || char(10) || c.url || char(10) || s.file_name) "
            f"FROM {new}"
        )
        db.execute(
            f"INSERT INTO look SELECT s.id, s.label, s.number, {_DECISION.format(id='s.id')}, "
            "c.source, c.host, coalesce(c.license, ''), s.width, s.height, s.size_bytes, "
            f"CAST(s.width AS REAL) / s.height, substr(s.fetched_at, 1, 13){measured} FROM {new}"
        )
        db.execute("DELETE FROM look_new WHERE id IN (SELECT id FROM look_part)")
        db.execute("DELETE FROM look_part")
        (left,) = db.execute("SELECT count(*) FROM look_new").fetchone()
        return int(left)

    def _mark_decisions(self) -> None:
        db = self._db
        db.execute("DELETE FROM look_marked")
        db.execute(f"INSERT OR IGNORE INTO look_marked {_MARKED}")
        decision = _DECISION.format(id="id")
        db.execute(f"UPDATE look SET decision = {decision} WHERE decision <> {decision}")

    def ids(self, wanted: LookFilter, sort: LookSort) -> array[int]:
        """Return the rows that match, in order. Raise ValueError for an unknown measure."""
        conditions = look_conditions(wanted, self.columns)
        return id_array(
            self._db,
            f"SELECT id FROM look WHERE {conditions.sql} ORDER BY {self._order(sort)}",
            conditions.values,
        )

    def histogram(self, name: str, edges: Sequence[float]) -> list[tuple[float, float | None, int]]:
        """Return lower and upper edge, and the kept images between, of each bar.

        The last bar is open (None). Raise ValueError for an unknown measure.
        """
        value = self.columns.get(name)
        if value is None:
            raise ValueError(f"{name!r} is no measure of this data set")
        step = _STEP[name == "aspect"]
        bars = [(low, high - step) for low, high in pairwise(edges)]
        within = [f"sum({value} BETWEEN ? AND ?)" for _ in bars]
        counts = self._db.execute(
            f"SELECT {', '.join([*within, f'sum({value} >= ?)'])} FROM look WHERE decision < 2",
            [*(bound for bar in bars for bound in bar), edges[-1]],
        ).fetchone()
        return [(*bar, n or 0) for bar, n in zip([*bars, (edges[-1], None)], counts, strict=True)]

    def sources_over_time(self) -> list[dict[str, object]]:
        """Return for each source and hour how many of the kept images it found first."""
        rows = self._db.execute(
            "SELECT hour, source, count(*) FROM look WHERE decision < 2 GROUP BY 1, 2 ORDER BY 1, 2"
        )
        return [{"hour": hour, "source": source, "n": n} for hour, source, n in rows]

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
