"""The SQLite catalog: opened once, written by one thread, one transaction per unit of work.

Only the catalog's own thread writes. Callers pass it a function (`await catalog.write(function)`),
which is called with the connection inside `BEGIN IMMEDIATE`. Its result is returned; an exception
rolls the transaction back.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from pixtrawl import durable
from pixtrawl.catalog.schema.tables import MIGRATIONS, migrate, require_readable
from pixtrawl.errors import StorageError

T = TypeVar("T")

_FOREIGN = "not a catalog of pixtrawl"

_COMMON = (
    "PRAGMA busy_timeout = 10000",
    "PRAGMA temp_store = FILE",  # a sort of a million URLs spills to disk and not into memory
    # 4 MiB: with 32 MiB a list of 1,000,000 URLs took 141 MB and was no faster (the kernel caches
    # the pages of the key index, too).
    "PRAGMA cache_size = -4096",
)
# Surviving kill -9 needs no fsync per commit: pages of the write-ahead log outlive the process. A
# power cut may lose the newest of these commits, but never the file's consistency
# (sqlite.org/wal.html, "NORMAL"). Commits that files depend on are synced: `Catalog.write_now`.
_WRITING = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA fullfsync = ON",  # macOS: through the drive's cache; no effect elsewhere
    "PRAGMA checkpoint_fullfsync = ON",
    *_COMMON,
)


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a connection and set its pragmas; with `read_only`, migrate an older catalog as well.

    Raise StorageError where it cannot be opened or used.
    """
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
        if read_only:
            _require_catalog(connection)
    except sqlite3.Error as error:
        connection.close()
        raise unusable(path, error) from error
    except StorageError:
        connection.close()
        raise
    return _of_today(connection, path) if read_only else connection


def _require_catalog(connection: sqlite3.Connection) -> None:
    """Raise DatabaseError for another program's database, StorageError for a newer catalog."""
    if require_readable(connection) == 0:  # a new catalog gets its name with its version only
        raise sqlite3.DatabaseError(_FOREIGN)


