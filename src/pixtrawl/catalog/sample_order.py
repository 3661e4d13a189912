"""The kept images in the order of label and number: ids, counts, labels, files."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Final

import msgspec
from msgspec import Struct

from pixtrawl.catalog.sample_columns import in_sql
from pixtrawl.catalog.schema.states import KEPT

__all__ = ["EVERY", "Only", "chosen", "counts", "files", "firsts", "ids", "labels", "of_rows"]

_FIRST: Final = itemgetter(0)
_IDS: Final = "s.id IN (SELECT value FROM json_each(?))"


class Only(Struct, frozen=True):
    """A selection of the kept images: SQL to append to a WHERE clause, and its values."""

    sql: str = ""
    values: tuple[str, ...] = ()

    def but(self, missing: Iterable[int]) -> Only:
        """Return the selection without some rows."""
        rows = sorted(missing)
        return Only(f"{self.sql} AND NOT {_IDS}", (*self.values, _json(rows))) if rows else self


EVERY: Final = Only()


def of_queries(query_ids: Iterable[int]) -> Only:
    """Select the images of these queries, by their rows."""
    return Only(" AND s.query_id IN (SELECT value FROM json_each(?))", (_json(list(query_ids)),))


def of_rows(sample_ids: Sequence[int]) -> Only:
    """Select these rows."""
    return Only(f" AND {_IDS}", (_json(sample_ids),))


def ids(db: sqlite3.Connection, only: Only) -> array[int]:
    """Return the ids of the selected images in order, 8 bytes each."""
    rows = db.execute(
        f"SELECT s.id FROM sample s WHERE s.state IN {KEPT}{only.sql} ORDER BY s.label, s.number",
        only.values,
    )
    return array("q", map(_FIRST, rows))


def counts(db: sqlite3.Connection, only: Only) -> dict[str, int]:
    """Return the number of selected images by label, sorted."""
    rows = db.execute(
        f"SELECT s.label, count(*) FROM sample s WHERE s.state IN {KEPT}{only.sql} "
        "GROUP BY 1 ORDER BY 1",
        only.values,
    )
    return dict(rows.fetchall())


def labels(db: sqlite3.Connection, only: Only) -> list[str]:
    """Return the labels of the selected images, sorted."""
    rows = db.execute(
        f"SELECT DISTINCT s.label FROM sample s WHERE s.state IN {KEPT}{only.sql} ORDER BY 1",
        only.values,
    )
    return [row[0] for row in rows]


def files(db: sqlite3.Connection, sample_ids: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Return file name and label of each row in this order; leave out rows that are not kept."""
    rows = db.execute(
        f"SELECT s.id, s.file_name, s.label FROM sample s WHERE s.state IN {KEPT} AND {_IDS}",
        (_json(sample_ids),),
    )
    found = {row[0]: (row[1], row[2]) for row in rows}
    return (found[one] for one in sample_ids if one in found)


def chosen(
    db: sqlite3.Connection, conditions: Mapping[str, object]
) -> tuple[frozenset[int] | None, dict[str, object]]:
    """Return the rows that match the conditions with an SQL form, and the other conditions.

    Conditions are those of `Dataset.filter`, such as `width__ge`. None instead of rows: no
    condition has an SQL form.
    """
    found = in_sql(conditions)
    if not found.terms:
        return None, found.rest
    terms = "".join(f" AND {term}" for term in found.terms)
    # Only a condition on the label picks rows by an index. For others SQLite would go through an
    # index that covers nothing, and fetch each row of the table by itself.
    scan = "" if any(name.partition("__")[0] == "label" for name in conditions) else " NOT INDEXED"
    rows = db.execute(
        f"SELECT s.id FROM sample s{scan} WHERE s.state IN {KEPT}{terms}",
        found.values,
    )
    return frozenset(map(_FIRST, rows)), found.rest


def firsts(db: sqlite3.Connection, only: Only, count: int) -> frozenset[int]:
    """Return at most `count` rows, spread evenly over the labels."""
    ranked = (
        "SELECT s.id, s.label, row_number() OVER (PARTITION BY s.label ORDER BY s.number) "
        f"AS place FROM sample s WHERE s.state IN {KEPT}{only.sql}"
    )
    rows = db.execute(
        f"SELECT id FROM ({ranked}) ORDER BY place, label LIMIT {count:d}",
        only.values,
    )
    return frozenset(row[0] for row in rows)


def _json(numbers: Sequence[int]) -> str:
    return msgspec.json.encode(list(numbers)).decode()
