"""New catalogs are copies of one that was migrated once in each process, or before it was forked.

Most tests of data sets begin with a new catalog. Making its tables by all migrations takes some ten
milliseconds of processor time, a copy of them two. A catalog that has tables is migrated as ever
(`tests/catalog` tests the migrations themselves).
"""

from __future__ import annotations

import sqlite3
from functools import cache

from pixtrawl.catalog import database
from pixtrawl.catalog.rebuild import described
from pixtrawl.catalog.schema.tables import migrate


@cache
def made() -> sqlite3.Connection:
    """Return a new catalog in memory."""
    catalog = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    migrate(catalog)
    return catalog


def migrate_or_copy(connection: sqlite3.Connection) -> None:
    """Be `migrate`."""
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,):
        made().backup(connection)
    else:
        migrate(connection)


def use() -> None:
    """Let this process, and those forked from it, make their catalogs so."""
    made()
    for module in (database, described):
        vars(module)["migrate"] = migrate_or_copy
