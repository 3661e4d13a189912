"""A cache of thumbnails in one file: bounded, and removable at any time.

A database of its own beside the catalog. One file a thumbnail would be a folder of images, which
loaders take for a class. Nothing depends on it, so it is written without syncs, and a damaged one
is begun anew.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Final

from pixtrawl.catalog.database import is_damage

__all__ = ["ThumbStore"]

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS thumb (sha256 BLOB NOT NULL, px INTEGER NOT NULL, "
    "made_at INTEGER NOT NULL, size_bytes INTEGER NOT NULL, data BLOB NOT NULL, "
    "PRIMARY KEY (sha256, px)) WITHOUT ROWID"
)
_TO_FREE: Final = 0.2  # of the bound, the oldest first


class ThumbStore:
    """Thumbnails by SHA-256 (hexadecimal) and side; not thread-safe.

    Where the file cannot be written, nothing is stored and nothing is found.
    """

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        """Use the file `path`, made at the first `put`. Never raises."""
        self._path = path
        self._max_bytes = max_bytes
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._size_bytes = 0

    def get(self, sha256: str, px: int) -> bytes | None:
        """Return a thumbnail, or None."""
        db = self._opened(create=False)
        if db is None:
            return None
        try:
            row = db.execute(
                "SELECT data FROM thumb WHERE sha256 = ? AND px = ?",
                (bytes.fromhex(sha256), px),
            ).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        return None if row is None else bytes(row[0])

    def put(self, sha256: str, px: int, data: bytes) -> None:
        """Store a thumbnail; remove the oldest ones where the bound is passed."""
        db = self._opened(create=True)
        if db is None:
            return
        try:
            db.execute(
                "INSERT OR REPLACE INTO thumb VALUES (?, ?, ?, ?, ?)",
                (bytes.fromhex(sha256), px, int(time.time()), len(data), data),
            )
            self._size_bytes += len(data)
            if self._size_bytes > self._max_bytes:
                self._make_room(db)
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()
        self._db = self._file = None

    def _opened(self, *, create: bool) -> sqlite3.Connection | None:
        try:
            found = self._path.stat()
            now: tuple[int, int] | None = (found.st_dev, found.st_ino)
        except OSError:
            now = None
        if self._db is not None and now != self._file:  # removed: a takedown does that
            self.close()
        if self._db is not None or (now is None and not create):
            return self._db
        try:
            self._db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            for pragma in ("busy_timeout = 2000", "journal_mode = MEMORY", "synchronous = OFF",
                           "cache_size = -1024", "auto_vacuum = FULL"):  # fmt: skip
                self._db.execute(f"PRAGMA {pragma}")
            self._db.execute(_SCHEMA)
            row = self._db.execute("SELECT coalesce(sum(size_bytes), 0) FROM thumb").fetchone()
            self._size_bytes = int(row[0])
            found = self._path.stat()
            self._file = (found.st_dev, found.st_ino)
        except sqlite3.Error as error:
            self._give_up(error)
        except OSError:  # removed in between
            self.close()
        return self._db

    def _make_room(self, db: sqlite3.Connection) -> None:
        rows = db.execute("SELECT sha256, px, size_bytes FROM thumb ORDER BY made_at").fetchall()
        target = self._max_bytes * (1 - _TO_FREE)
        for sha256, px, size_bytes in rows:
            if self._size_bytes <= target:
                break
            db.execute("DELETE FROM thumb WHERE sha256 = ? AND px = ?", (sha256, px))
            self._size_bytes -= size_bytes

    def _give_up(self, error: sqlite3.Error) -> None:
        """Close the file, and remove a damaged one; a busy or read-only one stays as it is."""
        self.close()
        if is_damage(error):
            try:
                self._path.unlink(missing_ok=True)
            except OSError:  # a read-only disk
                return
