"""Verifies a data set against its catalog: every file present and unaltered, and no others.

`verify` writes nothing; `repair` makes a lost or damaged catalog again. Other commands record files
that were deleted by hand; here they are reported as missing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec import Struct

from pixtrawl.catalog import kept, samples
from pixtrawl.catalog.database import Catalog, connect, integrity_fault, is_damage
from pixtrawl.catalog.files import edited
from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.catalog.schema.tables import require_readable
from pixtrawl.errors import StorageError
from pixtrawl.folder import files, on_disk
from pixtrawl.folder.dataset_folder import DatasetLock, Folder, in_use
from pixtrawl.folder.derived import writing
from pixtrawl.folder.recovery import crash
from pixtrawl.pipeline.finished.rebuilding import rebuild

__all__ = ["ADVICE", "FileTrouble", "Verified", "repair", "verify"]

MISSING: Final = "missing"
ALTERED: Final = "altered"
FOREIGN: Final = "foreign"
STALE: Final = "stale"
DAMAGED: Final = "damaged"
ADVICE: Final = {
    MISSING: "deleted on purpose: any other command takes note of it; else "
    "`pixtrawl restore DIR` and a run bring it back",
    ALTERED: "edited on purpose: keep a copy elsewhere; else delete it and `pixtrawl restore DIR`",
    FOREIGN: "not of this data set: move it elsewhere; of another one: `pixtrawl merge`",
    STALE: "made from the catalog: the next run writes it anew",
    DAMAGED: "`pixtrawl verify --repair DIR` makes it again from what is there",
}

_NOTES: Final = {
    SampleState.ACCEPTED: "decided by a run that was killed; the next run puts them in place",
    SampleState.DELETED_BY_HAND: "deleted by hand earlier (`pixtrawl restore` brings them back)",
    SampleState.WANTED_BACK: "wanted back; the next run fetches them",
}

Progress = Callable[[int, int], None]


class FileTrouble(Struct, frozen=True):
    """A fault of one file; `state` is a key of ADVICE."""

    file_name: str
    state: str
    detail: str = ""


class Verified(Struct, frozen=True):
    """The result of `verify`: the number of images in the catalog, and the faults found."""

    images: int
    troubles: tuple[FileTrouble, ...]
    notes: tuple[str, ...] = ()  # remarks that are no faults

    @property
    def ok(self) -> bool:
        return not self.troubles


def verify(
    root: Path | str, *, quick: bool = False, on_progress: Progress = lambda done, total: None
) -> Verified:
    """Compare every file with the catalog, or with metadata.jsonl where there is no catalog.

    Args:
        root: the data set.
        quick: compare names and sizes only; otherwise every file is read and hashed.
        on_progress: called with the number of files done and their total, unless `quick`.

    Raises:
        UsageError: there is no data set.
        StorageError: a folder or the catalog cannot be read.
    """
    folder = Folder(root)
    folder.require()
    try:
        with closing(connect(folder.catalog, read_only=True)) as db:
            return _verify(db, folder, quick, on_progress)
    except (sqlite3.DatabaseError, StorageError) as error:
        cause = error.__cause__ if isinstance(error, StorageError) else error
        if not isinstance(cause, sqlite3.Error) or not is_damage(cause):
            raise
        return Verified(0, (FileTrouble(folder.catalog.name, DAMAGED, str(cause)),))


def repair(root: Path | str) -> bool:
    """Make a catalog again that is missing, empty or damaged; return False if it is sound.

    The log says what was recovered. The damaged file is kept beside the new one.

    Raises:
        UsageError: there is nothing of a data set.
        StorageError: it is in use, cannot be written, or is of a newer pixtrawl.
    """
    folder = Folder(root)
    lost = folder.is_lost()
    if not lost:
        folder.require()
        if not _is_damaged(folder):
            return False
    with DatasetLock(folder, rebuilds=True):
        rebuild(folder)
        with closing(Catalog(folder.own_catalog)) as catalog:
            catalog.write_now(lambda db: crash.recover(db, folder))
            catalog.write_now(lambda db: writing.write_all(db, folder))
    return True


def _is_damaged(folder: Folder) -> bool:
    try:
        with closing(sqlite3.connect(f"{folder.catalog.as_uri()}?mode=ro", uri=True)) as db:
            if require_readable(db) == 0:
                return True
            samples.count(db)
            return integrity_fault(db, whole=True) is not None
    except sqlite3.Error as error:
        if is_damage(error):
            return True
        raise StorageError(f"cannot read the catalog {folder.catalog}: {error}") from error


def _verify(db: sqlite3.Connection, folder: Folder, quick: bool, on_progress: Progress) -> Verified:
    count = samples.count(db)
    found = on_disk.differences(db, folder.root)
    troubles = [FileTrouble(row.file_name, MISSING) for row in found.missing]
    troubles += [
        FileTrouble(
            one.row.file_name, ALTERED, f"{one.size_bytes:,} bytes, not {one.row.size_bytes:,}"
        )
        for one in found.changed
        if one.has_other_size
    ]
    troubles += [FileTrouble(name, FOREIGN) for name in (*found.unknown, *found.foreign)]
    if not quick:
        known = {trouble.file_name for trouble in troubles}
        troubles += _altered(db, folder, known, count, on_progress)
        if (fault := integrity_fault(db)) is not None:
            troubles.append(FileTrouble(folder.catalog.name, DAMAGED, fault))
    if not found.missing and not _is_current(db, folder):
        troubles.append(
            FileTrouble(folder.metadata.name, STALE, "does not list what the catalog does")
        )
    troubles.sort(key=lambda one: (one.state, one.file_name))
    return Verified(count, tuple(troubles), tuple(_notes(db, folder)))


def _altered(
    db: sqlite3.Connection, folder: Folder, known: set[str], count: int, on_progress: Progress
) -> Iterator[FileTrouble]:
    for done, (name, sha256) in enumerate(kept.digests(db), 1):
        on_progress(done, count)
        if name in known:
            continue
        try:
            own = files.sha256_of(folder.root / name)
        except OSError as error:
            yield FileTrouble(name, ALTERED, f"cannot be read: {error.strerror}")
            continue
        if own != sha256:
            yield FileTrouble(name, ALTERED, "other bytes of the same length")


def _is_current(db: sqlite3.Connection, folder: Folder) -> bool:
    """Whether metadata.jsonl lists the files of the catalog, in any order."""
    left = dict(kept.digests(db))
    try:
        with folder.metadata.open("rb") as lines:
            for line in lines:
                row = json.loads(line)
                if left.pop(row["file_name"], None) != row["sha256"]:
                    return False
    except FileNotFoundError:
        return not left
    except OSError as error:
        raise StorageError(f"cannot read {folder.metadata}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError):
        return False
    return not left


def _notes(db: sqlite3.Connection, folder: Folder) -> Iterator[str]:
    if in_use(folder):
        yield "a run is at work on it: what it is about to put in place may be missing"
    if count := edited.count(db):
        yield f"{count:,} edited by hand: kept as they are now"
    counts = kept.counts_by_state(db)
    for state, what in _NOTES.items():
        if counts.get(state):
            yield f"{counts[state]:,} {what}"
