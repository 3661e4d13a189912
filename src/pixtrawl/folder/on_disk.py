"""Lists the files of a data set and compares them with the rows of the catalog."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, field

from pixtrawl.catalog import kept
from pixtrawl.catalog.kept import FileToCheck
from pixtrawl.errors import StorageError
from pixtrawl.folder.layout import is_own, parse_file_name
from pixtrawl.labels import label_for

__all__ = [
    "Changed",
    "Differences",
    "differences",
    "entries_of",
    "has_numbered",
    "label_folders",
    "numbered",
]


class Changed(Struct, frozen=True):
    """A kept image whose file has a different size than its row."""

    row: FileToCheck
    size_bytes: int  # of the file


class Differences(Struct):
    """Rows without their file, and files without a row."""

    missing: list[FileToCheck] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # in a label's folder: `cat/x.jpg`
    strangers: list[str] = field(default_factory=list)  # beside the labels' folders
    folders: set[str] = field(default_factory=set)  # directories that can hold a label's images


def label_folders(root: Path) -> tuple[list[os.DirEntry[str]], list[str]]:
    """Return the directories that may be labels, and the names of other foreign entries.

    Raise StorageError if the folder cannot be read, so that it is not taken for empty.
    """
    folders, strangers = [], []
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                if is_own(entry.name):
                    continue
                if entry.is_dir() and not entry.name.startswith("."):
                    folders.append(entry)
                else:
                    strangers.append(entry.name)
    except OSError as error:
        raise StorageError(f"cannot read {root}: {error.strerror}") from error
    return folders, strangers


def entries_of(folder: os.DirEntry[str]) -> dict[str, os.DirEntry[str]]:
    """Return the entries of a label's folder by name. Raise StorageError if unreadable."""
    try:
        with os.scandir(folder.path) as entries:
            return {entry.name: entry for entry in entries}
    except OSError as error:
        raise StorageError(f"cannot read {folder.path}: {error.strerror}") from error


def numbered(root: Path) -> Iterator[str]:
    """Yield the files that are named as a run names images: `cat/000001.jpg`. Raise StorageError.

    Symbolic links are left out.
    """
    for folder in label_folders(root)[0]:
        if label_for(folder.name) != folder.name or folder.is_symlink():
            continue
        for name, entry in sorted(entries_of(folder).items()):
            if entry.is_file(follow_symlinks=False):
                relative = f"{folder.name}/{name}"
                if parse_file_name(relative) is not None:
                    yield relative


def has_numbered(root: Path) -> bool:
    """Return whether `numbered` finds any file; False if the folder cannot be read."""
    try:
        return next(numbered(root), None) is not None
    except StorageError:
        return False


def differences(db: sqlite3.Connection, root: Path, *, sizes: bool = True) -> Differences:
    """Compare file names with rows, and with `sizes` also file sizes (one `stat` per file).

    Memory holds one label at a time, and the differences. Raise StorageError if unreadable.
    """
    found = Differences()
    folders, found.strangers = label_folders(root)
    found.folders = {folder.name for folder in folders}
    for folder in folders:
        rows = kept.places(db, folder.name, sizes=sizes)
        _compare(found, folder.name, entries_of(folder), rows, sizes=sizes)
    for label in kept.labels(db):
        if label not in found.folders:
            found.missing.extend(kept.places(db, label, sizes=sizes))
    return found


def _compare(
    found: Differences,
    label: str,
    entries: dict[str, os.DirEntry[str]],
    rows: Iterator[FileToCheck],
    *,
    sizes: bool,
) -> None:
    for row in rows:
        entry = entries.pop(row.file_name.partition("/")[2], None)
        if entry is None:
            found.missing.append(row)
        elif sizes:
            with contextlib.suppress(OSError):  # a dangling symlink counts as present
                size_bytes = entry.stat().st_size
                if size_bytes != row.size_bytes:
                    found.changed.append(Changed(row, size_bytes))
    found.unknown.extend(f"{label}/{name}" for name in entries)
