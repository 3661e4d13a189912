"""Lists the files of a data set and compares them with the rows of the catalog."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field

from pixtrawl.catalog import file_records, kept
from pixtrawl.catalog.file_records import FileRecord
from pixtrawl.catalog.kept import FileToCheck
from pixtrawl.catalog.states import SampleState
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
    """A kept image whose file may have other bytes: size, times or inode are not as recorded."""

    row: FileToCheck
    record: FileRecord  # of the file as it is now

    @property
    def size_bytes(self) -> int:
        return self.record.size_bytes

    @property
    def has_other_size(self) -> bool:
        """Return whether the bytes are others for sure."""
        return self.record.size_bytes != self.row.size_bytes


class Differences(Struct):
    """Rows without their file, and files without a row."""

    missing: list[FileToCheck] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    unrecorded: list[Changed] = field(default_factory=list)  # taken for whole, from before records
    unknown: list[str] = field(default_factory=list)  # in a label's folder: `cat/x.jpg`
    foreign: list[str] = field(default_factory=list)  # beside the labels' folders
    folders: set[str] = field(default_factory=set)  # directories that can hold a label's images


def label_folders(root: Path) -> tuple[list[os.DirEntry[str]], list[str]]:
    """Return the directories that may be labels, and the names of other foreign entries.

    Raise StorageError if the folder cannot be read, so that it is not taken for empty.
    """
    folders, foreign = [], []
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                if is_own(entry.name):
                    continue
                if entry.is_dir() and not entry.name.startswith("."):
                    folders.append(entry)
                else:
                    foreign.append(entry.name)
    except OSError as error:
        raise StorageError(f"cannot read {root}: {error.strerror}") from error
    return folders, foreign


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


def differences(db: sqlite3.Connection, root: Path) -> Differences:
    """Compare file names with rows, and files with their records (one `stat` per file).

    Memory holds 150 bytes for each file of the largest label, and the differences. Raise
    StorageError if unreadable.
    """
    found = Differences()
    point = file_records.durable_point(db)
    folders, found.foreign = label_folders(root)
    found.folders = {folder.name for folder in folders}
    for folder in folders:
        names, row_ids = _unlike(db, folder)
        if names or row_ids:
            entries = {name: one for name, one in entries_of(folder).items() if name in names}
            rows = (row for row in kept.places(db, folder.name) if row.sample_id in row_ids)
            records = file_records.of_label(db, folder.name, row_ids)
            _compare(found, folder.name, entries, rows, records, point)
    for label in kept.labels(db):
        if label not in found.folders:
            found.missing.extend(kept.places(db, label))
    return found


def _unlike(db: sqlite3.Connection, folder: os.DirEntry[str]) -> tuple[set[str], set[int]]:
    """Return the files of a label that are not as a row says, and the rows without such a file.

    All others are as they were. A data set of 300,000 images is compared each time it is opened,
    so this does the least for each.
    """
    there: dict[int, str] = {}
    odd: set[str] = set()
    try:
        with _scanned(folder.path) as entries:
            for entry in entries:
                try:
                    there[file_records.mark(f"{folder.name}/{entry.name}", entry.stat())] = (
                        entry.name
                    )
                except OSError:  # a dangling symlink
                    odd.add(entry.name)
    except OSError as error:
        raise StorageError(f"cannot read {folder.path}: {error.strerror}") from error
    rows = {
        sample_id
        for mark, sample_id in file_records.marked(db, folder.name)
        if there.pop(mark, None) is None
    }
    return odd.union(there.values()), rows


@contextlib.contextmanager
def _scanned(path: str) -> Iterator[Iterator[os.DirEntry[str]]]:
    """Scan a folder by its descriptor where the system can: `stat` need not resolve paths then."""
    if os.scandir not in os.supports_fd:
        with os.scandir(path) as entries:
            yield entries
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with os.scandir(descriptor) as entries:
            yield entries
    finally:
        os.close(descriptor)


def _compare(
    found: Differences,
    label: str,
    entries: dict[str, os.DirEntry[str]],
    rows: Iterator[FileToCheck],
    records: Mapping[int, FileRecord],
    point: int,
) -> None:
    for row in rows:
        entry = entries.pop(row.file_name.partition("/")[2], None)
        if entry is None:
            found.missing.append(row)
            continue
        if row.state is SampleState.ACCEPTED:
            continue  # a run is about to place it, or recovery hashes it
        with contextlib.suppress(OSError):  # a dangling symlink counts as present
            now, known = file_records.record_of(entry.stat()), records.get(row.sample_id)
            if now == known:
                continue
            change = Changed(row, now)
            trusted = known is None and row.sample_id <= point and not change.has_other_size
            (found.unrecorded if trusted else found.changed).append(change)
    found.unknown.extend(f"{label}/{name}" for name in entries)
