"""Read-only access to a catalog, with one cached connection per process and thread.

Opening a connection costs a hundred times as much as reading a row. A connection must not be used
across a fork, and threads that share one would wait for each other.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, Final, TypeVar

from pixtrawl.catalog.database import connect

__all__ = ["Reader", "data_version"]

T = TypeVar("T")

# Connections inherited by a fork. Closing one counts as using it, so they stay open.
_inherited: Final[list[sqlite3.Connection]] = []


class Reader:
    """Read access to a catalog; opened on first use.

    It may be pickled, forked and shared by threads: each process and thread has a connection of its
    own. A connection is reopened where the catalog file was replaced by another.
    """

    def __init__(self, cache_kb: int = 0) -> None:
        """Read with a page cache of so many KiB for each connection; 0: as elsewhere."""
        self._local = threading.local()
        self._cache_kb = cache_kb

    def __reduce__(self) -> tuple[type[Reader], tuple[int]]:
        return Reader, (self._cache_kb,)

    def connection(self, catalog: Path) -> sqlite3.Connection:
        """Return the connection of this thread. Raise StorageError where it cannot be opened."""
        return self._kept(catalog).db

    def once(self, catalog: Path, name: Hashable, read: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `read`, cached under `name` until the catalog changes."""
        kept = self._kept(catalog)
        # Another connection's commit changes it (sqlite.org/pragma.html#pragma_data_version).
        version = data_version(kept.db)
        if version != kept.version:
            kept.version = version
            kept.known.clear()
        if name not in kept.known:
            kept.known[name] = read(kept.db)
        found: T = kept.known[name]
        return found

    def close(self) -> None:
        """Close the connection of this thread; the next use opens another."""
        self._local.__dict__.pop("kept", None)

    def _kept(self, catalog: Path) -> _KeptConnection:
        try:
            found = os.stat(catalog)  # noqa: PTH116 - on every read, so the fast call
            file = (found.st_dev, found.st_ino)
        except OSError:
            file = (0, 0)  # `connect` raises with the reason
        kept: _KeptConnection | None = getattr(self._local, "kept", None)
        if kept is None or kept.process != os.getpid() or kept.file != file:
            db = connect(catalog, read_only=True)
            if self._cache_kb:
                db.execute(f"PRAGMA cache_size = -{self._cache_kb:d}")
            kept = self._local.kept = _KeptConnection(db, file)
        return kept


def data_version(db: sqlite3.Connection) -> int:
    """Return a number that changes with each commit of another connection."""
    return int(db.execute("PRAGMA data_version").fetchone()[0])


class _KeptConnection:
    """A connection, and the results cached since the catalog last changed."""

    def __init__(self, db: sqlite3.Connection, file: tuple[int, int]) -> None:
        self.db = db
        self.file = file
        self.process = os.getpid()
        self.version = -1
        self.known: dict[Hashable, Any] = {}

    def __del__(self) -> None:
        if self.process == os.getpid():
            self.db.close()
        else:
            _inherited.append(self.db)