def unusable(path: Path | None, error: sqlite3.Error) -> StorageError:
    """Return the error for a catalog that cannot be used; a damaged one names the next step."""
    name = "of the data set" if path is None else str(path)
    if is_damage(error):
        return StorageError(
            f"the catalog {name} is damaged ({error}); the images are untouched, and "
            f"`pixtrawl verify --repair {'DIR' if path is None else path.parent}` makes it again "
            "from what is there"
        )
    return StorageError(f"cannot use the catalog {name}: {error}")


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether an error says that the file is no sound catalog."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    odd = str(error) == _FOREIGN or str(error).startswith("no such table")
    return odd or code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _of_today(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """Migrate an older catalog that is opened to read, or a private copy if it is not writable."""
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if not 0 < version < len(MIGRATIONS):
            return connection
        try:
            with contextlib.closing(connect(path)) as writable:
                migrate(writable)
        except (StorageError, sqlite3.Error):  # e.g. a read-only disk
            return _migrated_copy(connection)
    except sqlite3.DatabaseError:  # damaged: the first read reports it
        return connection
    return connection


def _migrated_copy(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return a migrated private copy in a temporary database; close the original on success."""
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
    """Run the block as a savepoint: where it raises, only the block is rolled back."""
    db.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if db.in_transaction:  # on a full disk SQLite rolls back the transaction itself
            db.execute("ROLLBACK TO part")
            db.execute("RELEASE part")
        raise
    db.execute("RELEASE part")


def integrity_fault(db: sqlite3.Connection, *, whole: bool = False) -> str | None:
    """Return the first fault that SQLite finds, or None; only `whole` verifies the indexes."""
    (verdict,) = db.execute(f"PRAGMA {'integrity' if whole else 'quick'}_check(1)").fetchone()
    return None if verdict == "ok" else str(verdict)


def write_log_in(path: Path) -> None:
    """Checkpoint the write-ahead log into the catalog's file and truncate the log.

    Raise StorageError where another process is reading the catalog, or it is damaged.
    """
    try:
        with contextlib.closing(connect(path)) as db:
            ((busy, *_),) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.DatabaseError as error:
        raise unusable(path, error) from error
    if busy:
        raise StorageError(f"the catalog {path} is being read by another process; wait for it")


@contextlib.contextmanager
def created(path: Path) -> Iterator[sqlite3.Connection]:
    """Create a catalog, which the block fills in one transaction.

    It gets its name only when all of it is on the disk; what bears that name before, and a
    write-ahead log that lies beside it, are set aside and not replayed into it.

    It is in WAL mode before the rename: the switch to WAL uses a rollback journal, and one that is
    left by a kill cannot be recovered by a read-only connection (SQLITE_READONLY_ROLLBACK).

    Raise StorageError where it cannot be created; the folder is then as before.
    """
    part = path.with_name(f"{path.name}.tmp")  # folder/layout.py treats it as temporary
    try:
        _remove_parts(part)
        with contextlib.closing(connect(part)) as connection:
            migrate(connection)
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
            ((busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if busy:
            raise StorageError(f"cannot create the catalog {path}: its log cannot be written in")
        durable.sync_files([part])
        set_aside(path)
        part.replace(path)
        durable.sync_directories([path.parent])
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            _remove_parts(part)
        raise StorageError(f"cannot create the catalog {path}: {error}") from error


def _remove_parts(part: Path) -> None:
    for left in part.parent.glob(f"{part.name}*"):  # with -journal, -wal, -shm
        left.unlink()


def set_aside(path: Path) -> str | None:
    """Rename what has content of a catalog and its logs; return the catalog's new name, or None.

    Raise OSError.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    found = None
    for suffix in ("-wal", "-shm", "-journal", ""):
        own = path.with_name(path.name + suffix)
        if not own.exists():
            continue
        if suffix == "-shm" or own.stat().st_size == 0:
            own.unlink()
            continue
        name = f"{path.name}.damaged-{stamp}{suffix}"
        own.replace(path.with_name(name))
        found = found if suffix else name
    return found


class Catalog:
    """One open catalog and its writer thread."""

    def __init__(self, path: Path, *, survives_power_cut: bool = True) -> None:
        """Open or create it; `survives_power_cut`: synced commits reach the disk."""
        self._durable = survives_power_cut
        if not path.exists() or path.stat().st_size == 0:
            with created(path):
                pass
        self._connection = connect(path)
        try:
            _require_catalog(self._connection)
            migrate(self._connection)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise unusable(path, error) from error
        except BaseException:
            self._connection.close()
            raise
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="catalog")
        self._closed = False

    async def write(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run `function` in one transaction on the writer thread and return its result.

        The commit is not synced: a power cut may undo it, with all that are not followed by a
        synced one. So no file operation may rely on it.

        Raise StorageError where the catalog cannot be written.
        """
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._thread, partial(self.write_now, function, synced=False))
        # On cancellation wait for the end of the transaction: the code that handles it may close
        # the catalog next.
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    def write_now(self, function: Callable[[sqlite3.Connection], T], *, synced: bool = True) -> T:
        """Do the same in the calling thread; for start-up and for the writer thread itself.

        When this returns with `synced` and a durable catalog, the commit and all before it survive
        a power cut: the log is written in order, so its last fsync covers what precedes it.
        """
        connection = self._connection
        try:
            if self._durable:  # the setting holds for the next transaction
                connection.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = function(connection)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if is_damage(error):
                raise unusable(self._path, error) from error
            raise StorageError(f"the catalog cannot be written: {error}") from error
        return result

    async def call(self, function: Callable[[], T]) -> T:
        """Run file work on the writer thread, in order with the transactions around it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def close(self) -> None:
        """Wait for the writer thread, checkpoint the log and close; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._thread.shutdown(wait=True)
        with contextlib.suppress(sqlite3.Error):
            # SQLite does this only when the last connection closes. While a reader elsewhere keeps
            # one open, the newest rows would be in the log alone, which a copy may leave behind.
            self._connection.execute("PRAGMA busy_timeout = 200")  # ms: do not wait for readers
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
