"""Whether the files made from the catalog lack changes of its images.

Triggers set the mark in the transaction that changes an image, so that a kill between the commit
and the writing of the files is noticed by the next command.
"""

from __future__ import annotations

import sqlite3

__all__ = ["clear", "is_stale", "set_stale"]


def is_stale(db: sqlite3.Connection) -> bool:
    """Return whether the files are to be written again; False in a catalog of an older version."""
    try:
        return db.execute("SELECT 1 FROM derived_stale").fetchone() is not None
    except sqlite3.OperationalError:  # of an older version, on a read-only medium
        return False


def set_stale(db: sqlite3.Connection) -> None:
    """Note that the files are to be written again."""
    db.execute("INSERT OR IGNORE INTO derived_stale VALUES (0)")


def clear(db: sqlite3.Connection) -> None:
    """Note that the files are current; call in the transaction in which they were written."""
    db.execute("DELETE FROM derived_stale")
