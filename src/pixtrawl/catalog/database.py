"""The SQLite catalog: opened once, written by one thread, one transaction per unit of work.

"Who writes?" has a one-word answer: the catalog's own thread. Others hand it a function
(`await catalog.write(function)`) which gets the connection inside `BEGIN IMMEDIATE` and whose
result comes back; an exception rolls all of it back.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pixtrawl.catalog.schema import MIGRATIONS, migrate
from pixtrawl.errors import StorageError

T = TypeVar("T")

_COMMON = (
    "PRAGMA busy_timeout = 10000",
    "PRAGMA temp_store = FILE",  # a sort of a million URLs spills to disk and not into memory
    # 4 MiB: with 32 a list of 1,000,000 URLs held 141 MB and was no faster (the kernel has the
    # pages of the key index, too).
    "PRAGMA cache_size = -4096",
)
# Durability against kill -9 needs no fsync per commit: WAL pages survive the process. A power cut
# may lose the newest commits, never the file's consistency (sqlite.org/wal.html, "NORMAL").
_WRITING = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    *_COMMON,
)


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with our pragmas. Raises StorageError with the reason."""
    try:
        if read_only:
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False
            )
        else:
            connection = sqlite3.connect(path, check_same_thread=False)
    except sqlite3.Error as error:
        raise StorageError(f"cannot open the catalog {path}: {error}") from error
    connection.isolation_level = None
    try:
        for pragma in _COMMON if read_only else _WRITING:
            connection.execute(pragma)
    except sqlite3.Error as error:
        connection.close()
        raise StorageError(f"cannot use the catalog {path}: {error}") from error
    return _of_today(connection, path) if read_only else connection


def _of_today(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """An older catalog that is only read is brought up to date, or a copy where it cannot be."""
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if not 0 < version < len(MIGRATIONS):
            return connection
        try:
            with contextlib.closing(connect(path)) as writable:
                migrate(writable)
        except (StorageError, sqlite3.Error):  # a read-only disk, somebody else's folder
            return _migrated_copy(connection)
    except sqlite3.DatabaseError:  # a damaged one is told of by whoever reads it
        return connection
    return connection


def _migrated_copy(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A private copy of today's version; the original is closed once there is one."""
    copy = sqlite3.connect("", check_same_thread=False, isolation_level=None)
    try:
        connection.backup(copy)
        migrate(copy)
    except BaseException:
        copy.close()
        raise
    connection.close()
    return copy


@contextlib.contextmanager
def savepoint(db: sqlite3.Connection) -> Iterator[None]:
    """A part of a transaction that is undone alone where it raises."""
    db.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if db.in_transaction:  # SQLite itself undoes all of it where the disk is full
            db.execute("ROLLBACK TO part")
            db.execute("RELEASE part")
        raise
    db.execute("RELEASE part")


def integrity_fault(db: sqlite3.Connection) -> str | None:
    """What SQLite finds wrong with the file, or None; it looks at every page but not at indexes."""
    (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
    return None if said == "ok" else str(said)


def write_log_in(path: Path) -> None:
    """Moves the newest rows from the log beside the catalog into its file.

    Raises StorageError where another process reads it, or it is damaged.
    """
    try:
        with contextlib.closing(connect(path)) as db:
            ((busy, *_),) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.DatabaseError as error:
        raise StorageError(f"the catalog {path} is damaged: {error}") from error
    if busy:
        raise StorageError(f"the catalog {path} is being read by another process; wait for it")


def _create(path: Path) -> None:
    """An empty catalog appears whole: one killed half-way would be no catalog to any reader.

    It is in WAL mode from the start. The switch to it goes through a rollback journal, and one left
    by a kill is more than a reader may mend (sqlite.org, SQLITE_READONLY_ROLLBACK).
    """
    part = path.with_name(f"{path.name}.tmp")  # a temporary name to folder/layout.py, too
    try:
        for left in part.parent.glob(f"{part.name}*"):  # with -journal, -wal, -shm
            left.unlink()
        with contextlib.closing(connect(part)) as connection:
            migrate(connection)
        part.replace(path)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"cannot create the catalog {path}: {error}") from error


class Catalog:
    """One open catalog and its writer thread."""

    def __init__(self, path: Path) -> None:
        if not path.exists() or path.stat().st_size == 0:
            _create(path)
        self._connection = connect(path)
        try:
            migrate(self._connection)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise StorageError(f"the catalog {path} is damaged: {error}") from error
        except BaseException:
            self._connection.close()
            raise
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="catalog")
        self._closed = False

    async def write(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `function` in one transaction on the writer thread."""
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._thread, self.write_now, function)
        # A cancelled caller must not leave before the transaction is over: whoever is told
        # "cancelled" may close the catalog next.
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    def write_now(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """The same in the calling thread; for start-up and for the writer thread itself."""
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = function(connection)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise StorageError(f"the catalog cannot be written: {error}") from error
        return result

    async def call(self, function: Callable[[], T]) -> T:
        """Runs file work on the writer thread, in order with the transactions around it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def close(self) -> None:
        """Waits for the writer and closes; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._thread.shutdown(wait=True)
        with contextlib.suppress(sqlite3.Error):
            # The last connection does this as it closes. A reader's that is kept open elsewhere
            # must not be why the newest rows are in the log only, which a copy may leave behind.
            self._connection.execute("PRAGMA busy_timeout = 200")  # ms: readers are not waited for
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
