"""A data set that is only read, as it lies on the disk, with whatever a person did to it.

Where the folder is writable and no run is at work, the catalog and the files made from it follow at
once; else the images whose files are gone are left out of what is read.
"""

from __future__ import annotations

from contextlib import closing

from msgspec import Struct

from pixtrawl.catalog import relations
from pixtrawl.catalog.database import Catalog, connect
from pixtrawl.errors import StorageError
from pixtrawl.folder import by_hand, deciding, derived, on_disk, recovery
from pixtrawl.folder.by_hand import ByHand
from pixtrawl.folder.dataset_folder import DatasetLock, Folder, in_use

__all__ = ["View", "catch_up"]


class View(Struct, frozen=True):
    """How a data set is to be read."""

    missing: frozenset[int] = frozenset()  # rows to leave out: their files are gone
    noticed: ByHand | None = None  # what the catalog follows from now on


def catch_up(folder: Folder) -> View:
    """Looks at the names of all files. Raises UsageError, StorageError."""
    folder.require()
    with closing(connect(folder.catalog, read_only=True)) as db:
        found = on_disk.differences(db, folder.root, sizes=False)
        pending = deciding.is_pending(db, folder)
        # A kill between a decision and its file leaves that in place.
        left = bool(found.unknown) and relations.is_out(db, found.unknown)
        back = pending or left or by_hand.could_be_back(db, folder.root, found.unknown)
        if not found.missing and not back:
            return View()
        missing = frozenset(row.sample_id for row in found.missing)
        if pending:
            missing |= deciding.refused_meanwhile(db, folder)
    if in_use(folder):
        return View(missing)
    try:
        return View(noticed=_follow(folder, left=left))
    except (StorageError, OSError):  # a medium that cannot be written: it is read all the same
        return View(missing)


def _follow(folder: Folder, *, left: bool) -> ByHand:
    with DatasetLock(folder), closing(Catalog(folder.catalog)) as catalog:
        result = catalog.write_now(lambda db: recovery.recover(db, folder))
        if result.changed or left:
            catalog.write_now(lambda db: derived.write_all(db, folder))
        return result.by_hand
