"""Turns errors of a full disk or quota into a message with free space and next steps."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from pixtrawl.catalog import kept, queries, samples
from pixtrawl.catalog.database import connect
from pixtrawl.errors import StorageError
from pixtrawl.folder.dataset_folder import Folder

__all__ = ["full_of", "telling_full"]

_FULL: Final = {errno.ENOSPC, errno.EDQUOT}
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


@contextmanager
def telling_full(folder: Folder) -> Iterator[None]:
    """Raise StorageError with the next step in place of any error that a full disk caused."""
    try:
        yield
    except Exception as error:
        cause = full_of(error)
        if cause is None:
            raise
        raise StorageError(_message(folder, cause)) from error


def full_of(error: BaseException) -> BaseException | None:
    """Return the full-disk or quota error in the chain of causes of `error`, or None."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, OSError) and one.errno in _FULL:
            return one
        if isinstance(one, sqlite3.Error) and "disk is full" in str(one):
            return one
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        waiting += [other for other in (one.__cause__, one.__context__) if other is not None]
    return None


def _message(folder: Folder, cause: BaseException) -> str:
    quota = isinstance(cause, OSError) and cause.errno == errno.EDQUOT
    what = "your quota is used up" if quota else "the disk is full"
    text = f"{what}: {folder.root} ({_free(folder.root)}{_needed(folder)}). What is saved is safe; "
    return text + "make room, or move the folder, then the same command goes on"


def _free(path: Path) -> str:
    try:
        return f"{_size(shutil.disk_usage(path).free)} free"
    except OSError as error:
        return f"how much is free is not known: {error.strerror}"


def _needed(folder: Folder) -> str:
    """Return a phrase with the bytes still needed, estimated by the mean size of kept images."""
    try:
        with closing(connect(folder.catalog, read_only=True)) as db:
            mean, count = kept.mean_size_bytes(db), samples.count(db)
            wanted = queries.wanted_in_all(db)
    except (StorageError, sqlite3.Error):
        return ""  # a catalog on a full disk may not open; leave this phrase out
    missing = wanted - count
    if missing <= 0 or not mean:
        return ""
    return f", about {_size(mean * missing)} more needed for {missing:,} images"


def _size(number: float) -> str:
    for unit in _UNITS[:-1]:
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} {_UNITS[-1]}"
