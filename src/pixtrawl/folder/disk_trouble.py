"""Turns errors of the disk into one sentence: where, what is safe, and what to do next.

A full disk or quota, a device that fails, a file system that became read-only, a damaged catalog.
The system's own error lies anywhere in the chain of causes, or in a group of tasks.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from pixtrawl.amounts import plural, size
from pixtrawl.catalog import kept, queries, samples
from pixtrawl.catalog.database import connect, is_damage, unusable
from pixtrawl.errors import StorageError, UsageError
from pixtrawl.folder import on_disk
from pixtrawl.folder.dataset_folder import Folder

__all__ = ["cause_of", "explained_disk_errors", "sentence"]

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_FAILING: Final = frozenset({errno.EIO, errno.ENXIO, errno.ENODEV, errno.ESTALE})
_NEXT: Final = {
    errno.EIO: "check the disk (`dmesg` says more)",
    errno.EROFS: "mount it writable",
    errno.EACCES: "allow writing there",
    errno.EPERM: "allow writing there",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
    errno.ENFILE: "close programs that hold many files open",
    errno.EISDIR: "move that folder away",
    errno.ENOTDIR: "move that file away",
    errno.ELOOP: "remove that symbolic link",
    errno.EXDEV: "keep the whole data set on one file system",
    errno.ENAMETOOLONG: "choose a folder with a shorter path",
    errno.ESTALE: "mount it again",
    errno.ENODEV: "connect the disk again",
    errno.ENXIO: "connect the disk again",
    errno.EFBIG: "use a file system that takes larger files",
    errno.ENOMEM: "free some memory",
}
# SQLite's errors of the file system; its other errors are faults of the program.
_OF_SQLITE: Final = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_CANTOPEN: errno.EIO,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_NOMEM: errno.ENOMEM,
}


@contextmanager
def explained_disk_errors(folder: Folder) -> Iterator[None]:
    """Raise StorageError with the next step in place of any error that the disk caused."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        cause = cause_of(error)
        if cause is None or getattr(error, "is_explained", False):
            raise
        explained = StorageError(sentence(cause, folder))
        explained.is_explained = True
        raise explained from error


def cause_of(error: BaseException) -> OSError | sqlite3.Error | None:
    """Return the error of the disk in the chain of causes of `error`, or None.

    A full disk counts before all others, which may follow from it.
    """
    found = [one for one in _chain(error) if _number(one) is not None or _is_damage(one)]
    found.sort(key=lambda one: _number(one) not in _FULL)
    first = found[0] if found else None
    return first if isinstance(first, OSError | sqlite3.Error) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        waiting += [other for other in (one.__cause__, one.__context__) if other is not None]


def _number(error: BaseException) -> int | None:
    """Return the number of an error of the file system, or None for any other error."""
    if isinstance(error, sqlite3.Error):
        if "disk is full" in str(error):
            return errno.ENOSPC
        return _OF_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    if isinstance(error, OSError) and error.errno is not None:
        # Without a file it is an error of a socket, unless no socket can have it.
        on_disk = error.filename is not None or error.errno in {*_FULL, errno.EIO, errno.EROFS}
        return error.errno if on_disk and error.errno in {*_FULL, *_NEXT} else None
    return None


def _is_damage(error: BaseException) -> bool:
    return isinstance(error, sqlite3.Error) and is_damage(error)


def sentence(cause: OSError | sqlite3.Error, folder: Folder | None = None) -> str:
    """Return what is wrong, what is safe, and the next step."""
    if isinstance(cause, sqlite3.Error) and is_damage(cause):
        return str(unusable(None if folder is None else folder.own_catalog, cause))
    number = _number(cause)
    if number in _FULL:
        what = "your quota is used up" if number == errno.EDQUOT else "the disk is full"
        needed = "" if folder is None else _needed(folder)
        room = f" ({_free(Path(_where(cause, folder)))}{needed})"
        step = "make room, or move the folder, then the same command goes on"
        return f"{what}: {_where(cause, folder)}{room}. {_safe(folder)}; {step}"
    said = os.strerror(number) if number is not None else str(cause)
    detail = f" ({cause})" if isinstance(cause, sqlite3.Error) else ""
    step = _NEXT.get(number or 0, "see to that")
    fails = "the disk fails: " if number in _FAILING else ""
    return (
        f"{fails}{said}{detail}: {_where(cause, folder)}. {_safe(folder)}; "
        f"{step}, then the same command goes on"
    )


def _where(cause: BaseException, folder: Folder | None) -> str:
    if isinstance(cause, OSError) and cause.filename is not None:
        return os.fsdecode(cause.filename2 or cause.filename)
    return "the data set" if folder is None else str(folder.root)


def _safe(folder: Folder | None) -> str:
    """Return a phrase with the number of images that are kept, where that can be read."""
    if folder is None:
        return "What is saved is safe"
    try:
        with closing(connect(folder.own_catalog, read_only=True)) as db:
            count = samples.count(db)
    except (StorageError, sqlite3.Error, OSError):  # the catalog may be what cannot be read
        try:
            count = sum(1 for _ in on_disk.numbered(folder.root))
        except StorageError:
            return "What is saved is safe"
    return f"{count:,} image{' is' if count == 1 else 's are'} safe"


def _free(path: Path) -> str:
    """Return a phrase with the free bytes of the file system that holds `path`."""
    path = next((one for one in (path, *path.absolute().parents) if one.exists()), Path("/"))
    try:
        return f"{size(shutil.disk_usage(path).free)} free"
    except OSError as error:
        return f"how much is free is not known: {error.strerror}"


def _needed(folder: Folder) -> str:
    """Return a phrase with the bytes still needed, estimated by the mean size of kept images."""
    try:
        with closing(connect(folder.catalog, read_only=True)) as db:
            mean, count = kept.mean_size_bytes(db), samples.count(db)
            wanted = queries.wanted_in_all(db)
    except (StorageError, sqlite3.Error, OSError):
        return ""  # a catalog on a full disk may not open; leave this phrase out
    missing = wanted - count
    if missing <= 0 or not mean:
        return ""
    return f", about {size(mean * missing)} more needed for {plural(missing, 'image')}"
