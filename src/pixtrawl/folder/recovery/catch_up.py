"""Brings the catalog up to date with the disk before a data set is read.

If the folder is writable and no run is active, the catalog and the files derived from it are
updated at once; otherwise readers skip the images whose files are gone.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib import import_module

from msgspec import Struct

from pixtrawl.catalog import relations
from pixtrawl.catalog.database import Catalog, connect
from pixtrawl.catalog.files import derived_mark, listing as file_listing
from pixtrawl.catalog.files.listing import KnownFiles
from pixtrawl.errors import StorageError
from pixtrawl.folder import on_disk
from pixtrawl.folder.dataset_folder import DatasetLock, Folder, in_use
from pixtrawl.folder.decisions import applying
from pixtrawl.folder.derived import writing
from pixtrawl.folder.disk_trouble import explained_disk_errors
from pixtrawl.folder.recovery import by_hand
from pixtrawl.folder.recovery.by_hand import ByHand
from pixtrawl.folder.recovery.crash import Recovered

__all__ = ["View", "catch_up", "is_behind"]


class View(Struct, frozen=True):
    """How a data set is to be read."""

    missing: frozenset[int] = frozenset()  # rows to leave out: their files are gone
    noticed: ByHand | None = None  # changes by hand that were taken into the catalog


def catch_up(
    folder: Folder,
    *,
    derive: bool = True,
    contents: bool = True,
    notify: Callable[[ByHand], None] = lambda _: None,
) -> View:
    """Compare all files with the catalog, and update it where possible.

    Without `contents` the files of a large set are looked at only if a folder changed, and once a
    day: for a caller that only reads what the catalog says (a look at 300,000 takes a second).
    Without `derive` the files made from the catalog stay as they are, and are marked stale where
    they are to be written: for a caller that writes them later (100,000 images take 15 s). Changes
    by hand that were taken into the catalog are passed to `notify`.

    Raise UsageError if there is no data set, StorageError if it cannot be read.
    """
    with explained_disk_errors(folder):
        view = _catch_up(folder, derive=derive, contents=contents)
    if view.noticed is not None:
        notify(view.noticed)
    return view


def is_behind(folder: Folder) -> bool:
    """Return whether `catch_up` without `derive` would find anything to do, and do none of it.

    Raise UsageError if there is no data set, StorageError if it cannot be read.
    """
    with explained_disk_errors(folder):
        return _compared(folder, derive=False, contents=True) is not None


class _Behind(Struct, frozen=True):
    """How a catalog that is not as the disk is can be read."""

    missing: frozenset[int]
    rewrite: bool  # the derived files lack something that rows have


def _compared(folder: Folder, *, derive: bool, contents: bool) -> _Behind | None:
    """Return None where the catalog is as the disk is."""
    folder.require()
    with closing(connect(folder.catalog, read_only=True)) as db:
        found = on_disk.differences(db, folder.root, contents=contents)
        pending = applying.is_pending(db, folder)
        # A kill between recording a decision and moving its file leaves the file in place.
        left = bool(found.unknown) and relations.is_out(db, found.unknown)
        stale = derive and derived_mark.is_stale(db)
        back = pending or left or stale or by_hand.could_be_back(db, folder.root, found.unknown)
        if not found.missing and not found.changed and not back:
            _remember(folder, found.known)
            return None
        missing = frozenset(row.sample_id for row in found.missing)
        if pending:
            missing |= applying.refused_meanwhile(db, folder)
    return _Behind(missing, rewrite=left or stale)


def _catch_up(folder: Folder, *, derive: bool, contents: bool) -> View:
    behind = _compared(folder, derive=derive, contents=contents)
    if behind is None:
        return View()
    if in_use(folder) or folder.is_lost():
        return View(behind.missing)
    try:
        return View(noticed=_follow(folder, rewrite=behind.rewrite, derive=derive))
    except (StorageError, OSError):  # read-only medium: reading still works
        return View(behind.missing)


def _remember(folder: Folder, known: KnownFiles | None) -> None:
    """Save that all files are as the rows say, so that the next opening reads no rows."""
    if known is None or in_use(folder):
        return
    # It only saves time: not on a read-only medium, nor where another process writes just now.
    with contextlib.suppress(StorageError, sqlite3.Error):
        file_listing.save(folder.catalog, known)


def _follow(folder: Folder, *, rewrite: bool, derive: bool) -> ByHand:
    with DatasetLock(folder), closing(Catalog(folder.catalog)) as catalog:
        # By name: it lies above this module. It has altered files decoded.
        mending = import_module("pixtrawl.pipeline.finished.mending")
        result: Recovered = mending.recover(catalog, folder)
        if not (result.changed or rewrite):
            return result.by_hand
        if not derive:
            catalog.write_now(derived_mark.set_stale)
        else:
            catalog.write_now(lambda db: writing.write_all(db, folder))
        return result.by_hand
