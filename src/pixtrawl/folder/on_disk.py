"""What lies in the folders of a data set, and how that differs from the rows of the catalog."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, field

from pixtrawl.catalog import kept
from pixtrawl.catalog.kept import Place
from pixtrawl.errors import StorageError
from pixtrawl.folder.layout import is_own

__all__ = ["Changed", "Differences", "differences", "entries_of", "label_folders"]


class Changed(Struct, frozen=True):
    """A kept image under whose name a file of another size lies."""

    row: Place
    size_bytes: int  # of the file


class Differences(Struct):
    """Rows without their file, and files without a row."""

    missing: list[Place] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # in a label's folder: `cat/x.jpg`
    strangers: list[str] = field(default_factory=list)  # beside the labels' folders
    folders: set[str] = field(default_factory=set)  # directories that can hold a label's images


def label_folders(root: Path) -> tuple[list[os.DirEntry[str]], list[str]]:
    """The directories that may be labels, and the names of whatever else is not pixtrawl's own.

    Raises StorageError where the folder cannot be read: that is no proof of what is in it.
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
    """What lies in a label's folder, by name. Raises StorageError."""
    try:
        with os.scandir(folder.path) as entries:
            return {entry.name: entry for entry in entries}
    except OSError as error:
        raise StorageError(f"cannot read {folder.path}: {error.strerror}") from error


def differences(db: sqlite3.Connection, root: Path, *, sizes: bool = True) -> Differences:
    """Compares names, and with `sizes` how long each file is: one stat a file.

    One label is in memory at a time, and what differs.
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
    rows: Iterator[Place],
    *,
    sizes: bool,
) -> None:
    for row in rows:
        entry = entries.pop(row.file_name.partition("/")[2], None)
        if entry is None:
            found.missing.append(row)
        elif sizes:
            with contextlib.suppress(OSError):  # a link that leads nowhere now is still there
                size_bytes = entry.stat().st_size
                if size_bytes != row.size_bytes:
                    found.changed.append(Changed(row, size_bytes))
    found.unknown.extend(f"{label}/{name}" for name in entries)
