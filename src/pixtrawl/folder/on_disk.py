"""Lists the files of a data set and compares them with the rows of the catalog."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import compress, repeat
from operator import ne
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from pixtrawl.catalog import kept
from pixtrawl.catalog.files import listing as file_listing, records as file_records
from pixtrawl.catalog.files.listing import KnownFiles
from pixtrawl.catalog.files.records import FileRecord
from pixtrawl.catalog.kept import FileToCheck
from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.errors import StorageError
from pixtrawl.folder.folder_listing import FolderListing, FolderTimes
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
    "remember",
]

WORTH_REMEMBERING: Final = 5_000  # files from which on the digest of all is saved


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
    known: KnownFiles | None = None  # to be saved: all files are as the rows say


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


def differences(db: sqlite3.Connection, root: Path, *, contents: bool = True) -> Differences:
    """Compare file names with rows, and files with their records (one `stat` per file).

    Where the files are as they were when they last agreed with the rows, and no row changed since,
    rows are not read. Without `contents`, and where no folder changed either, no file is looked at:
    bytes that were changed in place today are not noticed. Memory holds 150 bytes for each file of
    the largest label, and the differences. Raise StorageError if unreadable.
    """
    found = Differences()
    folders, found.foreign = label_folders(root)
    folders.sort(key=lambda folder: folder.name)
    found.folders = {folder.name for folder in folders}
    known = file_listing.read(db)
    times = _times(folders)
    if known.digest is not None:
        if not contents and times is not None and known.folders == times.digest:
            return found
        seen = _listed(folders)
        if seen is not None and known.digest == seen.digest():
            _vouch(found, known, seen, times)
            return found
    point = file_records.durable_point(db)
    listing = FolderListing()
    clean = found.folders.issuperset(kept.labels(db))
    for folder in folders:
        names, row_ids = _unlike(db, folder, listing)
        clean = clean and not names and not row_ids
        if names or row_ids:
            entries = {name: one for name, one in entries_of(folder).items() if name in names}
            rows = (row for row in kept.places(db, folder.name) if row.sample_id in row_ids)
            records = file_records.of_label(db, folder.name, row_ids)
            _compare(found, folder.name, entries, rows, records, point)
    for label in kept.labels(db):
        if label not in found.folders:
            found.missing.extend(kept.places(db, label))
    if clean and listing.files >= WORTH_REMEMBERING:
        _vouch(found, known, listing, times)
    return found


def remember(db: sqlite3.Connection, root: Path) -> None:
    """Have a large set vouch for its files after a change of its rows, in the caller's transaction.

    The next opening then has nothing to compare. Where files are not as the rows say, or cannot be
    read, it compares them.
    """
    if kept.are_at_least(db, WORTH_REMEMBERING):
        with contextlib.suppress(StorageError):
            if (known := differences(db, root).known) is not None:
                file_listing.put(db, known)


def _vouch(
    found: Differences, known: KnownFiles, listing: FolderListing, times: FolderTimes | None
) -> None:
    """Have it saved that all files are as the rows say, unless that is what the catalog has."""
    folders = None if times is None else times.vouching(listing)
    now = KnownFiles(known.revision, listing.digest(), folders)
    found.known = None if now == known else now


def _times(folders: Iterable[os.DirEntry[str]]) -> FolderTimes | None:
    try:
        return FolderTimes(folders)
    except OSError:  # listing the folder says what is wrong
        return None


def _listed(folders: Iterable[os.DirEntry[str]]) -> FolderListing | None:
    """Return all files in these folders; None where one cannot be read."""
    listing = FolderListing()
    try:
        for folder in folders:
            for _ in listing.batches(folder):
                pass
    except OSError:
        return None
    return listing


def _unlike(
    db: sqlite3.Connection, folder: os.DirEntry[str], listing: FolderListing
) -> tuple[set[str], set[int]]:
    """Return the files of a label that are not as a row says, and the rows without such a file.

    All others are as they were. Opening compares a data set of 300,000 images after each change of
    it, so no Python code runs for each.
    """
    prefix = f"{folder.name}/"
    there: dict[str, int] = {}
    try:
        for names, facts in listing.batches(folder):
            marks = file_records.marks(facts)
            there.update(zip(map(prefix.__add__, names), marks, strict=True))
    except OSError as error:
        raise StorageError(f"cannot read {folder.path}: {error.strerror}") from error
    unlike, rows = set[str](), set[int]()
    for some in file_records.marked(db, folder.name):
        seen = map(there.pop, some.file_names, repeat(None))
        differs = tuple(map(ne, seen, some.marks))
        unlike.update(compress(some.file_names, differs))
        rows.update(compress(some.ids, differs))
    unlike.update(there)
    return {one.removeprefix(prefix) for one in unlike if one.startswith(prefix)}, rows


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
