"""Catalogs as earlier versions of pixtrawl wrote them: today's, with what came later taken back."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from pixtrawl.catalog.schema.tables import MIGRATIONS

_Parts = dict[tuple[str, str], str]


def downgrade(db: sqlite3.Connection, version: int) -> None:
    """Make it a catalog of that format: the tables, columns, indexes and triggers that it had."""
    with closing(sqlite3.connect(":memory:")) as earlier:
        for migration in MIGRATIONS[:version]:
            earlier.executescript(migration)
        had, has = _parts(earlier), _parts(db)
        _drop(db, [part for part in has if part[0] != "table" and has[part] != had.get(part)])
        _drop(db, [part for part in has if part[0] == "table" and part not in had])
        for kind, name in had:
            if kind == "table":
                for column in columns(db, name) - columns(earlier, name):
                    db.execute(f"ALTER TABLE {name} DROP COLUMN {column}")
        for part in had.keys() - _parts(db).keys():
            db.execute(had[part])
    db.execute(f"PRAGMA user_version = {version}")
    db.commit()


def _parts(db: sqlite3.Connection) -> _Parts:
    """SQL of each table, index and trigger by kind and name; those of SQLite itself have none."""
    rows = db.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    return {(kind, name): sql for kind, name, sql in rows if not name.startswith("sqlite_")}


def _drop(db: sqlite3.Connection, parts: list[tuple[str, str]]) -> None:
    for kind, name in parts:
        db.execute(f"DROP {kind} {name}")


def columns(db: sqlite3.Connection, table: str) -> set[str]:
    """Names of the columns of a table."""
    return {name for (name,) in db.execute("SELECT name FROM pragma_table_info(?)", (table,))}
